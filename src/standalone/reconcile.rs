//! From the directory's resources to this node's snapshot.
//!
//! 1. take the newest resources (IO)
//! 2. compile them (pure)
//! 3. keep the result on disk if it differs (IO)
//! 4. publish it, and what was refused on the way

use super::source::Loaded;
use crate::agent::last_good::LastGood;
use crate::api::condition::Reason;
use crate::compile;
use crate::model::name::Name;
use crate::model::snapshot::Snapshot;
use crate::model::status::Rejected;
use std::sync::Arc;
use tokio::sync::watch;

#[derive(Debug)]
pub struct Reconciler {
    node: Name,
    last_good: LastGood,
    in_force: Option<Arc<Snapshot>>,
    /// Every file has been readable once since the start.
    settled: bool,
    snapshot: watch::Sender<Option<Arc<Snapshot>>>,
    rejected: watch::Sender<Vec<Rejected>>,
}

impl Reconciler {
    /// Starts from the snapshot on disk; nothing is published yet.
    pub fn new(
        node: Name,
        last_good: LastGood,
        snapshot: watch::Sender<Option<Arc<Snapshot>>>,
        rejected: watch::Sender<Vec<Rejected>>,
    ) -> Self {
        let in_force = last_good.load(&node).unwrap_or_else(|error| {
            tracing::warn!(%error, "the last good snapshot is not used");
            None
        });
        Self { node, last_good, in_force: in_force.map(Arc::new), settled: false, snapshot, rejected }
    }

    /// The manifests cannot be read at all. `true`: the last good snapshot is in force meanwhile; `false`: there
    /// is none.
    pub fn unreadable(&mut self, problem: Rejected) -> bool {
        let Some(in_force) = self.in_force.clone() else { return false };
        self.report(vec![problem]);
        self.publish(in_force);
        true
    }

    /// The manifests say this now.
    ///
    /// A document that has not been readable since the start says nothing about its object, so the last
    /// good snapshot stays in force until every document has been readable once.
    pub fn reconcile(&mut self, loaded: &Loaded) {
        let compiled = compile::compile(&loaded.resources, &self.node, self.in_force.as_deref());
        self.settled |= !loaded.problems.iter().any(hides_an_object);
        let mut rejected = loaded.problems.clone();
        rejected.extend(
            compiled
                .rejections
                .iter()
                .map(|rejection| rejection.at(loaded.place(&rejection.object.to_string(), &rejection.field))),
        );
        self.report(rejected);
        let in_force = match self.in_force.take() {
            Some(last) if !self.settled || last.same_content(&compiled.snapshot) => last,
            _ => self.keep(compiled.snapshot),
        };
        self.publish(in_force);
    }

    fn keep(&self, snapshot: Snapshot) -> Arc<Snapshot> {
        if let Err(error) = self.last_good.keep(&snapshot) {
            tracing::warn!(%error, "a restart without the manifests would not know this snapshot");
        }
        tracing::info!(generation = snapshot.generation, vips = snapshot.vips.len(), "snapshot in force");
        Arc::new(snapshot)
    }

    fn publish(&mut self, in_force: Arc<Snapshot>) {
        self.in_force = Some(in_force.clone());
        self.snapshot.send_if_modified(|newest| {
            let differs = newest.as_ref() != Some(&in_force);
            *newest = Some(in_force);
            differs
        });
    }

    /// Logs each problem once, when it appears and when it is gone.
    fn report(&self, rejected: Vec<Rejected>) {
        self.rejected.send_if_modified(|before| {
            for problem in rejected.iter().filter(|problem| !before.contains(problem)) {
                let Rejected { object, field, reason, message, place, notice: _ } = problem;
                tracing::warn!(object, field, reason, place, "{message}");
            }
            for solved in before.iter().filter(|problem| !rejected.contains(problem)) {
                tracing::info!(object = solved.object, field = solved.field, "no longer a problem");
            }
            let differs = *before != rejected;
            *before = rejected;
            differs
        });
    }
}

/// An object that two files define is known; one that cannot be read is not.
fn hides_an_object(problem: &Rejected) -> bool {
    problem.reason != Reason::Duplicate.to_string()
}

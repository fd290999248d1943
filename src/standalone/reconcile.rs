//! From the directory's resources to this node's snapshot.
//!
//! 1. take the newest resources (IO)
//! 2. compile them (pure)
//! 3. keep the result on disk if it differs (IO)
//! 4. publish it, and what was refused on the way

use crate::api::condition::Reason;
use crate::compile::{self, accepted::Accepted};
use crate::manifests::{self, Loaded, OpenError, Source};
use crate::model::name::Name;
use crate::model::snapshot::Snapshot;
use crate::model::status::Rejected;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often a directory that is not there is looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Keeps what the next start begins from.
pub type Keep = Box<dyn FnMut(&Arc<Snapshot>, &Accepted) + Send>;

pub struct Reconciler {
    node: Name,
    keep: Keep,
    in_force: Option<Arc<Snapshot>>,
    accepted: Accepted,
    /// Every document has been readable once since the start.
    settled: bool,
    snapshot: watch::Sender<Option<Arc<Snapshot>>>,
    rejected: watch::Sender<Vec<Rejected>>,
}

impl fmt::Debug for Reconciler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconciler")
            .field("node", &self.node)
            .field("in_force", &self.in_force)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0}, and no last good snapshot is kept in the state directory")]
pub struct NoManifests(#[source] OpenError);

impl Reconciler {
    /// Starts from the last good snapshot, if there is one; nothing is published yet.
    pub fn new(
        node: Name,
        last_good: Option<Arc<Snapshot>>,
        accepted: Accepted,
        keep: Keep,
        snapshot: watch::Sender<Option<Arc<Snapshot>>>,
        rejected: watch::Sender<Vec<Rejected>>,
    ) -> Self {
        Self { node, keep, in_force: last_good, accepted, settled: false, snapshot, rejected }
    }

    /// Reads the directory, and returns what reconciles from then on, whenever it says something new. A
    /// directory that cannot be read is waited for, while the last good snapshot is in force.
    ///
    /// # Errors
    /// It cannot be read, and there is no last good snapshot.
    pub async fn follow(
        mut self,
        manifests: PathBuf,
    ) -> Result<impl Future<Output = ()> + Send + 'static, NoManifests> {
        let opened = match Source::open(manifests.clone()).await {
            Ok(source) => Some(source),
            Err(error) if self.unreadable(unreadable(&manifests, &error)) => None,
            Err(error) => return Err(NoManifests(error)),
        };
        Ok(self.follow_on(manifests, opened))
    }

    async fn follow_on(mut self, manifests: PathBuf, mut opened: Option<Source>) {
        let source = loop {
            match opened.take() {
                Some(source) => break source,
                None => tokio::time::sleep(LOOK_AGAIN).await,
            }
            opened = Source::open(manifests.clone()).await.ok();
        };
        let mut loaded = source.subscribe();
        let reconciling = async {
            loop {
                let newest = loaded.borrow_and_update().clone();
                self.reconcile(&newest);
                if loaded.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::join!(source.run(), reconciling);
    }

    /// The manifests cannot be read at all. `true`: the last good snapshot is in force meanwhile; `false`: there
    /// is none.
    fn unreadable(&mut self, problem: Rejected) -> bool {
        let Some(in_force) = self.in_force.clone() else { return false };
        self.report(vec![problem]);
        self.publish(in_force);
        true
    }

    /// The manifests say this now.
    ///
    /// A document that has not been readable since the start says nothing about its object, so the last
    /// good snapshot stays in force until every document has been readable once.
    fn reconcile(&mut self, loaded: &Loaded) {
        let compiled = compile::compile(&loaded.resources, &self.node, &self.accepted);
        self.settled |= !loaded.hides_an_object();
        self.report(loaded.rejected(&compiled.rejections));
        match &self.in_force {
            Some(last) if !self.settled => self.publish(last.clone()),
            Some(last) if last.same_content(&compiled.snapshot) && self.accepted == compiled.accepted => {
                self.publish(last.clone());
            }
            _ => self.adopt(compiled.snapshot, compiled.accepted),
        }
    }

    /// The agent first: the disk is slower than what it has to do.
    fn adopt(&mut self, mut snapshot: Snapshot, accepted: Accepted) {
        snapshot.generation = match &self.in_force {
            Some(last) if last.same_content(&snapshot) => last.generation,
            Some(last) => last.generation + 1,
            None => 1,
        };
        tracing::info!(generation = snapshot.generation, vips = snapshot.vips.len(), "snapshot in force");
        let snapshot = Arc::new(snapshot);
        self.publish(snapshot.clone());
        (self.keep)(&snapshot, &accepted);
        self.accepted = accepted;
    }

    fn publish(&mut self, in_force: Arc<Snapshot>) {
        self.in_force = Some(in_force.clone());
        self.snapshot.send_if_modified(|newest| {
            let differs = newest.as_ref() != Some(&in_force);
            *newest = Some(in_force);
            differs
        });
    }

    fn report(&self, rejected: Vec<Rejected>) {
        self.rejected.send_if_modified(|before| {
            manifests::log_changes(before, &rejected);
            let differs = *before != rejected;
            *before = rejected;
            differs
        });
    }
}

fn unreadable(manifests: &Path, error: &OpenError) -> Rejected {
    Rejected {
        object: manifests.display().to_string(),
        field: String::new(),
        reason: Reason::Unreadable.to_string(),
        message: format!("{error} (the last good snapshot is in force)"),
        place: None,
        notice: false,
    }
}

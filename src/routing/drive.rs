//! The one loop that owns a driver: newest plan in, what the daemon does out.
//!
//! Level-triggered. The daemon is compared with the newest plan when the plan changes, when a daemon was
//! found restarted, and otherwise every [`COMPARE_EVERY`]; so whatever went wrong in between heals by the
//! same call. It is asked what it does every [`OBSERVE_EVERY`].

use super::{ApplyError, Daemon};
use crate::model::net::HostRoute;
use crate::model::observed::Observed;
use crate::plan::RoutingPlan;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};
use tracing::Instrument;

/// How fresh [`Observed`] is kept: a peer that goes down is known within 200 ms.
pub const OBSERVE_EVERY: Duration = Duration::from_millis(150);

/// Hand edits of our objects, and daemons that come back, are healed within a second.
const COMPARE_EVERY: Duration = Duration::from_millis(750);

/// A plan that was refused is tried again, ever less often: the operator may have made room.
const RETRY_REFUSED_FIRST: Duration = Duration::from_secs(1);
const RETRY_REFUSED_LAST: Duration = Duration::from_secs(30);

/// Brings `daemon` to the newest of `plans`, and publishes in `seen` what it does whenever that changes.
///
/// The value that `plans` was made with is no plan: until the first change the daemon is only observed, so an
/// agent that has just been restarted withdraws nothing. Returns when the sender of `plans` is gone. Dropping
/// the future is safe at any time.
pub async fn drive<D: Daemon>(
    daemon: D,
    plans: watch::Receiver<Arc<RoutingPlan>>,
    seen: watch::Sender<Observed>,
) {
    follow(Driven::new(daemon, seen), plans).instrument(tracing::info_span!("routing")).await;
}

async fn follow<D: Daemon>(mut driven: Driven<D>, mut plans: watch::Receiver<Arc<RoutingPlan>>) {
    let mut tick = tokio::time::interval(OBSERVE_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            changed = plans.changed() => {
                if changed.is_err() {
                    return;
                }
                let plan = plans.borrow_and_update().clone();
                driven.take(plan).await;
            }
            _ = tick.tick() => driven.tick().await,
        }
    }
}

#[derive(Debug)]
struct Driven<D> {
    daemon: D,
    seen: watch::Sender<Observed>,
    plan: Option<Arc<RoutingPlan>>,
    /// When to compare again, and how long after that if the daemon refuses again.
    due: Instant,
    patience: Duration,
    restarts: u64,
    refused: BTreeMap<HostRoute, String>,
    trouble: Option<String>,
}

impl<D: Daemon> Driven<D> {
    fn new(daemon: D, seen: watch::Sender<Observed>) -> Self {
        Self {
            daemon,
            seen,
            plan: None,
            due: Instant::now(),
            patience: RETRY_REFUSED_FIRST,
            restarts: 0,
            refused: BTreeMap::new(),
            trouble: None,
        }
    }

    async fn take(&mut self, plan: Arc<RoutingPlan>) {
        self.plan = Some(plan);
        self.patience = RETRY_REFUSED_FIRST;
        self.apply().await;
        self.observe().await;
    }

    async fn tick(&mut self) {
        if Instant::now() >= self.due {
            self.apply().await;
        }
        if self.observe().await {
            self.apply().await;
        }
    }

    async fn apply(&mut self) {
        let Some(plan) = self.plan.clone() else { return };
        let outcome = self.daemon.apply(&plan).await;
        let pause = match outcome {
            Ok(applied) => {
                if applied.changes > 0 {
                    tracing::info!(
                        changes = applied.changes,
                        refused = applied.refused.len(),
                        "routing plan applied"
                    );
                }
                self.refused = applied.refused;
                self.say(None);
                self.patience = RETRY_REFUSED_FIRST;
                COMPARE_EVERY
            }
            Err(error) => {
                // What the driver still knows to be refused, it says when it is asked.
                self.refused.clear();
                let pause = self.pause_after(&error);
                self.say(Some(error.to_string()));
                pause
            }
        };
        self.due = Instant::now() + pause;
    }

    fn pause_after(&mut self, error: &ApplyError) -> Duration {
        match error {
            // Asking a socket that is not there costs nothing, and the daemon is wanted back at once.
            ApplyError::NotAnswering(_) => OBSERVE_EVERY,
            ApplyError::Refused { .. } | ApplyError::ReadBack(_) => {
                let pause = self.patience;
                self.patience = (pause * 2).min(RETRY_REFUSED_LAST);
                pause
            }
        }
    }

    fn say(&mut self, trouble: Option<String>) {
        if self.trouble != trouble {
            match &trouble {
                Some(trouble) => tracing::warn!(trouble, "the routing plan is not in force"),
                None => tracing::info!("the routing plan is in force again"),
            }
        }
        self.trouble = trouble;
    }

    /// Publishes what the daemon does, and says whether it was found restarted.
    async fn observe(&mut self) -> bool {
        let mut observed = match self.daemon.observe().await {
            Ok(observed) => observed,
            Err(error) => {
                Observed { trouble: Some(error.to_string()), restarts: self.restarts, ..Observed::default() }
            }
        };
        let restarted = observed.restarts > self.restarts;
        self.restarts = observed.restarts;
        observed.refused.extend(self.refused.clone());
        observed.trouble = joined(self.trouble.clone(), observed.trouble);
        self.seen.send_if_modified(|last| {
            let changed = *last != observed;
            *last = observed;
            changed
        });
        if restarted {
            tracing::warn!(restarts = self.restarts, "a routing daemon was restarted and is set up again");
        }
        restarted
    }
}

fn joined(applying: Option<String>, observing: Option<String>) -> Option<String> {
    match (applying, observing) {
        (Some(applying), Some(observing)) if applying != observing => {
            Some(format!("{applying}; {observing}"))
        }
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests;

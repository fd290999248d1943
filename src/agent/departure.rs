//! The clock of leaving, around the pure steps of [`plan::leave`].

use crate::model::snapshot::Snapshot;
use crate::plan::leave::{self, Moment};
use crate::plan::{Leave, NodeFacts};
use std::time::{Duration, Instant};

/// Drivers that cannot let go by then (a daemon that does not answer) are not waited for: what is left
/// expires or is adopted by the next agent.
const LET_GO_LIMIT: Duration = Duration::from_secs(2);

/// Which step the node is in, and since when.
#[derive(Debug, Default)]
pub struct Departure {
    entered: Option<(Leave, Instant)>,
}

impl Departure {
    pub fn step(&self) -> Leave {
        self.entered.map_or(Leave::Staying, |(step, _)| step)
    }

    /// Starts leaving; `false` if it had started before.
    pub fn begin(&mut self, now: Instant) -> bool {
        if self.entered.is_some() {
            return false;
        }
        tracing::info!(step = ?Leave::Finishing, "leaving");
        self.entered = Some((Leave::Finishing, now));
        true
    }

    /// Takes the next step if it is time for it, and returns the one in force.
    pub fn advance(&mut self, snapshot: &Snapshot, facts: &NodeFacts, now: Instant) -> Leave {
        let Some((step, since)) = self.entered else { return Leave::Staying };
        let moment = Moment::new(now.duration_since(since), snapshot, facts);
        let next = leave::step(step, &moment);
        if next != step {
            tracing::info!(step = ?next, connections = moment.connections, in_flight = moment.in_flight, "leaving");
            self.entered = Some((next, now));
        }
        next
    }

    /// Whether nothing of ours is left on the node: no address, no rule, no peer in the daemon.
    pub fn is_over(&self, snapshot: &Snapshot, facts: &NodeFacts, now: Instant) -> bool {
        let Some((Leave::Released, since)) = self.entered else { return false };
        let peers = snapshot.speaker.iter().flat_map(|speaker| speaker.peers.keys());
        let gone = facts.held.addresses.is_empty()
            && facts.guarded.addresses.is_empty()
            && !peers.into_iter().any(|peer| facts.observed.peers.contains_key(peer));
        gone || now.duration_since(since) >= LET_GO_LIMIT
    }
}

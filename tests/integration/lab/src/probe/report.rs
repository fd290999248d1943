//! Arithmetic over the samples, pure.

use super::sample::Sample;
use crate::probe::Outcome;
use crate::topology::NodeId;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// All that a prober saw. Every number is a question to [`Self::samples`].
#[derive(Debug, Clone)]
pub struct Report {
    pub started: Instant,
    /// In the order of sending.
    pub samples: Vec<Sample>,
    /// Requests that were due while every kept connection was waiting for an answer, and were not sent; over
    /// the whole run, in a part of a report too.
    pub starved: usize,
}

/// From the sending of the first disturbed request to the sending of the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub first: Instant,
    pub last: Instant,
}

impl Window {
    pub fn length(self) -> Duration {
        self.last - self.first
    }
}

impl Report {
    pub fn sent(&self) -> usize {
        self.samples.len()
    }

    /// Answered without an error status, late ones included.
    pub fn answered(&self) -> usize {
        self.samples.iter().filter(|sample| !sample.failed()).count()
    }

    pub fn failures(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(|sample| sample.failed())
    }

    pub fn failed(&self) -> usize {
        self.failures().count()
    }

    pub fn late(&self) -> usize {
        self.samples.iter().filter(|sample| sample.late()).count()
    }

    /// How many there are of each [`Outcome::kind`].
    pub fn count(&self, kind: &str) -> usize {
        self.samples.iter().filter(|sample| sample.outcome.kind() == kind).count()
    }

    pub fn lost(&self) -> usize {
        self.count("lost")
    }

    pub fn reset(&self) -> usize {
        self.count("reset")
    }

    /// Failures of connections that this node had accepted.
    pub fn failures_of(&self, node: NodeId) -> Vec<&Sample> {
        self.failures().filter(|sample| sample.flow == Some(node)).collect()
    }

    /// Failures of connections that other nodes had accepted: after a change of next hops these are the
    /// flows that the re-hash moved.
    pub fn failures_elsewhere(&self, node: NodeId) -> Vec<&Sample> {
        self.failures().filter(|sample| sample.flow.is_some_and(|flow| flow != node)).collect()
    }

    /// Failures before anybody accepted a connection.
    pub fn failures_of_nobody(&self) -> Vec<&Sample> {
        self.failures().filter(|sample| sample.flow.is_none()).collect()
    }

    /// Good answers by the node that accepted the connection (for datagrams: that answered).
    pub fn per_node(&self) -> BTreeMap<NodeId, usize> {
        count(self.good().filter_map(Sample::node))
    }

    /// Good answers by the backend that gave them: `n1/a`.
    pub fn per_backend(&self) -> BTreeMap<String, usize> {
        count(self.good().filter_map(|sample| match &sample.outcome {
            Outcome::Answered { backend, .. } => backend.clone(),
            _ => None,
        }))
    }

    /// When requests were sent that failed or came late; `None` when all went well. A lost SYN is sent again
    /// after a second and then answered, so late requests show a hole as lost ones do.
    pub fn disturbance(&self) -> Option<Window> {
        let mut hurt = self.samples.iter().filter(|sample| sample.failed() || sample.late());
        let first = hurt.next()?;
        let last = hurt.next_back().unwrap_or(first);
        Some(Window { first: self.started + first.sent, last: self.started + last.sent })
    }

    /// The time within which this share (0.5, 0.99, 1.0) of the good answers came.
    pub fn latency(&self, share: f64) -> Option<Duration> {
        let mut times: Vec<_> = self.good().map(|sample| sample.took).collect();
        times.sort_unstable();
        let rank = (share * times.len() as f64).ceil() as usize;
        times.get(rank.clamp(1, times.len().max(1)) - 1).copied()
    }

    /// The requests that were sent from that moment on.
    #[must_use]
    pub fn since(&self, moment: Instant) -> Self {
        self.only(|sample| self.started + sample.sent >= moment)
    }

    /// The requests that were sent before that moment.
    #[must_use]
    pub fn before(&self, moment: Instant) -> Self {
        self.only(|sample| self.started + sample.sent < moment)
    }

    /// The requests that a condition holds for.
    #[must_use]
    pub fn only(&self, holds: impl Fn(&Sample) -> bool) -> Self {
        let samples = self.samples.iter().filter(|sample| holds(sample)).cloned().collect();
        Self { started: self.started, samples, starved: self.starved }
    }

    fn good(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(|sample| !sample.failed())
    }
}

fn count<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, usize> {
    keys.fold(BTreeMap::new(), |mut counts, key| {
        *counts.entry(key).or_default() += 1;
        counts
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sent {}, answered {}, late {}", self.sent(), self.answered(), self.late())?;
        for (kind, number) in count(self.failures().map(|sample| sample.outcome.kind())) {
            write!(f, ", {kind} {number}")?;
        }
        if self.starved > 0 {
            write!(f, ", not sent for want of an idle connection {}", self.starved)?;
        }
        if let Some(window) = self.disturbance() {
            let from = (window.first - self.started).as_millis();
            write!(f, "\ndisturbed for {} ms, from {from} ms on", window.length().as_millis())?;
        }
        if let [Some(half), Some(most), Some(all)] = [0.5, 0.99, 1.0].map(|share| self.latency(share)) {
            write!(f, "\nanswer times: half within {half:.1?}, 99 % {most:.1?}, all {all:.1?}")?;
        }
        let each = |f: &mut fmt::Formatter<'_>, title: &str, counts: Vec<(String, usize)>| {
            let all: Vec<_> = counts.into_iter().map(|(name, number)| format!("{name} {number}")).collect();
            if all.is_empty() { Ok(()) } else { write!(f, "\n{title}: {}", all.join(", ")) }
        };
        let nodes = self.per_node().into_iter().map(|(node, number)| (node.to_string(), number));
        each(f, "by node", nodes.collect())?;
        each(f, "by backend", self.per_backend().into_iter().collect())
    }
}

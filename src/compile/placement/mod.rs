//! Who may leave: the estate's answer to its nodes' wishes (spec §2.2, §2.5).
//!
//! A node that wishes to leave a VIP goes when enough others serve it, and one at a time. It is *granted* its
//! leave, or *held* with a reason that names who or what it waits for. Involuntary ends are not asked about
//! here: whoever is dead is withdrawn by the kernel and the daemon.
//!
//! [`decide`] is pure and level-triggered: from what is known now, and from what was granted before, it says
//! all of it anew. A controller that has just started knows too little to decide anything (`settled`): it
//! repeats what the agents tell it of earlier decisions, so that its restart moves nothing.
//!
//! | file | idea |
//! |---|---|
//! | [`wish`] | what a node wishes, and why |
//! | [`health`] | what an agent says of a VIP on its node |
//! | [`queue`] | the wishes of one VIP, one by one |

pub mod health;
pub mod queue;
#[cfg(test)]
mod tests;
pub mod wish;

use super::estate::{Departures, Estate};
use super::resources::Resources;
use crate::model::attendance::Attendance;
use crate::model::leaving::Cause;
use crate::model::name::Name;
use std::collections::BTreeMap;

/// What is decided upon.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub estate: &'a Estate,
    pub world: &'a Resources,
    pub attendance: &'a BTreeMap<Name, Attendance>,
    /// When each Node that is not ready was first seen so, in Unix seconds.
    pub not_ready: &'a BTreeMap<Name, u64>,
    pub before: &'a Departures,
    /// Agents have had the time to report since the controller's start.
    pub settled: bool,
}

/// An answer to every wish that can be answered.
pub fn decide(facts: &Facts) -> Departures {
    let wishing = wish::nodes(facts);
    let mut departures = Departures::new();
    if wishing.is_empty() && !facts.estate.has_lingerers() {
        return departures;
    }
    for (vip, draft) in facts.estate.vips() {
        let wishes = wish::of_vip(facts, &wishing, vip, draft);
        if wishes.is_empty() {
            continue;
        }
        for (node, leaving) in queue::answer(facts, vip, draft.terms.min_healthy_nodes, wishes) {
            departures.entry(node.clone()).or_default().insert(vip.clone(), leaving);
        }
    }
    departures
}

/// The most urgent first: a node that is about to vanish is let go before one that can wait.
pub(super) fn urgency(cause: Cause) -> u8 {
    match cause {
        Cause::OutOfService => 0,
        Cause::Terminating => 1,
        Cause::NotReady => 2,
        Cause::Drain | Cause::Annotation => 3,
        Cause::Cordon => 4,
        Cause::NotSelected => 5,
    }
}

//! What the controller knows of nodes beside what is written: which there are, and since when they are not
//! ready.

use crate::compile::placement::wish::is_ready;
use crate::compile::resources::Resources;
use crate::model::attendance::Attendance;
use crate::model::name::Name;
use std::collections::{BTreeMap, BTreeSet};

/// Nodes have a Node object, or an agent that has spoken.
pub fn nodes(world: &Resources, attendance: &BTreeMap<Name, Attendance>) -> BTreeSet<Name> {
    world.nodes.keys().chain(attendance.keys()).cloned().collect()
}

/// Whether every agent of a Node object has reported.
pub fn all_have_reported(world: &Resources, attendance: &BTreeMap<Name, Attendance>) -> bool {
    let reports = |node| attendance.get(node).is_some_and(|agent| agent.alive && agent.status.is_some());
    world.nodes.keys().all(reports) && attendance.keys().all(reports)
}

/// Since when each Node is not ready, in Unix seconds: of those in `before` since then, of others since `now`.
pub fn not_ready(world: &Resources, before: &BTreeMap<Name, u64>, now: u64) -> BTreeMap<Name, u64> {
    let failing = world.nodes.iter().filter(|(_, node)| !is_ready(node));
    failing.map(|(name, _)| (name.clone(), before.get(name).copied().unwrap_or(now))).collect()
}

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

/// Whether every agent of a Node object has reported. Without Node objects nobody knows how many there are.
pub fn all_have_reported(world: &Resources, attendance: &BTreeMap<Name, Attendance>) -> bool {
    let reports = |node| attendance.get(node).is_some_and(|agent| agent.alive && agent.status.is_some());
    !world.nodes.is_empty() && world.nodes.keys().all(reports) && attendance.keys().all(reports)
}

/// Since when each Node is not ready, in Unix seconds: of those in `before` since then, of others since `now`.
pub fn not_ready(world: &Resources, before: &BTreeMap<Name, u64>, now: u64) -> BTreeMap<Name, u64> {
    let failing = world.nodes.iter().filter(|(_, node)| !is_ready(node));
    failing.map(|(name, _)| (name.clone(), before.get(name).copied().unwrap_or(now))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::status::NodeStatus;
    use std::sync::Arc;

    fn reported(node: &Name) -> (Name, Attendance) {
        let status = NodeStatus::empty(node.clone());
        (node.clone(), Attendance { alive: true, status: Some(Arc::new(status)), ..Attendance::default() })
    }

    #[test]
    fn all_have_reported_when_each_node_has() {
        let nodes = ["n1", "n2"].map(|node| Name::parse(node).unwrap());
        let mut world = Resources::default();
        assert!(!all_have_reported(&world, &BTreeMap::new()), "who knows whether there are any");
        assert!(!all_have_reported(&world, &[reported(&nodes[0])].into()), "or how many");
        world.nodes = nodes.iter().map(|node| (node.clone(), Default::default())).collect();
        assert!(!all_have_reported(&world, &[reported(&nodes[0])].into()));
        assert!(all_have_reported(&world, &nodes.each_ref().map(reported).into()));
    }
}

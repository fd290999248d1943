//! What an agent says of a VIP on its node.

use super::Facts;
use super::wish::is_ready;
use crate::model::name::Name;
use crate::model::status::Phase;
use std::collections::BTreeMap;

/// The phase that a living agent reports.
pub fn phase(facts: &Facts, node: &Name, vip: &Name) -> Option<Phase> {
    let attendance = facts.attendance.get(node).filter(|attendance| attendance.alive)?;
    Some(attendance.status.as_ref()?.vips.get(vip)?.phase)
}

/// Whether the node serves the VIP, and could announce it.
pub fn can_serve(phase: Phase) -> bool {
    matches!(phase, Phase::Ready | Phase::Announced)
}

/// The nodes that are healthy for the VIP (spec §2.2), each with its phase.
pub fn healthy<'a>(facts: &Facts<'a>, vip: &Name) -> BTreeMap<&'a Name, Phase> {
    let ready = |node: &Name| facts.world.nodes.get(node).is_none_or(|node| is_ready(node));
    let all = facts.estate.nodes_of(vip).filter(|(node, is_candidate)| *is_candidate && ready(node));
    let reported = all.filter_map(|(node, _)| Some((node, phase(facts, node, vip)?)));
    reported.filter(|(_, phase)| can_serve(*phase)).collect()
}

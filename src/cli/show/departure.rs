//! `drain` and `undrain`: what becomes of the node's wish, VIP by VIP.

use crate::cli::table::Table;
use crate::model::status::{NodeStatus, Phase, VipStatus};

/// Each VIP with its phase and the answer to the wish.
pub fn departure(status: &NodeStatus) -> String {
    if status.vips.is_empty() {
        return format!("No VIPs on {}.\n", status.node);
    }
    let mut table = Table::new(["VIP", "PHASE", "ANSWER"]);
    for (name, vip) in &status.vips {
        table.row([name.to_string(), format!("{:?}", vip.phase), answer(status, vip)]);
    }
    table.to_string()
}

fn answer(status: &NodeStatus, vip: &VipStatus) -> String {
    match (word(vip), status.wish, status.term) {
        (Some(word), ..) => word.to_owned(),
        (None, None, _) => "stays".to_owned(),
        (None, Some(_), Some(term)) => format!("the controller of term {term} has not answered yet"),
        (None, Some(_), None) => "has not begun to leave yet".to_owned(),
    }
}

/// What was decided about the VIP, if anything was.
fn word(vip: &VipStatus) -> Option<&str> {
    let decided = vip.reasons.iter().find(|reason| matches!(reason.reason.as_str(), "Leaving" | "Held"));
    decided.map(|reason| reason.message.as_str())
}

fn is_leaving(vip: &VipStatus) -> bool {
    vip.reasons.iter().any(|reason| reason.reason == "Leaving")
}

/// Whether every VIP has been decided about.
pub fn is_answered(status: &NodeStatus) -> bool {
    status.vips.values().all(|vip| word(vip).is_some())
}

/// Whether every VIP may go.
pub fn is_leaving_all(status: &NodeStatus) -> bool {
    status.vips.values().all(is_leaving)
}

/// Whether every VIP has gone, and no address of ours is left.
pub fn has_left_all(status: &NodeStatus) -> bool {
    let withdrawn = |vip: &VipStatus| is_leaving(vip) && vip.phase == Phase::Withdrawn;
    status.vips.values().all(withdrawn) && status.held.is_empty()
}

//! `vip status`.

use super::span;
use crate::cli::table::Table;
use crate::model::name::Name;
use crate::model::status::{NodeStatus, Phase, VipStatus};

/// Every VIP of the node, its phase and since when; below, a sentence for each thing that keeps one from
/// being announced or flaws it.
pub fn vip_status(status: &NodeStatus, now: u64) -> String {
    if status.vips.is_empty() {
        return format!("No VIPs on {}.\n", status.node);
    }
    let mut table = Table::new(["NAME", "ADDRESSES", "PORTS", "MODE", "PHASE", ">SINCE", "REASON"]);
    for (name, vip) in &status.vips {
        table.row([
            name.to_string(),
            joined(vip.addresses.iter().map(|route| route.address())),
            joined(&vip.ports),
            vip.mode.clone(),
            format!("{:?}", vip.phase),
            span(now.saturating_sub(vip.since)),
            reasons(vip),
        ]);
    }
    let explained: String = status.vips.iter().map(explain).collect();
    format!("{table}{explained}")
}

fn joined<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(",")
}

/// The words of the reasons, each once.
fn reasons(vip: &VipStatus) -> String {
    let mut words: Vec<&str> = vip.reasons.iter().map(|reason| reason.reason.as_str()).collect();
    words.dedup();
    words.join(",")
}

fn explain((name, vip): (&Name, &VipStatus)) -> String {
    if vip.reasons.is_empty() {
        return String::new();
    }
    let sentences: String = vip.reasons.iter().map(|reason| format!("  {}\n", reason.message)).collect();
    format!("\n{name} {}:\n{sentences}", state(vip.phase))
}

fn state(phase: Phase) -> &'static str {
    match phase {
        Phase::Idle | Phase::Preparing => "is withheld",
        Phase::Ready => "is on its way",
        Phase::Announced => "is announced, but",
        Phase::Draining => "is draining",
        Phase::Withdrawn => "is withdrawn",
    }
}

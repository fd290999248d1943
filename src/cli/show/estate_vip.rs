//! `novaedgectl vip show`: one VIP, its conditions, and every node's part in it.

use super::span;
use crate::api::vip_status::{VipNode, VipPeer};
use crate::cli::table::Table;
use crate::compile::status::VipSummary;
use crate::model::name::Name;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::fmt::Write;

pub fn estate_vip(name: &Name, vip: &VipSummary, now: u64) -> String {
    let mut text = String::new();
    for (part, words) in overview(name, vip) {
        // A String takes whatever is written to it.
        let _ = writeln!(text, "{part:<12}{words}");
    }
    let mut conditions = Table::new(["CONDITION", "STATUS", ">SINCE", "REASON", "MESSAGE"]);
    for condition in &vip.status.conditions {
        conditions.row([
            condition.type_.clone(),
            condition.status.clone(),
            age(Some(&condition.last_transition_time), now),
            condition.reason.clone(),
            condition.message.clone(),
        ]);
    }
    let _ = write!(text, "\n{conditions}");
    if !vip.status.nodes.is_empty() {
        let _ = write!(text, "\n{}", nodes(&vip.status.nodes, now));
    }
    text
}

fn overview(name: &Name, vip: &VipSummary) -> Vec<(&'static str, String)> {
    let status = &vip.status;
    let pool = vip.pool.as_ref().map(|pool| format!(" from pool {pool}")).unwrap_or_default();
    let or_none = |words: String| if words.is_empty() { "none".to_owned() } else { words };
    let mut lines = vec![
        ("VIP", name.to_string()),
        ("Addresses", format!("{}{pool}", or_none(status.addresses.join(", ")))),
        ("Mode", vip.mode.clone()),
        ("Announcing", or_none(status.announcing_nodes.join(", "))),
        (
            "Healthy",
            format!(
                "{}, minHealthyNodes {}",
                status.healthy.as_deref().unwrap_or("0/0"),
                vip.min_healthy_nodes
            ),
        ),
    ];
    lines.extend(status.bfd_session_state.clone().map(|state| ("BFD", state)));
    lines
}

fn nodes(nodes: &[VipNode], now: u64) -> String {
    let mut table = Table::new(["NODE", "STATE", ">SINCE", "DAEMON", "PEERS", "REASON", "MESSAGE"]);
    for node in nodes {
        let VipNode { name, state, reason, message, daemon, peers, since } = node;
        table.row([
            name.clone(),
            state.clone(),
            age(since.as_ref(), now),
            daemon.clone().unwrap_or_default(),
            peers.iter().map(peer).collect::<Vec<_>>().join(", "),
            reason.clone().unwrap_or_default(),
            message.clone().unwrap_or_default(),
        ]);
    }
    table.to_string()
}

/// `10.0.0.254 Established (BFD Up)`.
fn peer(peer: &VipPeer) -> String {
    let bfd = peer.bfd_state.as_ref().map(|state| format!(" (BFD {state})")).unwrap_or_default();
    format!("{} {}{bfd}", peer.address, peer.state)
}

fn age(since: Option<&Time>, now: u64) -> String {
    let seconds = since.and_then(|since| u64::try_from(since.0.as_second()).ok());
    seconds.map(|since| span(now.saturating_sub(since))).unwrap_or_default()
}

//! `novaedgectl status`: the whole estate at a glance, and what is wrong.

use super::node::rejection;
use super::span;
use crate::cli::table::Table;
use crate::compile::status::{Count, EstateStatus, NodeSummary, VipSummary};
use std::fmt::Write;

/// More names than these are told as a number.
const FEW: usize = 3;

/// A line for each part of the estate, its nodes, its VIPs, then the problems, then what is used otherwise
/// than it was written.
pub fn estate(estate: &EstateStatus, now: u64) -> String {
    let mut text = String::new();
    for (part, words) in overview(estate) {
        // A String takes whatever is written to it.
        let _ = writeln!(text, "{part:<12}{words}");
    }
    if !estate.nodes.is_empty() {
        let _ = write!(text, "\n{}", nodes(estate, now));
    }
    if !estate.vips.is_empty() {
        let _ = write!(text, "\n{}", vips(estate));
    }
    let notices = estate.rejected.iter().filter(|rejected| rejected.notice).map(rejection).collect();
    for (heading, sentences) in [("Problems", estate_problems(estate)), ("Notices", notices)] {
        if !sentences.is_empty() {
            let _ = writeln!(text, "\n{heading}\n  {}", sentences.join("\n  "));
        }
    }
    text
}

fn overview(estate: &EstateStatus) -> Vec<(&'static str, String)> {
    let leads = match estate.term {
        Some(term) => format!("leads in term {term}"),
        None => "does not lead".to_owned(),
    };
    let of = |count: Count| format!("{} of {}", count.good, count.all);
    let alive = Count::of(estate.nodes.values(), |node| node.alive);
    let ready = Count::of(estate.vips.values(), |vip| is(vip, "Ready", "True"));
    let degraded = estate.vips.values().filter(|vip| is(vip, "Degraded", "True")).count();
    let mut lines = vec![
        ("Controller", leads),
        ("Agents", format!("{} connected", of(alive))),
        ("VIPs", format!("{} ready, {degraded} degraded", of(ready))),
    ];
    for (name, pool) in &estate.pools {
        lines.push(("Pool", format!("{name}: {} of {} addresses given out", pool.allocated, pool.total)));
    }
    lines
}

fn nodes(estate: &EstateStatus, now: u64) -> String {
    let mut table = Table::new([
        "NODE",
        "AGENT",
        ">SINCE",
        "VERSION",
        ">SNAPSHOT",
        "DAEMON",
        ">VIPS",
        ">PEERS",
        ">BFD",
        ">ENDPOINTS",
        "WISH",
    ]);
    for (name, node) in &estate.nodes {
        table.row([
            name.to_string(),
            agent(node).to_owned(),
            node.since.map(|since| span(now.saturating_sub(since))).unwrap_or_default(),
            node.version.clone().unwrap_or_default(),
            node.generation.map(|generation| generation.to_string()).unwrap_or_default(),
            node.daemon.clone().unwrap_or_default(),
            counted(node, node.vips),
            counted(node, node.peers),
            counted(node, node.bfd),
            counted(node, node.endpoints),
            node.wish.map(|cause| format!("{cause:?}")).unwrap_or_default(),
        ]);
    }
    table.to_string()
}

fn agent(node: &NodeSummary) -> &'static str {
    match (node.alive, node.since) {
        (true, _) => "connected",
        (false, Some(_)) => "silent",
        (false, None) => "never seen",
    }
}

/// Nothing is counted where no agent has spoken.
fn counted(node: &NodeSummary, count: Count) -> String {
    node.version.as_ref().map(|_| count.to_string()).unwrap_or_default()
}

fn vips(estate: &EstateStatus) -> String {
    let mut table = Table::new(["VIP", "ADDRESS", "MODE", "ANNOUNCING", "HEALTHY", "BFD", "READY"]);
    for (name, vip) in &estate.vips {
        let status = &vip.status;
        table.row([
            name.to_string(),
            status.addresses.join(","),
            vip.mode.clone(),
            few(&status.announcing_nodes),
            status.healthy.clone().unwrap_or_default(),
            status.bfd_session_state.clone().unwrap_or_default(),
            condition(vip, "Ready").map(|ready| ready.status.clone()).unwrap_or_default(),
        ]);
    }
    table.to_string()
}

/// `n1,n2,n3+4`.
fn few(names: &[String]) -> String {
    let more = names.len().saturating_sub(FEW);
    let more = if more > 0 { format!("+{more}") } else { String::new() };
    format!("{}{more}", names[..names.len().min(FEW)].join(","))
}

type Condition = k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

pub fn condition<'a>(vip: &'a VipSummary, kind: &str) -> Option<&'a Condition> {
    vip.status.conditions.iter().find(|condition| condition.type_ == kind)
}

/// Whether the VIP's condition has that status.
pub fn is(vip: &VipSummary, kind: &str, status: &str) -> bool {
    condition(vip, kind).is_some_and(|condition| condition.status == status)
}

/// Everything that is not as it should be, a sentence each; empty when all is well.
pub fn estate_problems(estate: &EstateStatus) -> Vec<String> {
    let refused = estate.rejected.iter().filter(|rejected| !rejected.notice);
    let mut problems: Vec<String> = refused.map(rejection).collect();
    for (name, node) in &estate.nodes {
        problems.extend(node.troubles.iter().map(|trouble| format!("Node {name}: {trouble}")));
    }
    for (name, vip) in &estate.vips {
        // What is refused is told above, in more words.
        let wrong = match () {
            () if is(vip, "Accepted", "False") && vip.status.addresses.is_empty() => None,
            () if !is(vip, "Ready", "True") => condition(vip, "Ready"),
            () if is(vip, "Degraded", "True") => condition(vip, "Degraded"),
            () => None,
        };
        problems.extend(wrong.map(|condition| format!("VIP {name}: {}", condition.message)));
    }
    problems
}

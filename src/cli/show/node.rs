//! `status`: the whole node at a glance, and what is wrong.

use super::{of, span};
use crate::model::adjacency::NeighborState;
use crate::model::name::Name;
use crate::model::net::HostRoute;
use crate::model::observed::{BfdState, PeerState};
use crate::model::status::{NodeStatus, Phase, Rejected, VipStatus};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// A line for each part of the node, then the problems, then what is used otherwise than it was written.
pub fn status(status: &NodeStatus, now: u64) -> String {
    let mut text = String::new();
    for (part, words) in overview(status, now) {
        // A String takes whatever is written to it.
        let _ = writeln!(text, "{part:<12}{words}");
    }
    let notices = status.rejected.iter().filter(|rejected| rejected.notice).map(rejection).collect();
    for (heading, sentences) in [("Problems", problems(status)), ("Notices", notices)] {
        if !sentences.is_empty() {
            let _ = writeln!(text, "\n{heading}\n  {}", sentences.join("\n  "));
        }
    }
    text
}

fn overview(status: &NodeStatus, now: u64) -> Vec<(&'static str, String)> {
    let NodeStatus {
        node,
        version,
        generation,
        term,
        started,
        wish,
        held,
        vips,
        routing,
        served,
        rejected: _,
    } = status;
    let term = term.map(|term| format!(" of term {term}")).unwrap_or_default();
    let announced = vips.values().filter(|vip| vip.phase == Phase::Announced).count();
    let peers_up = routing.peers.values().filter(|peer| peer.state == PeerState::Established).count();
    let bfd_up = routing.bfd.values().filter(|session| session.state == BfdState::Up).count();
    let endpoints = served.backends.values().map(|backend| backend.endpoints.len()).sum();
    let healthy = served.backends.values().map(|backend| backend.healthy()).sum();
    let daemon = routing.daemon.as_ref().map(|daemon| format!("{} {}", daemon.name, daemon.version));
    let mut lines = vec![
        ("Node", format!("{node}, novaedge {version}, up {}", span(now.saturating_sub(*started)))),
        ("Snapshot", format!("generation {generation}{term}")),
        ("Daemon", daemon.unwrap_or_else(|| "does not answer".to_owned())),
        ("Peers", format!("{} up", of(peers_up, routing.peers.len()))),
        ("BFD", format!("{} up", of(bfd_up, routing.bfd.len()))),
        ("VIPs", format!("{} announced", of(announced, vips.len()))),
        ("Backends", format!("{} endpoints healthy", of(healthy, endpoints))),
        ("Traffic", format!("{} connections, {} requests in flight", served.connections, served.in_flight)),
    ];
    if !routing.neighbors.is_empty() {
        let full = routing.neighbors.values().filter(|seen| seen.state == NeighborState::Full).count();
        lines.insert(4, ("OSPF", format!("{} neighbours Full", of(full, routing.neighbors.len()))));
    }
    let leftover = of_no_vip(held, vips);
    if !leftover.is_empty() {
        lines.push(("Leaving", format!("{}, of no VIP any more", leftover.join(", "))));
    }
    if let Some(cause) = wish {
        lines.push(("Wish", format!("to leave: {cause}")));
    }
    lines
}

/// Addresses of deleted VIPs, and earlier ones of edited VIPs, that have not left yet.
fn of_no_vip(held: &BTreeSet<HostRoute>, vips: &BTreeMap<Name, VipStatus>) -> Vec<String> {
    let current: BTreeSet<&HostRoute> = vips.values().flat_map(|vip| &vip.addresses).collect();
    held.iter().filter(|route| !current.contains(route)).map(HostRoute::to_string).collect()
}

/// Everything that is not as it should be, a sentence each; empty when all is well.
pub fn problems(status: &NodeStatus) -> Vec<String> {
    let refused = status.rejected.iter().filter(|rejected| !rejected.notice);
    let mut problems: Vec<String> = refused.map(rejection).collect();
    for (name, vip) in &status.vips {
        problems.extend(vip.reasons.iter().map(|reason| format!("VIP {name}: {}", reason.message)));
    }
    problems.extend(status.routing.trouble.iter().map(|error| format!("Routing daemon: {error}")));
    for (peer, session) in status.routing.bfd.iter().filter(|(_, session)| session.state != BfdState::Up) {
        let why = session.diagnostic.as_ref().map(|words| format!(": {words}")).unwrap_or_default();
        problems.push(format!("BFD session to {peer} is {}{why}", session.state));
    }
    for (key, backend) in status.served.backends.iter().filter(|(_, backend)| backend.healthy() == 0) {
        problems.push(format!("Backend {key} has no healthy endpoint ({} known)", backend.endpoints.len()));
    }
    problems
}

/// `web.yaml:3: ProxyVIP web, spec.address: 10.0.0.0/24 is a network …`.
pub(super) fn rejection(rejected: &Rejected) -> String {
    let Rejected { object, field, reason: _, message, place, notice: _ } = rejected;
    let place = place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    let field = if field.is_empty() { String::new() } else { format!(", {field}") };
    format!("{place}{object}{field}: {message}")
}

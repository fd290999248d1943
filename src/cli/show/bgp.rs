//! `bgp status`.

use super::span;
use crate::cli::table::Table;
use crate::model::observed::{Observed, PeerState};
use crate::model::status::NodeStatus;

/// The daemon, and its sessions in the order and by the names of FRR's `show bgp summary`.
pub fn bgp_status(status: &NodeStatus) -> String {
    let routing = &status.routing;
    let mut text = daemon(routing) + "\n";
    if routing.peers.is_empty() {
        return text + "No peers are configured.\n";
    }
    let mut table = Table::new([
        "NEIGHBOR",
        ">AS",
        ">LOCAL-AS",
        ">UP/DOWN",
        "STATE",
        ">PFXRCD",
        ">PFXSNT",
        ">FLAPS",
        "BFD",
        "LAST-ERROR",
    ]);
    for (address, peer) in &routing.peers {
        let up = peer.state == PeerState::Established;
        table.row([
            address.to_string(),
            peer.asn.to_string(),
            peer.local_asn.to_string(),
            if up { span(peer.uptime_seconds) } else { String::new() },
            peer.state.to_string(),
            peer.prefixes_received.to_string(),
            peer.prefixes_sent.to_string(),
            peer.flaps.to_string(),
            routing.bfd.get(address).map(|session| session.state.to_string()).unwrap_or_default(),
            peer.last_error.clone().unwrap_or_default(),
        ]);
    }
    text += &table.to_string();
    for (route, words) in &routing.refused {
        text += &format!("\n{route} was refused by the daemon: {words}\n");
    }
    text
}

/// `frr 8.4.4, 2 routes announced, set up again after 1 restart`.
pub(super) fn daemon(routing: &Observed) -> String {
    let Some(version) = &routing.daemon else {
        let why = routing.trouble.as_deref().unwrap_or("the routing daemon does not answer");
        return format!("{why}\n");
    };
    let restarts = match routing.restarts {
        0 => String::new(),
        1 => ", set up again after 1 restart".to_owned(),
        n => format!(", set up again after {n} restarts"),
    };
    let trouble = routing.trouble.as_ref().map(|error| format!("{error}\n")).unwrap_or_default();
    let (name, version, count) = (&version.name, &version.version, routing.announced.len());
    let routes = if count == 1 { "route" } else { "routes" };
    format!("{name} {version}, {count} {routes} announced{restarts}\n{trouble}")
}

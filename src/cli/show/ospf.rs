//! `ospf status`.

use super::bgp::daemon;
use super::span;
use crate::cli::table::Table;
use crate::model::adjacency::{Neighbor, NeighborState};
use crate::model::status::NodeStatus;

/// The daemon, and its neighbours by the names of FRR's `show ip ospf neighbor`, of both versions.
pub fn ospf_status(status: &NodeStatus) -> String {
    let routing = &status.routing;
    let mut text = daemon(routing) + "\n";
    if routing.neighbors.is_empty() {
        text += "There are no neighbours.\n";
    } else {
        let mut table = Table::new([
            "OSPF",
            "NEIGHBOR-ID",
            ">PRI",
            "STATE",
            ">UP-TIME",
            ">DEAD-TIME",
            "ADDRESS",
            "INTERFACE",
            "BFD",
        ]);
        for (id, seen) in &routing.neighbors {
            let session = seen.address.and_then(|address| routing.bfd.get(&address));
            table.row([
                id.version.to_string(),
                id.router_id.to_string(),
                seen.priority.to_string(),
                state(seen),
                span(seen.uptime_seconds),
                span(seen.dead_time_seconds),
                seen.address.map(|address| address.to_string()).unwrap_or_default(),
                id.interface.to_string(),
                session.map(|session| session.state.to_string()).unwrap_or_default(),
            ]);
        }
        text += &table.to_string();
    }
    for (route, words) in &routing.refused {
        text += &format!("\n{route} was refused by the daemon: {words}\n");
    }
    text
}

/// `Full/DR`
fn state(seen: &Neighbor) -> String {
    match seen.role {
        Some(role) => format!("{}/{role}", seen.state),
        None => seen.state.to_string(),
    }
}

/// Whether each neighbour is where it is to stay: routers that are both not designated stay in 2-Way.
pub fn neighbors_are_well(status: &NodeStatus) -> bool {
    let well = |seen: &Neighbor| matches!(seen.state, NeighborState::Full | NeighborState::TwoWay);
    status.routing.neighbors.values().all(well)
}

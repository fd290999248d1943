//! Who hears what this node announces: BGP's peers, OSPF's neighbours.

use super::announce::RoutingPlan;
use super::facts::NodeFacts;
use crate::model::adjacency::{Neighbor, NeighborId, NeighborState};
use crate::model::bgp::Audience;
use crate::model::observed::PeerState;
use crate::model::ospf::Version;
use crate::model::status::Reason;
use crate::model::vip::{Reach, Vip};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Whether somebody does: a peer is up; a neighbour is Full, for each of the VIP's families.
pub fn hear(vip: &Vip, facts: &NodeFacts) -> bool {
    match &vip.reach {
        Reach::Bgp(route) => any_up(&route.audience, facts),
        Reach::Ospf(_) => versions(vip).into_iter().all(|version| any_full(version, facts)),
    }
}

/// Who does not.
pub fn missing(vip: &Vip, facts: &NodeFacts, routing: &RoutingPlan) -> Vec<Reason> {
    match &vip.reach {
        Reach::Bgp(route) => peers_down(&route.audience, facts),
        Reach::Ospf(_) if routing.ospf.as_ref().is_some_and(|ospf| ospf.interfaces.is_empty()) => {
            vec![Reason::NoInterface]
        }
        Reach::Ospf(_) => versions(vip).into_iter().flat_map(|version| not_full(version, facts)).collect(),
    }
}

fn is_up(peer: IpAddr, facts: &NodeFacts) -> bool {
    facts.observed.peers.get(&peer).is_some_and(|seen| seen.state == PeerState::Established)
}

fn any_up(audience: &Audience, facts: &NodeFacts) -> bool {
    match audience {
        Audience::Peers(peers) => peers.iter().any(|peer| is_up(*peer, facts)),
        Audience::Operators => facts.observed.peers.keys().any(|peer| is_up(*peer, facts)),
    }
}

fn peers_down(audience: &Audience, facts: &NodeFacts) -> Vec<Reason> {
    let error = |peer: &IpAddr| facts.observed.peers.get(peer).and_then(|seen| seen.last_error.clone());
    // Which of the operator's sessions should be up, the operator knows.
    let named = match audience {
        Audience::Peers(peers) => peers.iter(),
        Audience::Operators => Default::default(),
    };
    let down = named.filter(|peer| !is_up(**peer, facts));
    let each = down.map(|peer| Reason::PeerDown { peer: *peer, error: error(peer) });
    let none = (!any_up(audience, facts)).then_some(Reason::NoPeerUp);
    none.into_iter().chain(each).collect()
}

fn versions(vip: &Vip) -> BTreeSet<Version> {
    vip.addresses.iter().map(|route| Version::of(route.family())).collect()
}

fn neighbors(version: Version, facts: &NodeFacts) -> impl Iterator<Item = (&NeighborId, &Neighbor)> {
    facts.observed.neighbors.iter().filter(move |(id, _)| id.version == version)
}

fn any_full(version: Version, facts: &NodeFacts) -> bool {
    neighbors(version, facts).any(|(_, neighbor)| neighbor.state == NeighborState::Full)
}

/// Routers of a segment that are both not designated stay in 2-Way, as nodes do among themselves.
fn not_full(version: Version, facts: &NodeFacts) -> Vec<Reason> {
    let none = (!any_full(version, facts)).then_some(Reason::NoNeighborFull { version });
    let stuck = neighbors(version, facts)
        .filter(|(_, neighbor)| !matches!(neighbor.state, NeighborState::Full | NeighborState::TwoWay))
        .map(|(id, neighbor)| Reason::NeighborNotFull { neighbor: id.clone(), state: neighbor.state });
    none.into_iter().chain(stuck).collect()
}

//! `show ospf neighbors` → who is there, and which of them BFD is to watch. Pure.

use super::protocols::Link;
use crate::model::adjacency::{Neighbor, NeighborId, NeighborState, Role};
use crate::model::bfd::BfdProfile;
use crate::model::net::InterfaceName;
use crate::model::ospf::Version;
use crate::routing::bfdd::Session;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// A neighbour that is gone is watched for so long: it may only be starting again.
const REMEMBERED: Duration = Duration::from_secs(60);

/// The neighbours of one protocol, as the lines below its heading say:
/// `10.0.0.254 1 Full/DR 3.512 eth0 10.0.0.254`.
pub fn neighbors<'a>(
    version: Version,
    lines: impl IntoIterator<Item = &'a str>,
) -> Vec<(NeighborId, Neighbor)> {
    lines.into_iter().filter_map(|line| neighbor(version, line)).collect()
}

fn neighbor(version: Version, line: &str) -> Option<(NeighborId, Neighbor)> {
    let mut words = line.split_whitespace();
    let router_id = words.next()?.parse().ok()?;
    let priority = words.next()?.parse().ok()?;
    let (state, role) = words.next()?.split_once('/')?;
    let silence: f64 = words.next()?.parse().ok()?;
    let interface = InterfaceName::parse(words.next()?).ok()?;
    let state = match state {
        "Attempt" => NeighborState::Attempt,
        "Init" => NeighborState::Init,
        "2-Way" => NeighborState::TwoWay,
        "ExStart" => NeighborState::ExStart,
        "Exchange" => NeighborState::Exchange,
        "Loading" => NeighborState::Loading,
        "Full" => NeighborState::Full,
        _ => NeighborState::Down,
    };
    let role = match role {
        "DR" => Some(Role::Designated),
        "BDR" => Some(Role::Backup),
        "Other" => Some(Role::Other),
        _ => None,
    };
    let seen = Neighbor {
        address: words.next().and_then(|address| address.parse().ok()),
        state,
        role,
        priority,
        uptime_seconds: 0,
        dead_time_seconds: silence as u64,
    };
    Some((NeighborId { version, interface, router_id }, seen))
}

/// What BIRD does not tell: since when a neighbour is in its state, and who was there a moment ago.
#[derive(Debug, Default)]
pub struct Known {
    since: BTreeMap<NeighborId, (NeighborState, Instant)>,
    watched: BTreeMap<IpAddr, (Session, Instant)>,
}

impl Known {
    pub fn note(&mut self, found: Vec<(NeighborId, Neighbor)>) -> BTreeMap<NeighborId, Neighbor> {
        let now = Instant::now();
        let mut since = BTreeMap::new();
        let mut neighbors = BTreeMap::new();
        for (id, mut neighbor) in found {
            let before = self.since.get(&id).filter(|(state, _)| *state == neighbor.state);
            let begun = before.map_or(now, |(_, begun)| *begun);
            neighbor.uptime_seconds = begun.elapsed().as_secs();
            since.insert(id.clone(), (neighbor.state, begun));
            neighbors.insert(id, neighbor);
        }
        self.since = since;
        neighbors
    }

    /// The BFD sessions with them.
    pub fn watched(
        &mut self,
        neighbors: &BTreeMap<NeighborId, Neighbor>,
        profile: Option<BfdProfile>,
        links: &[Link],
    ) -> BTreeMap<IpAddr, Session> {
        let Some(profile) = profile else {
            self.watched.clear();
            return BTreeMap::new();
        };
        self.watched.retain(|_, (session, seen)| session.profile == profile && seen.elapsed() < REMEMBERED);
        for (id, neighbor) in neighbors.iter().filter(|(_, one)| one.state >= NeighborState::TwoWay) {
            let Some(address) = neighbor.address else { continue };
            let local = links.iter().find(|link| link.has(address) && address.is_ipv4()).map(Link::own);
            // A link-local address says nothing without its link.
            let interface = Some(id.interface.clone());
            self.watched.insert(address, (Session { profile, local, interface, hops: 1 }, Instant::now()));
        }
        self.watched.iter().map(|(address, (session, _))| (*address, session.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_read_and_headings_are_not() {
        let text = "novaedge_ospf_v2:\nRouter ID   \tPri\t     State     \tDTime\tInterface  Router IP\n\
                    10.0.0.254  \t  1\tFull/DR        \t3.512\teth0       10.0.0.254\n\
                    10.0.0.253  \t  0\t2-Way/Other    \t0.900\teth0       fe80::1\n";
        let found = neighbors(Version::V2, text.lines());
        assert_eq!(found.len(), 2);
        let (id, first) = &found[0];
        assert_eq!(id.to_string(), "v2/eth0/10.0.0.254");
        assert_eq!(
            (first.state, first.role, first.priority),
            (NeighborState::Full, Some(Role::Designated), 1)
        );
        assert_eq!((first.dead_time_seconds, first.address), (3, "10.0.0.254".parse().ok()));
        assert_eq!((found[1].1.state, found[1].1.role), (NeighborState::TwoWay, Some(Role::Other)));
    }
}

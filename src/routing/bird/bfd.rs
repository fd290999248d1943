//! Peers that are watched by BFD: which of BIRD's sessions are ours, and what is said to BIRD about them.

use super::protocols::{Link, Protocol};
use super::view::symbol;
use crate::routing::bfdd::{Neighbor, Verdict};
use std::net::IpAddr;

/// The sessions that are ours.
pub fn neighbors(seen: &[Protocol]) -> Vec<Neighbor> {
    let ours = seen.iter().filter(|protocol| protocol.is_ours());
    let neighbor = |protocol: &Protocol| {
        Some(Neighbor { address: protocol.bgp.as_ref()?.neighbor?, is_shut: protocol.is_down })
    };
    ours.filter_map(neighbor).collect()
}

/// The node's address towards a peer. Of one that is far, BIRD tells it while the session is up.
pub fn own(peer: IpAddr, seen: &[Protocol], links: &[Link]) -> Option<IpAddr> {
    let near = links.iter().find(|link| link.has(peer)).map(Link::own);
    let mut sessions = seen.iter().filter_map(|protocol| protocol.bgp.as_ref());
    near.or_else(|| sessions.find(|bgp| bgp.neighbor == Some(peer) && bgp.source.is_some())?.source)
}

pub fn command(verdict: Verdict) -> String {
    match verdict {
        Verdict::Shut(peer) => format!("disable novaedge_{}", symbol(peer)),
        Verdict::LetGoOn(peer) => format!("enable novaedge_{}", symbol(peer)),
    }
}

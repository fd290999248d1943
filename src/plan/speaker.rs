//! The node's one BGP speaker.

use super::facts::NodeFacts;
use super::leave::Leave;
use super::whole::Whole;
use crate::model::bgp::{Asn, GracefulRestart, Peer};
use crate::model::observed::OwnAddress;
use crate::model::vip::Reach;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeakerPlan {
    pub asn: Asn,
    pub router_id: Ipv4Addr,
    pub graceful_restart: Option<GracefulRestart>,
    pub peers: BTreeMap<IpAddr, Peer>,
    /// By peer, for daemons that do not find them themselves.
    pub facing: BTreeMap<IpAddr, Facing>,
}

/// The node's own addresses on the link to a peer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facing {
    /// Of the session's family: where the session comes from unless it has a source of its own.
    pub same: Option<IpAddr>,
    /// Of the other one: the next hop of such routes over the session (RFC 4760 §3).
    pub other: Option<IpAddr>,
}

/// The sessions outlive the announcements: they carry the withdrawals. A node without any address left has no
/// speaker.
///
/// Graceful restart ends before the *node* leaves, so that no router keeps routes of a node that went on
/// purpose (spec §2.4). It only matters when sessions end: while another VIP stays, they do not, and an
/// explicit withdrawal counts whatever was negotiated (RFC 4724 §4.2).
pub(super) fn plan(whole: &Whole<'_>, facts: &NodeFacts) -> Option<SpeakerPlan> {
    let any = |which: fn(Leave) -> bool| whole.any(facts, |reach| matches!(reach, Reach::Bgp(_)), which);
    let speaker = whole.speaker.as_ref().filter(|_| any(|step| step < Leave::Released))?;
    let facing = speaker.peers.values().map(|peer| {
        let towards = [Some(peer.address), peer.source, Some(facts.router_id.into())];
        (peer.address, facing(peer.address, towards, &facts.held.own))
    });
    Some(SpeakerPlan {
        asn: speaker.asn,
        facing: facing.collect(),
        router_id: speaker.router_id.unwrap_or(facts.router_id),
        graceful_restart: speaker.graceful_restart.filter(|_| any(|step| step == Leave::Staying)),
        peers: speaker.peers.clone(),
    })
}

/// The node's addresses on the interface whose network has the first of `towards`.
fn facing(peer: IpAddr, towards: [Option<IpAddr>; 3], own: &BTreeSet<OwnAddress>) -> Facing {
    let has = |own: &OwnAddress, address| {
        ipnet::IpNet::new(own.address, own.prefix_len).is_ok_and(|net| net.contains(&address))
    };
    let near = |address| own.iter().find(|own| has(own, address));
    let Some(found) = towards.into_iter().flatten().find_map(near) else { return Facing::default() };
    let of_family = |is_same: bool| {
        let fits = |one: &OwnAddress| (one.address.is_ipv4() == peer.is_ipv4()) == is_same;
        let on_link = |one: &&OwnAddress| one.interface == found.interface && fits(one);
        Some(found).into_iter().chain(own).find(on_link).map(|one| one.address)
    };
    Facing { same: of_family(true), other: of_family(false) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(list: &[(u32, &str)]) -> BTreeSet<OwnAddress> {
        let one = |(interface, text): &(u32, &str)| {
            let net: ipnet::IpNet = text.parse().unwrap();
            OwnAddress { interface: *interface, address: net.addr(), prefix_len: net.prefix_len() }
        };
        list.iter().map(one).collect()
    }

    #[test]
    fn what_faces_a_peer_is_on_its_link() {
        let own = own(&[
            (2, "10.0.0.1/24"),
            (2, "fd00::1/64"),
            (3, "10.9.0.1/24"),
            (3, "fd09::1/64"),
            (4, "192.0.2.1/24"),
        ]);
        let ip = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        for (peer, source, same, other) in [
            ("10.0.0.254", None, ip("10.0.0.1"), ip("fd00::1")),
            ("10.9.0.254", None, ip("10.9.0.1"), ip("fd09::1")),
            ("fd09::254", None, ip("fd09::1"), ip("10.9.0.1")),
            // No address of that family there.
            ("192.0.2.254", None, ip("192.0.2.1"), None),
            // Far away: by the session's source, else by the node's own identity.
            ("198.51.100.1", ip("10.9.0.1"), ip("10.9.0.1"), ip("fd09::1")),
            ("198.51.100.1", None, ip("10.0.0.1"), ip("fd00::1")),
        ] {
            let peer = peer.parse().unwrap();
            let found = facing(peer, [Some(peer), source, ip("10.0.0.1")], &own);
            assert_eq!(found, Facing { same, other }, "{peer}");
        }
        let nowhere = facing("10.7.0.1".parse().unwrap(), [None, None, ip("10.8.0.1")], &own);
        assert_eq!(nowhere, Facing::default());
    }
}

//! A node's part in a VIP as the API shows it.

use super::share::{Share, Voice};
use super::verdict::time;
use super::words::sentence;
use crate::api::ProxyVIP;
use crate::api::bgp::BgpConfig;
use crate::api::vip_status::{VipNode, VipPeer};
use crate::compile::resources::Resources;
use crate::model::attendance::Attendance;
use crate::model::name::Name;
use crate::model::observed::{BfdState, Observed, PeerObserved};
use crate::model::status::Phase;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// More nodes than these are not listed one by one: a status is a part of an API object, and there are as many
/// as VIPs.
pub const LISTED: usize = 64;

/// Of few candidates all; of many only those that have something to tell, and of these the first.
pub fn listed<'s, 'a>(shares: &'s [Share<'a>]) -> impl Iterator<Item = &'s Share<'a>> {
    let all = shares.len() <= LISTED;
    shares.iter().filter(move |share| all || share.has_news()).take(LISTED)
}

/// The peers that a VIP names; `None`: those of the operator's daemon, whichever they are.
pub type Peers = Option<BTreeSet<IpAddr>>;

/// The VIP's own, or its template's.
pub fn peers(vip: &ProxyVIP, world: &Resources) -> Peers {
    let template = || {
        let name = Name::parse(vip.spec.template_ref.as_ref()?.name.clone()).ok()?;
        world.templates.get(&name)?.spec.bgp_config.as_ref()
    };
    let config: &BgpConfig = vip.spec.bgp_config.as_ref().or_else(template)?;
    let named: BTreeSet<IpAddr> = config.peers.iter().filter_map(|peer| peer.address.parse().ok()).collect();
    (!named.is_empty()).then_some(named)
}

pub fn node(share: &Share<'_>, attendance: Option<&Attendance>, peers: &Peers) -> VipNode {
    let why = share.why();
    let routing = share.report.map(|report| &report.routing);
    let believed = routing.filter(|_| share.voice == Voice::Speaking);
    let daemon = believed.and_then(|routing| routing.daemon.as_ref());
    let since = match share.voice {
        Voice::Speaking => share.vip.map(|said| said.since),
        Voice::Silent | Voice::Never => attendance.map(|attendance| attendance.since),
    };
    VipNode {
        name: share.node.to_string(),
        state: format!("{:?}", share.vip.map_or(Phase::Idle, |said| said.phase)),
        reason: why.as_ref().map(|why| why.reason.clone()),
        message: why.map(|why| sentence(&why.message)),
        daemon: daemon.map(|daemon| format!("{} {}", daemon.name, daemon.version)),
        peers: believed.map(|routing| seen_peers(routing, peers)).unwrap_or_default(),
        since: since.map(time),
    }
}

fn seen_peers(routing: &Observed, peers: &Peers) -> Vec<VipPeer> {
    let seen = routing.peers.iter().filter(|(address, _)| names(peers, **address));
    let peer = |(address, peer): (&IpAddr, &PeerObserved)| VipPeer {
        address: address.to_string(),
        state: peer.state.to_string(),
        bfd_state: routing.bfd.get(address).map(|session| session.state.to_string()),
    };
    seen.map(peer).collect()
}

fn names(peers: &Peers, address: IpAddr) -> bool {
    peers.as_ref().is_none_or(|peers| peers.contains(&address))
}

/// The worst state of the BFD sessions with the VIP's peers.
pub fn worst_bfd(shares: &[Share<'_>], peers: &Peers) -> Option<BfdState> {
    let speaking = shares.iter().filter(|share| share.voice == Voice::Speaking);
    let sessions = speaking.filter_map(|share| share.report).flat_map(|report| &report.routing.bfd);
    sessions.filter(|(address, _)| names(peers, **address)).map(|(_, session)| session.state).min()
}

//! Routing plans, as sentences.

use novaedge::model::bfd::{BfdProfile, Interval};
use novaedge::model::bgp::{
    Asn, Audience, Community, GracefulRestart, Password, PathAttributes, Peer, Timers,
};
use novaedge::model::net::HostRoute;
use novaedge::plan::speaker::Facing;
use novaedge::plan::{Announcement, RoutingPlan, SpeakerPlan};
use novaedge_lab::NodeId;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::num::{NonZeroU8, NonZeroU16};

pub const TOR: IpAddr = IpAddr::V4(novaedge_lab::topology::TOR4);

pub fn asn(number: u32) -> Asn {
    Asn::new(number).unwrap()
}

pub fn route(text: &str) -> HostRoute {
    HostRoute::parse(text).unwrap()
}

/// A peer on the segment with the usual settings.
pub fn peer(address: IpAddr, number: u32) -> Peer {
    Peer {
        address,
        asn: asn(number),
        port: NonZeroU16::new(179).unwrap(),
        password: None,
        timers: Timers::default(),
        multihop: None,
        ttl_security: None,
        source: None,
        bfd: None,
    }
}

/// 100 ms, three times.
pub fn bfd(echo: bool) -> BfdProfile {
    BfdProfile { echo, ..bfd_every(100) }
}

/// So many milliseconds, three times.
pub fn bfd_every(millis: u32) -> BfdProfile {
    let interval = Interval::from_millis(millis).unwrap();
    BfdProfile {
        detect_multiplier: NonZeroU8::new(3).unwrap(),
        desired_min_tx: interval,
        required_min_rx: interval,
        echo: false,
        multihop: false,
    }
}

pub fn attributes(communities: &[&str]) -> PathAttributes {
    let communities = communities.iter().map(|text| Community::parse(text).unwrap()).collect();
    PathAttributes { communities, ..PathAttributes::default() }
}

/// A plan under construction.
#[derive(Debug, Clone)]
pub struct Plan(pub RoutingPlan);

impl Plan {
    /// A speaker of AS 64501 with no peer and nothing to announce.
    pub fn speaker() -> Self {
        Self::speaker_of(64501)
    }

    pub fn speaker_of(number: u32) -> Self {
        let speaker = SpeakerPlan {
            facing: BTreeMap::new(),
            asn: asn(number),
            router_id: Ipv4Addr::new(10, 0, 0, 1),
            graceful_restart: None,
            peers: BTreeMap::new(),
        };
        Self(RoutingPlan { speaker: Some(speaker), ..RoutingPlan::default() })
    }

    /// A speaker of AS 64501 whose only peer is the ToR.
    pub fn to_the_tor() -> Self {
        Self::speaker().with_peer(peer(TOR, 64500))
    }

    pub fn with_peer(mut self, peer: Peer) -> Self {
        let speaker = self.0.speaker.as_mut().expect("a plan in construction has a speaker");
        let (own4, own6) = (NodeId(1).address4(), NodeId(1).address6());
        let (own4, own6) = (Some(own4.into()), Some(own6.into()));
        let (same, other) = if peer.address.is_ipv4() { (own4, own6) } else { (own6, own4) };
        speaker.facing.insert(peer.address, Facing { same, other });
        speaker.peers.insert(peer.address, peer);
        self
    }

    pub fn restarting_gracefully(mut self, restart_seconds: u16) -> Self {
        let speaker = self.0.speaker.as_mut().expect("a plan in construction has a speaker");
        speaker.graceful_restart = Some(GracefulRestart { restart_seconds });
        self
    }

    /// Announces a prefix without attributes to all peers.
    pub fn announcing(self, prefix: &str) -> Self {
        self.announcing_with(prefix, PathAttributes::default())
    }

    pub fn announcing_with(self, prefix: &str, attributes: PathAttributes) -> Self {
        let all = self.0.speaker.iter().flat_map(|speaker| speaker.peers.keys().copied()).collect();
        self.announcing_to(prefix, attributes, all)
    }

    pub fn announcing_to(
        mut self,
        prefix: &str,
        attributes: PathAttributes,
        peers: BTreeSet<IpAddr>,
    ) -> Self {
        self.0
            .announcements
            .insert(route(prefix), Announcement { attributes, audience: Audience::Peers(peers) });
        self
    }

    /// Announces a prefix over the operator's sessions.
    pub fn attaching(mut self, prefix: &str, attributes: PathAttributes) -> Self {
        let announcement = Announcement { attributes, audience: Audience::Operators };
        self.0.announcements.insert(route(prefix), announcement);
        self
    }

    pub fn without(mut self, prefix: &str) -> Self {
        self.0.announcements.remove(&route(prefix));
        self
    }
}

pub fn password(text: &str) -> Option<Password> {
    Some(Password::parse(text).unwrap())
}

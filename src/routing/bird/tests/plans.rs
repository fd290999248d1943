//! Plans, as sentences.

use crate::model::bgp::{Asn, Audience, Community, GracefulRestart, Password, PathAttributes, Peer, Timers};
use crate::model::net::HostRoute;
use crate::plan::{Announcement, RoutingPlan, SpeakerPlan};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::{NonZeroU8, NonZeroU16};

pub fn peer(address: &str, asn: u32) -> Peer {
    Peer {
        address: address.parse().unwrap(),
        asn: Asn::new(asn).unwrap(),
        port: NonZeroU16::new(179).unwrap(),
        password: None,
        timers: Timers::default(),
        multihop: None,
        ttl_security: None,
        source: None,
        bfd: None,
    }
}

pub fn plan(peers: impl IntoIterator<Item = Peer>) -> RoutingPlan {
    let speaker = SpeakerPlan {
        facing: BTreeMap::new(),
        asn: Asn::new(64501).unwrap(),
        router_id: "10.0.0.1".parse().unwrap(),
        graceful_restart: None,
        peers: peers.into_iter().map(|peer| (peer.address, peer)).collect(),
    };
    RoutingPlan { speaker: Some(speaker), announcements: BTreeMap::new(), ospf: None }
}

pub fn announce(plan: &mut RoutingPlan, prefix: &str, attributes: PathAttributes, audience: Audience) {
    plan.announcements.insert(HostRoute::parse(prefix).unwrap(), Announcement { attributes, audience });
}

pub fn attributes(communities: &[&str]) -> PathAttributes {
    let communities = communities.iter().map(|text| Community::parse(text).unwrap()).collect();
    PathAttributes { communities, ..PathAttributes::default() }
}

pub fn to(peers: &[&str]) -> Audience {
    Audience::Peers(peers.iter().map(|peer| peer.parse::<IpAddr>().unwrap()).collect())
}

/// Every setting there is, over an external, a far, an internal and an IPv6 peer, and an attached prefix.
pub fn everything() -> RoutingPlan {
    let mut plan = plan([
        Peer {
            password: Some(Password::parse("s3cret$/x").unwrap()),
            timers: Timers { hold_seconds: 180, keepalive_seconds: 60 },
            ttl_security: NonZeroU8::new(1),
            ..peer("10.0.0.254", 64500)
        },
        Peer {
            multihop: NonZeroU8::new(3),
            source: Some("10.0.0.1".parse().unwrap()),
            port: NonZeroU16::new(1179).unwrap(),
            ..peer("192.0.2.1", 4_200_000_000)
        },
        peer("10.0.0.2", 64501),
        Peer { timers: Timers { hold_seconds: 0, keepalive_seconds: 0 }, ..peer("2001:db8:ff::1", 64500) },
    ]);
    let speaker = plan.speaker.as_mut().unwrap();
    speaker.graceful_restart = Some(GracefulRestart { restart_seconds: 30 });
    let everybody = ["10.0.0.254", "192.0.2.1", "10.0.0.2", "2001:db8:ff::1"];
    let rich = PathAttributes {
        local_preference: Some(150),
        med: Some(0),
        prepend: 2,
        ..attributes(&["64501:100", "no-export", "64501:1:2"])
    };
    announce(&mut plan, "10.200.0.20", rich.clone(), to(&everybody));
    announce(&mut plan, "10.200.0.22", rich.clone(), to(&everybody));
    announce(&mut plan, "2001:db8::50", rich.clone(), to(&everybody));
    announce(&mut plan, "10.200.0.21", PathAttributes::default(), to(&["10.0.0.254", "10.0.0.2"]));
    announce(&mut plan, "10.200.0.30", rich, Audience::Operators);
    plan
}

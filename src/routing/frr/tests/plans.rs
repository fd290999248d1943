//! Plans to render.

use crate::model::bfd::{BfdProfile, Interval};
use crate::model::bgp::{Asn, Audience, Community, GracefulRestart, Password, PathAttributes, Peer, Timers};
use crate::model::net::{HostRoute, InterfaceName};
use crate::model::ospf::{AreaId, AuthKey, Authentication, Cost, Timers as OspfTimers, Version};
use crate::plan::{Announcement, OspfPlan, RoutingPlan, SpeakerPlan};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::num::{NonZeroU8, NonZeroU16};

pub fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub fn peer(at: &str, asn: u32) -> Peer {
    Peer {
        address: address(at),
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

pub fn bfd(millis: u32, echo: bool) -> BfdProfile {
    BfdProfile {
        detect_multiplier: NonZeroU8::new(3).unwrap(),
        desired_min_tx: Interval::from_millis(millis).unwrap(),
        required_min_rx: Interval::from_millis(millis).unwrap(),
        echo,
        multihop: false,
    }
}

pub fn attributes(communities: &[&str]) -> PathAttributes {
    let communities = communities.iter().map(|text| Community::parse(text).unwrap()).collect();
    PathAttributes { communities, ..PathAttributes::default() }
}

pub fn plan(peers: impl IntoIterator<Item = Peer>) -> RoutingPlan {
    let speaker = SpeakerPlan {
        facing: Default::default(),
        asn: Asn::new(64501).unwrap(),
        router_id: "10.0.0.1".parse().unwrap(),
        graceful_restart: None,
        peers: peers.into_iter().map(|peer| (peer.address, peer)).collect(),
    };
    RoutingPlan { speaker: Some(speaker), ..RoutingPlan::default() }
}

pub fn announce(plan: &mut RoutingPlan, prefix: &str, attributes: PathAttributes, to: &[&str]) {
    let peers: BTreeSet<IpAddr> = to.iter().map(|peer| address(peer)).collect();
    plan.announcements.insert(
        HostRoute::parse(prefix).unwrap(),
        Announcement { attributes, audience: Audience::Peers(peers) },
    );
}

/// One dual-stack VIP to one peer: the usual case.
pub fn usual() -> RoutingPlan {
    let mut plan = plan([Peer { bfd: Some(bfd(100, false)), ..peer("10.0.0.254", 64500) }]);
    for prefix in ["10.200.0.20", "2001:db8::50"] {
        announce(&mut plan, prefix, attributes(&["64501:100"]), &["10.0.0.254"]);
    }
    plan
}

/// Every setting there is, over an external, a far, an internal and an IPv6 peer.
pub fn everything() -> RoutingPlan {
    let mut plan = plan([
        Peer {
            password: Some(Password::parse("s3cret$/x").unwrap()),
            timers: Timers { hold_seconds: 180, keepalive_seconds: 60 },
            ttl_security: NonZeroU8::new(1),
            bfd: Some(bfd(300, true)),
            ..peer("10.0.0.254", 64500)
        },
        Peer {
            multihop: NonZeroU8::new(3),
            source: Some(address("10.0.0.1")),
            port: NonZeroU16::new(1179).unwrap(),
            bfd: Some(BfdProfile { multihop: true, ..bfd(50, true) }),
            ..peer("192.0.2.1", 4_200_000_000)
        },
        peer("10.0.0.2", 64501),
        peer("2001:db8:ff::1", 64500),
    ]);
    let speaker = plan.speaker.as_mut().unwrap();
    speaker.graceful_restart = Some(GracefulRestart { restart_seconds: 30 });
    let everybody = ["10.0.0.254", "192.0.2.1", "10.0.0.2", "2001:db8:ff::1"];
    let rich = PathAttributes {
        local_preference: Some(150),
        med: Some(0),
        prepend: 2,
        ..attributes(&["64501:100", "no-export", "65535:6", "64501:1:2"])
    };
    announce(&mut plan, "10.200.0.20", rich.clone(), &everybody);
    announce(&mut plan, "2001:db8::50", rich, &everybody);
    announce(&mut plan, "10.200.0.21", PathAttributes::default(), &["10.0.0.254", "10.0.0.2"]);
    announce(&mut plan, "10.200.0.22", attributes(&["graceful-shutdown"]), &everybody);
    plan
}

/// The sessions are the operator's.
pub fn attached() -> RoutingPlan {
    let mut plan = plan([]);
    let rich =
        PathAttributes { local_preference: Some(150), med: Some(5), prepend: 1, ..attributes(&["64501:1"]) };
    let announcement = Announcement { attributes: rich, audience: Audience::Operators };
    plan.announcements.insert(HostRoute::parse("10.200.0.20").unwrap(), announcement);
    plan
}

/// OSPF alone, of both versions.
pub fn ospf(routes: &[(&str, u16)]) -> RoutingPlan {
    let cost = |cost: u16| if cost == u16::MAX { Cost::LEAVING } else { Cost::new(cost).unwrap() };
    let plan = OspfPlan {
        router_id: "10.0.0.1".parse().unwrap(),
        area: AreaId::new(0),
        versions: [Version::V2, Version::V3].into(),
        interfaces: [InterfaceName::parse("eth0").unwrap()].into(),
        timers: OspfTimers { hello_seconds: 10, dead_seconds: 40 },
        authentication: Authentication::Md5(AuthKey::parse("s3cret").unwrap()),
        graceful_restart: true,
        bfd: Some(bfd(100, false)),
        routes: routes.iter().map(|(route, of)| (HostRoute::parse(route).unwrap(), cost(*of))).collect(),
    };
    RoutingPlan { ospf: Some(plan), ..RoutingPlan::default() }
}

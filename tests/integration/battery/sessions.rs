//! Passwords, timers, hops, BFD.

use super::fixture::Fixture;
use super::plans::{Plan, TOR, bfd, password, peer};
use super::world::{SOON, World};
use novaedge::model::bgp::{Peer, Timers};
use novaedge::model::observed::{BfdState, PeerState};
use novaedge_lab::{NodeId, eventually};
use std::net::IpAddr;
use std::num::{NonZeroU8, NonZeroU16};

const VIP: &str = "10.200.0.20/32";

/// RFC 2385: a wrong password means no session, the right one a session, and a change is applied at once.
pub fn passwords_must_match<F: Fixture>() {
    let mut world = World::<F>::of("password", |lab| lab.tor_password(1, "s3cret$/x"));
    world.hold(VIP);
    let with = |text| Peer { password: password(text), ..peer(TOR, 64500) };
    world.apply(&Plan::speaker().with_peer(with("wrong")).announcing(VIP));
    // The kernel counts what it turned away.
    let turned_away = || {
        let counters = world.lab.tor_netns().exec("nstat", &["-asz", "TcpExtTCPMD5Failure"]).unwrap();
        counters.lines().last().and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok())
    };
    let none_yet = turned_away();
    eventually("a segment with a wrong signature", SOON, || {
        if turned_away() > none_yet { Ok(()) } else { Err("none") }
    })
    .unwrap();
    assert_ne!(world.observe().peers[&TOR].state, PeerState::Established);
    assert!(world.lab.tor().established().unwrap().is_empty());

    world.apply(&Plan::speaker().with_peer(with("s3cret$/x")).announcing(VIP));
    world.routed(VIP);
    let peer = world.sees("the peer up", |seen| seen.peers[&TOR].state == PeerState::Established);
    assert_eq!(peer.peers[&TOR].last_error, None);
    assert_eq!((peer.peers[&TOR].asn, peer.peers[&TOR].local_asn), (64500, 64501));
}

/// What is written is what is negotiated, also where it is the daemon's default.
pub fn timers_are_the_ones_given<F: Fixture>() {
    let mut world = World::<F>::new("timers");
    for (hold, keepalive) in [(9, 3), (180, 60)] {
        let timers = Timers { hold_seconds: hold, keepalive_seconds: keepalive };
        world.apply(&Plan(Default::default()));
        world.apply(&Plan::speaker().with_peer(Peer { timers, ..peer(TOR, 64500) }));
        world.established();
        let tor = world.lab.tor().ask_json("bgpd", "show bgp neighbors 10.0.0.1 json").unwrap();
        assert_eq!(tor["10.0.0.1"]["bgpTimerHoldTimeMsecs"], u32::from(hold) * 1000);
        let node = world.sees("the peer", |seen| seen.peers[&TOR].state == PeerState::Established);
        assert_eq!(node.peers[&TOR].prefixes_received, 0);
    }
}

/// RFC 5082 and its opposite: a peer at most so many hops away, and a peer behind a router.
pub fn hops_are_limited_and_allowed<F: Fixture>() {
    let mut world = World::<F>::new("hops");
    world.hold(VIP);
    let near = Peer { ttl_security: NonZeroU8::new(1), ..peer(TOR, 64500) };
    let gtsm = ["router bgp 64500", "neighbor 10.0.0.1 ttl-security hops 1"];
    world.lab.tor().configure("bgpd", &gtsm).unwrap();
    world.apply(&Plan::speaker().with_peer(near).announcing(VIP));
    world.routed(VIP);

    // The ToR's address on the client's side is one hop further, for who counts the TTL.
    let far_address: IpAddr = novaedge_lab::topology::TOR_CLIENT4.into();
    let far = Peer {
        multihop: NonZeroU8::new(2),
        source: Some(world.node().address4().into()),
        ..peer(far_address, 64500)
    };
    let lines = [
        "router bgp 64500",
        "no neighbor 10.0.0.1 ttl-security hops 1",
        "neighbor 10.0.0.1 ebgp-multihop 2",
        "neighbor 10.0.0.1 update-source 192.168.77.1",
    ];
    world.lab.tor().configure("bgpd", &lines).unwrap();
    world.apply(&Plan::speaker().with_peer(far).announcing(VIP));
    let up = |state| state == PeerState::Established;
    world.sees("the far peer up", |seen| seen.peers.get(&far_address).is_some_and(|peer| up(peer.state)));
    world.routed(VIP);
}

/// A peer that listens elsewhere than on port 179.
pub fn a_peer_may_use_another_port<F: Fixture>() {
    let mut world = World::<F>::new("port");
    let redirect = "table ip lab {
        chain in {
            type nat hook prerouting priority -100
            tcp dport 1179 redirect to :179
        }
    }";
    world.lab.tor_netns().nft(redirect).unwrap();
    // The ToR only listens, so the session can only come over the other port.
    let passive = ["router bgp 64500", "neighbor 10.0.0.1 passive"];
    world.lab.tor().configure("bgpd", &passive).unwrap();
    world
        .apply(&Plan::speaker().with_peer(Peer { port: NonZeroU16::new(1179).unwrap(), ..peer(TOR, 64500) }));
    world.established();
}

/// BFD with the given timers, with and without echo, which the ToR's kernel sends back; switching echo on
/// disturbs neither session.
pub fn bfd_watches_the_peer<F: Fixture>() {
    let mut world = World::<F>::of("bfd", |lab| lab.bfd(100, 3));
    world.hold(VIP);
    for echo in [false, true] {
        let watched = Peer { bfd: Some(bfd(echo)), ..peer(TOR, 64500) };
        world.apply(&Plan::speaker().with_peer(watched).announcing(VIP));
        world.routed(VIP);
        let seen = world.sees("BFD up", |seen| {
            let session = seen.bfd.get(&TOR);
            // Long enough for echoes that nobody sends back to show.
            session.is_some_and(|bfd| bfd.transmit_interval_ms == 100 && bfd.uptime_seconds >= 2)
        });
        let session = &seen.bfd[&TOR];
        assert_eq!(session.state, BfdState::Up);
        assert_eq!((session.detect_multiplier, session.remote_detect_multiplier), (3, 3));
        assert_eq!((session.multihop, session.local), (false, Some(world.node().address4().into())));
        assert_eq!(session.echo_interval_ms, echo.then_some(100));
        let tor = world.lab.tor().neighbours().unwrap();
        assert_eq!(tor[&NodeId(1)].bfd.as_ref().unwrap().state, "up");
    }
    assert_eq!(world.session().dropped, 0);
}

//! Plans at random, one after the other: from wherever the daemon is, it gets to the next one.

use super::fixture::Fixture;
use super::plans::{Plan, TOR, asn, bfd, password, peer};
use super::world::World;
use fastrand::Rng;
use novaedge::model::bgp::{Community, PathAttributes, Peer, Timers};
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU8;

const STEPS: usize = 60;

/// Each plan reads back as it was meant (or `apply` would say so), and an equal one changes nothing.
pub fn any_plan_follows_any_other<F: Fixture>() {
    let mut world = World::<F>::new("walk");
    let seed = fastrand::u64(..);
    let mut rng = Rng::with_seed(seed);
    for step in 0..STEPS {
        let plan = any_plan(&mut rng);
        let applied = world.try_apply(&plan);
        let applied = applied.unwrap_or_else(|error| panic!("seed {seed}, step {step}: {error}: {plan:?}"));
        assert!(applied.refused.is_empty(), "seed {seed}, step {step}: {applied:?}");
        assert_eq!(world.try_apply(&plan).unwrap().changes, 0, "seed {seed}, step {step}");
    }
    world.apply(&Plan(Default::default()));
    assert_eq!(F::our_lines(world.node()), Vec::<String>::new());
}

fn any_plan(rng: &mut Rng) -> Plan {
    if rng.u8(..10) == 0 {
        return Plan(Default::default());
    }
    let own = if rng.u8(..8) == 0 { 64502 } else { 64501 };
    let mut plan = Plan::speaker_of(own);
    if rng.bool() {
        plan = plan.restarting_gracefully(*rng.choice(&[30, 60, 120]).unwrap_or(&30));
    }
    for k in 0..rng.u8(..4) {
        plan = plan.with_peer(any_peer(rng, k));
    }
    let peers: Vec<IpAddr> =
        plan.0.speaker.iter().flat_map(|speaker| speaker.peers.keys().copied()).collect();
    for k in 0..rng.u8(..6) {
        let prefix = if rng.bool() { format!("10.200.0.{k}/32") } else { format!("2001:db8::{k}/128") };
        let chosen = peers.iter().copied().filter(|_| rng.u8(..3) > 0).collect();
        if !prefix.ends_with("::0/128") {
            plan = plan.announcing_to(&prefix, any_attributes(rng), chosen);
        }
    }
    plan
}

fn any_peer(rng: &mut Rng, k: u8) -> Peer {
    let address = if k == 0 { TOR } else { Ipv4Addr::new(10, 0, 0, 100 + k).into() };
    let bfd = rng.bool().then(|| bfd(rng.bool()));
    let hold_seconds = *rng.choice(&[9, 30, 180]).unwrap_or(&9);
    let mut peer = Peer {
        bfd,
        password: if rng.bool() { password(if rng.bool() { "one" } else { "t$w%o?" }) } else { None },
        timers: Timers { hold_seconds, keepalive_seconds: hold_seconds / 3 },
        source: rng.bool().then_some(Ipv4Addr::new(10, 0, 0, 1).into()),
        ..peer(address, 64500)
    };
    // Hop limits are for other AS numbers than our own, and exclude each other.
    match rng.u8(..4) {
        0 => peer.multihop = NonZeroU8::new(rng.u8(2..9)),
        1 => peer.ttl_security = NonZeroU8::new(rng.u8(1..9)),
        2 => peer.asn = asn(64501),
        _ => {}
    }
    peer
}

fn any_attributes(rng: &mut Rng) -> PathAttributes {
    let community = |rng: &mut Rng| match rng.u8(..3) {
        0 => Community::GRACEFUL_SHUTDOWN,
        1 => Community::Standard(64501, rng.u16(..3)),
        _ => Community::Large(64501, rng.u32(..2), 7),
    };
    PathAttributes {
        communities: (0..rng.u8(..3)).map(|_| community(rng)).collect(),
        local_preference: rng.bool().then(|| rng.u32(..3)),
        med: rng.bool().then(|| rng.u32(..3)),
        prepend: rng.u8(..3),
    }
}

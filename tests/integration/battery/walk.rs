//! Plans at random, one after the other: from wherever the daemon is, it gets to the next one.

use super::fixture::Fixture;
use super::plans::{Plan, TOR, asn, bfd, password, peer, route};
use super::world::{SOON, World};
use fastrand::Rng;
use novaedge::model::bgp::{Community, PathAttributes, Peer, Timers};
use novaedge_lab::{NodeId, eventually};
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU8;

const STEPS: usize = 60;

/// Each plan reads back as it was meant (or `apply` would say so), and an equal one changes nothing.
pub fn any_plan_follows_any_other<F: Fixture>() {
    let mut world = World::<F>::new("walk");
    for k in 0..6 {
        world.hold(&format!("10.200.0.{k}/32"));
        world.hold(&format!("2001:db8::{k}/128"));
    }
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

const CHANGES: usize = 2000;
const PREFIXES: u8 = 48;

/// Prefixes that come, go and change what they carry, one change after the other and no pause between: at the
/// end the ToR has what was asked for last, and its session has seen nothing of it.
pub fn two_thousand_changes_in_a_row<F: Fixture>() {
    let mut world = World::<F>::new("changes");
    let all: Vec<String> = (0..PREFIXES).map(nth).collect();
    all.iter().for_each(|prefix| world.hold(prefix));
    world.apply(&Plan::to_the_tor());
    world.established();
    let began = world.session();
    let seed = fastrand::u64(..);
    let mut rng = Rng::with_seed(seed);
    let mut plan = Plan::to_the_tor();
    for change in 0..CHANGES {
        let prefix = rng.choice(&all).map(String::as_str).unwrap_or_default();
        plan = match rng.u8(..3) {
            0 => plan.without(prefix),
            _ => plan.announcing_with(prefix, one_of_few(&mut rng)),
        };
        let applied = world.try_apply(&plan);
        let applied = applied.unwrap_or_else(|error| panic!("seed {seed}, change {change}: {error}"));
        assert!(applied.refused.is_empty(), "seed {seed}, change {change}: {applied:?}");
    }
    eventually(&format!("the ToR has the last plan (seed {seed})"), SOON, || {
        all.iter().try_for_each(|prefix| as_planned(&world, &plan, prefix))
    })
    .unwrap();
    assert!(world.session().is_still(began), "seed {seed}");
}

fn nth(number: u8) -> String {
    if number.is_multiple_of(2) {
        format!("10.202.0.{}/32", number + 1)
    } else {
        format!("2001:db8:2::{number}/128")
    }
}

fn one_of_few(rng: &mut Rng) -> PathAttributes {
    let communities = [Community::Standard(64501, rng.u16(..3))].into();
    PathAttributes { communities, med: rng.bool().then_some(7), ..PathAttributes::default() }
}

/// The prefix is in the ToR's FIB if it is in the plan, and carries what the plan says.
fn as_planned<F: Fixture>(world: &World<F>, plan: &Plan, prefix: &str) -> Result<(), String> {
    let wanted = plan.0.announcements.get(&route(prefix)).map(|announcement| &announcement.attributes);
    let told = |error: anyhow::Error| format!("{error:#}");
    let routed = !world.lab.tor_fib().map_err(told)?.nodes(prefix.parse().unwrap()).is_empty();
    let paths = world.lab.tor().paths(prefix).map_err(told)?;
    let seen = paths.get(&NodeId(1)).map(|path| {
        let text = path.pointer("/community/string").and_then(|text| text.as_str()).unwrap_or_default();
        (text.to_owned(), path.get("metric").and_then(|metric| metric.as_u64()).unwrap_or(0))
    });
    let wished = wanted.map(|attributes| {
        let words: Vec<String> = attributes.communities.iter().map(ToString::to_string).collect();
        (words.join(" "), u64::from(attributes.med.unwrap_or(0)))
    });
    match routed == wanted.is_some() && seen == wished {
        true => Ok(()),
        false => Err(format!("{prefix}: wanted {wished:?}, has {seen:?}, in the FIB: {routed}")),
    }
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

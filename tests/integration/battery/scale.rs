//! A thousand prefixes.

use super::fixture::Fixture;
use super::plans::{Plan, attributes};
use super::world::{SOON, World};
use novaedge_lab::{Fib, NodeId};
use std::time::{Duration, Instant};

pub const MANY: u32 = 1000;

pub fn prefix(number: u32) -> String {
    format!("10.201.{}.{}/32", number / 250, number % 250 + 1)
}

pub fn plan(count: u32) -> Plan {
    (0..count).map(prefix).fold(Plan::to_the_tor(), |plan, prefix| plan.announcing(&prefix))
}

pub fn hold_all<F: Fixture>(world: &World<F>, count: u32) {
    hold_all_for(world, count, 600);
}

fn hold_all_for<F: Fixture>(world: &World<F>, count: u32, seconds: u32) {
    let lifetime = format!("valid_lft {seconds} preferred_lft 0");
    let lines = (0..count).map(|number| format!("addr replace {} dev lo {lifetime}\n", prefix(number)));
    world.node().netns().ip_batch(&lines.collect::<String>()).unwrap();
}

/// Waits until the ToR's kernel routes the first `count` prefixes; returns how long that took.
pub fn all_routed<F: Fixture>(world: &World<F>, since: Instant, count: u32) -> Duration {
    let all = |fib: &Fib| (0..count).all(|k| fib.nodes(prefix(k).parse().unwrap()).contains(&NodeId(1)));
    world.fib.wait("all prefixes", since, SOON, all).unwrap() - since
}

pub fn none_routed<F: Fixture>(world: &World<F>, since: Instant) -> Duration {
    let none = |fib: &Fib| (0..MANY).all(|k| fib.nodes(prefix(k).parse().unwrap()).is_empty());
    world.fib.wait("no prefix", since, SOON, none).unwrap() - since
}

/// What a dead agent leaves behind: nobody refreshes any of them, nobody withdraws any of them, and all are gone
/// within their lifetime and 2 s.
pub fn a_thousand_expired_addresses_are_withdrawn<F: Fixture>() {
    let mut world = World::<F>::new("expire");
    hold_all(&world, MANY);
    world.apply(&plan(MANY));
    all_routed(&world, Instant::now(), MANY);
    let since = Instant::now();
    hold_all_for(&world, MANY, 3);
    // The last ones were refreshed last.
    let refreshing = since.elapsed();
    let gone = none_routed(&world, since) - refreshing;
    println!("{}: {MANY} addresses of 3 s, withdrawn {gone:?} after the last refresh", F::NAME);
    assert!(gone <= Duration::from_secs(5), "{gone:?}");
}

/// All of them come, drain and go over one untouched session.
pub fn a_thousand_prefixes_share_one_session<F: Fixture>() {
    let mut world = World::<F>::new("scale");
    hold_all(&world, MANY);
    world.apply(&Plan::to_the_tor());
    world.established();
    let began = world.session();
    world.apply(&plan(MANY));
    all_routed(&world, Instant::now(), MANY);
    world.sees("all announced", |seen| seen.announced.len() == MANY as usize);
    let drained = (0..MANY).map(prefix).fold(Plan::to_the_tor(), |plan, prefix| {
        plan.announcing_with(&prefix, attributes(&["graceful-shutdown"]))
    });
    world.apply(&drained);
    world.apply(&Plan::to_the_tor());
    none_routed(&world, Instant::now());
    assert!(world.session().is_still(began));
}

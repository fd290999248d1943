//! A thousand prefixes.

use super::fixture::Fixture;
use super::plans::{Plan, attributes};
use super::world::{SOON, World};
use novaedge_lab::NodeId;
use std::time::Instant;

const MANY: u32 = 1000;

fn prefix(number: u32) -> String {
    format!("10.201.{}.{}/32", number / 250, number % 250 + 1)
}

fn plan(count: u32) -> Plan {
    (0..count).map(prefix).fold(Plan::to_the_tor(), |plan, prefix| plan.announcing(&prefix))
}

fn hold_all<F: Fixture>(world: &World<F>, count: u32) {
    let lines = (0..count).map(|number| format!("addr add {} dev lo valid_lft 600 preferred_lft 0\n", prefix(number)));
    world.node().netns().ip_batch(&lines.collect::<String>()).unwrap();
}

/// All of them come, change and go over one untouched session, and one more costs next to nothing.
pub fn a_thousand_prefixes_and_one_more<F: Fixture>() {
    let mut world = World::<F>::new("scale");
    hold_all(&world, MANY + 1);
    world.apply(&Plan::to_the_tor());
    world.established();
    let began = world.session();
    let routed = |world: &World<F>, since, count: u32| {
        let all = |fib: &novaedge_lab::Fib| {
            (0..count).all(|number| fib.nodes(prefix(number).parse().unwrap()).contains(&NodeId(1)))
        };
        world.fib.wait("all prefixes", since, SOON, all).unwrap() - since
    };
    let started = Instant::now();
    world.try_apply(&plan(MANY)).unwrap();
    let applied = started.elapsed();
    eprintln!("{MANY} from nothing: applied in {applied:?}, in the FIB after {:?}", routed(&world, started, MANY));

    let mut more = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        world.try_apply(&plan(MANY + 1)).unwrap();
        let applied = started.elapsed();
        let fib = world.routed_since(&prefix(MANY), started);
        more.push((applied, fib));
        world.try_apply(&plan(MANY)).unwrap();
        world.unrouted(&prefix(MANY));
    }
    eprintln!("one more (applied, in the FIB): {more:?}");
    world.try_apply(&plan(MANY)).unwrap();

    let drained = (0..MANY).map(prefix).fold(Plan::to_the_tor(), |plan, prefix| {
        plan.announcing_with(&prefix, attributes(&["graceful-shutdown"]))
    });
    world.apply(&drained);
    world.apply(&Plan::to_the_tor());
    let none = |fib: &novaedge_lab::Fib| (0..MANY).all(|n| fib.nodes(prefix(n).parse().unwrap()).is_empty());
    world.fib.wait("no prefix", Instant::now(), SOON, none).unwrap();
    assert!(world.session().is_still(began));
}

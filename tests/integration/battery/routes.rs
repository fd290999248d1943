//! Prefixes come, change and go.

use super::fixture::Fixture;
use super::plans::{Plan, attributes, peer, route};
use super::world::{SOON, World};
use novaedge_lab::eventually;
use novaedge_lab::fib::{Change, Event};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const VIP4: &str = "10.200.0.20/32";
const VIP6: &str = "2001:db8::50/128";

/// Both families over one IPv4 session, and back to nothing.
pub fn both_families_come_and_go<F: Fixture>() {
    let mut world = World::<F>::new("routes");
    world.hold(VIP4);
    world.hold(VIP6);
    let plan = Plan::to_the_tor().announcing(VIP4).announcing(VIP6);
    world.apply(&plan);
    world.routed(VIP4);
    world.routed(VIP6);
    let observed = world.sees("both announced", |observed| observed.announced.len() == 2);
    assert_eq!(observed.daemon.unwrap().name, F::NAME);
    assert_eq!(observed.announced, BTreeSet::from([route(VIP4), route(VIP6)]));

    let began = world.session();
    let without = plan.clone().without(VIP4);
    world.apply(&without);
    world.unrouted(VIP4);
    world.routed(VIP6);
    world.sees("one announced", |observed| observed.announced == BTreeSet::from([route(VIP6)]));
    world.apply(&Plan::to_the_tor());
    world.unrouted(VIP6);
    assert!(world.session().is_still(began));

    world.apply(&plan);
    world.routed(VIP4);
    world.apply(&Plan(Default::default()));
    world.unrouted(VIP4);
    assert_eq!(F::our_lines(world.node()), Vec::<String>::new(), "nothing of ours is left");
}

/// The daemon sends nothing for an equal plan, however often it is applied.
pub fn an_equal_plan_disturbs_nothing<F: Fixture>() {
    let mut world = World::<F>::new("equal");
    world.hold(VIP4);
    let plan = Plan::to_the_tor().announcing_with(VIP4, attributes(&["64501:100"]));
    world.apply(&plan);
    world.routed(VIP4);
    let before = world.session();
    for _ in 0..20 {
        assert_eq!(world.try_apply(&plan).unwrap().changes, 0);
    }
    // The next word from the node is its keepalive: had there been an UPDATE, it would have come first.
    let messages = || world.lab.tor().neighbours().unwrap()[&world.node().id()].messages_received;
    let heard = messages();
    eventually("a keepalive", SOON, || if messages() > heard { Ok(()) } else { Err("none") }).unwrap();
    assert_eq!(world.session(), before);
}

/// Other attributes are a new announcement, at once and over the same session.
pub fn a_change_of_attributes_arrives_without_a_reset<F: Fixture>() {
    let mut world = World::<F>::new("change");
    world.hold(VIP4);
    let plan = Plan::to_the_tor().announcing_with(VIP4, attributes(&["64501:100"]));
    world.apply(&plan);
    world.path_has(VIP4, &[("/community/string", json!("64501:100"))]);
    let before = world.session();
    let started = Instant::now();
    world.apply(&plan.announcing_with(VIP4, attributes(&["64501:100", "graceful-shutdown"])));
    world.path_has(VIP4, &[("/community/string", json!("64501:100 graceful-shutdown"))]);
    let took = started.elapsed();
    assert!(took < Duration::from_secs(1), "a drain cannot wait {took:?}");
    assert!(world.session().is_still(before));
    let lost = |event: &Event| matches!(event.change, Change::Remove(..));
    assert!(!world.fib.events(started).iter().any(lost), "the route never went away");
}

/// Two peers, and each prefix goes to those that it names.
pub fn each_peer_gets_its_own_prefixes<F: Fixture>() {
    let mut world = World::<F>::of("peers", |lab| lab.second_router());
    let other = std::net::IpAddr::V4(novaedge_lab::topology::TOR4_SECOND);
    let (both, tor_only, other_only) = ("10.200.0.1/32", "10.200.0.2/32", "10.200.0.3/32");
    for prefix in [both, tor_only, other_only] {
        world.hold(prefix);
    }
    let plan = Plan::to_the_tor()
        .with_peer(peer(other, 64500))
        .announcing(both)
        .announcing_to(tor_only, attributes(&["64501:1"]), BTreeSet::from([super::plans::TOR]))
        .announcing_to(other_only, attributes(&["64501:1"]), BTreeSet::from([other]));
    world.apply(&plan);
    world.routed(both);
    world.routed(tor_only);
    let others = || -> anyhow::Result<BTreeSet<String>> {
        let table = world.lab.second_router().tor.ask_json("bgpd", "show bgp ipv4 unicast json")?;
        Ok(table["routes"].as_object().into_iter().flatten().map(|(prefix, _)| prefix.clone()).collect())
    };
    let wanted = BTreeSet::from([both.to_owned(), other_only.to_owned()]);
    eventually("the second router's table", SOON, || {
        let found = others().map_err(|error| error.to_string())?;
        if found == wanted { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .unwrap();
    world.unrouted(other_only);
}

/// What the kernel lets go of is withdrawn without anybody's help.
pub fn an_expired_address_is_withdrawn<F: Fixture>() {
    let mut world = World::<F>::new("expiry");
    world.hold_for(VIP4, 4);
    world.hold_for(VIP6, 4);
    let plan = Plan::to_the_tor().announcing(VIP4).announcing(VIP6);
    world.apply(&plan);
    world.routed(VIP4);
    world.routed(VIP6);
    world.unrouted(VIP4);
    world.unrouted(VIP6);
    world.sees("nothing announced", |observed| observed.announced.is_empty());
    world.hold(VIP4);
    world.apply(&plan.without(VIP6));
    world.routed(VIP4);
}

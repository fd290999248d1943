//! OSPF: adjacencies, routes at their cost, and what a node must never be.

use super::fixture::Fixture;
use super::plans::{self, Plan, route};
use super::world::{SOON, World};
use fastrand::Rng;
use novaedge::model::adjacency::NeighborState;
use novaedge::model::net::InterfaceName;
use novaedge::model::ospf::{AreaId, Authentication, Cost, Timers, Version};
use novaedge::plan::{OspfPlan, RoutingPlan};
use novaedge_lab::fib::{Change, Event};
use novaedge_lab::ospf::Ospf;
use novaedge_lab::{NodeId, eventually};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

pub const VIP4: &str = "10.200.0.20/32";
pub const VIP6: &str = "2001:db8::50/128";
const NODE: NodeId = NodeId(1);

/// A speaker on eth0 in area 0 with these routes, as the lab's ToR speaks.
pub fn plan(routes: &[(&str, u16)]) -> Plan {
    let cost = |cost: u16| if cost == u16::MAX { Cost::LEAVING } else { Cost::new(cost).unwrap() };
    let ospf = OspfPlan {
        router_id: Ipv4Addr::new(10, 0, 0, 1),
        area: AreaId::new(0),
        versions: [Version::V2, Version::V3].into(),
        interfaces: [InterfaceName::parse("eth0").unwrap()].into(),
        timers: Timers { hello_seconds: 1, dead_seconds: 4 },
        authentication: Authentication::None,
        graceful_restart: false,
        bfd: None,
        routes: routes.iter().map(|(prefix, of)| (route(prefix), cost(*of))).collect(),
    };
    Plan(RoutingPlan { ospf: Some(ospf), ..RoutingPlan::default() })
}

pub fn changed(mut plan: Plan, change: impl FnOnce(&mut OspfPlan)) -> Plan {
    change(plan.0.ospf.as_mut().unwrap());
    plan
}

pub fn world<F: Fixture>(name: &str, ospf: Ospf) -> World<F> {
    World::of(name, |lab| lab.ospf(ospf).bfd(100, 3))
}

/// Full on both sides, of both versions.
fn full<F: Fixture>(world: &mut World<F>) {
    eventually("the ToR's adjacencies", SOON, || {
        let (v2, v3) = world.lab.tor().full().map_err(|error| error.to_string())?;
        if v2.contains(&NODE) && v3.contains(&NODE) { Ok(()) } else { Err(format!("{v2:?} {v3:?}")) }
    })
    .unwrap();
    world.sees("both neighbours Full", |seen| {
        let full = seen.neighbors.iter().filter(|(_, seen)| seen.state == NeighborState::Full);
        full.map(|(id, _)| id.version).collect::<BTreeSet<_>>() == [Version::V2, Version::V3].into()
    });
}

/// How often the ToR's OSPFv2 adjacency has changed its state.
fn changes<F: Fixture>(world: &World<F>) -> Option<u64> {
    world.lab.tor().adjacencies().unwrap()[&NODE].changes
}

fn costs<F: Fixture>(world: &World<F>, prefix: &str, expected: u64) {
    eventually(&format!("{prefix} at {expected}"), SOON, || {
        let (cost, kind) = world.lab.tor().ospf_cost(prefix).map_err(|error| format!("{error:#}"))?;
        if cost == expected { Ok(()) } else { Err(format!("{cost} {kind}")) }
    })
    .unwrap();
}

/// Both families over adjacencies of their own, and back to nothing.
pub fn both_families_come_and_go_by_ospf<F: Fixture>() {
    let mut world = world::<F>("ospf", Ospf::default());
    world.hold(VIP4);
    world.hold(VIP6);
    world.apply(&plan(&[]));
    full(&mut world);
    let since = Instant::now();
    world.apply(&plan(&[(VIP4, 10), (VIP6, 10)]));
    let took = (world.routed_since(VIP4, since), world.routed_since(VIP6, since));
    println!("announced by OSPF after {took:?}");
    let seen = world.sees("both announced", |seen| seen.announced.len() == 2);
    assert_eq!(seen.daemon.unwrap().name, F::NAME);
    assert_eq!(seen.trouble, None);

    let began = changes(&world);
    let since = Instant::now();
    world.apply(&plan(&[(VIP6, 10)]));
    println!("withdrawn by OSPF after {:?}", world.unrouted_since(VIP4, since));
    world.routed(VIP6);
    world.sees("one announced", |seen| seen.announced == [route(VIP6)].into());
    world.apply(&plan(&[(VIP4, 10)]));
    world.routed(VIP4);
    world.unrouted(VIP6);
    assert_eq!(changes(&world), began, "routes are nothing to the adjacency");
    world.apply(&Plan(RoutingPlan::default()));
    world.unrouted(VIP4);
    eventually("the neighbour is gone", SOON, || {
        let (v2, v3) = world.lab.tor().full().map_err(|error| error.to_string())?;
        if v2.is_empty() && v3.is_empty() { Ok(()) } else { Err(format!("{v2:?} {v3:?}")) }
    })
    .unwrap();
    assert_eq!(F::our_lines(world.node()), Vec::<String>::new(), "nothing of ours is left");
}

/// Each address at its cost, behind the ToR's own 10 to the segment; another one is another cost at once, and
/// the route never goes away for it. Addresses that are on the node for other reasons stay at home.
pub fn a_cost_is_a_cost_and_changes_in_place<F: Fixture>() {
    let mut world = world::<F>("cost", Ospf::default());
    let (other, foreign) = ("10.200.0.21/32", "10.200.0.99/32");
    [VIP4, VIP6, other, foreign].iter().for_each(|prefix| world.hold(prefix));
    world.apply(&plan(&[(VIP4, 5), (other, 7), (VIP6, 5)]));
    full(&mut world);
    costs(&world, VIP4, 15);
    costs(&world, other, 17);
    costs(&world, VIP6, 15);
    world.unrouted(foreign);
    let began = changes(&world);
    let since = Instant::now();
    world.apply(&plan(&[(VIP4, u16::MAX), (other, 7), (VIP6, u16::MAX)]));
    costs(&world, VIP4, 65545);
    costs(&world, other, 17);
    costs(&world, VIP6, 65545);
    let took = since.elapsed();
    assert!(took < Duration::from_secs(1), "a drain cannot wait {took:?}");
    let lost = |event: &Event| matches!(event.change, Change::Remove(..));
    assert!(!world.fib.events(since).iter().any(lost), "no route went away");
    assert_eq!(changes(&world), began);
}

/// Nodes are no routers: never designated, and nothing that they are told of changes where they send.
pub fn a_node_is_never_designated_nor_on_the_way<F: Fixture>() {
    let mut world = world::<F>("stub", Ospf::default());
    world.hold(VIP4);
    world.apply(&plan(&[(VIP4, 10), (VIP6, 10)]));
    full(&mut world);
    let seen = world.lab.tor().adjacencies().unwrap();
    assert_eq!((seen[&NODE].priority, seen[&NODE].state.as_str()), (0, "Full/DROther"));
    assert_eq!(world.lab.tor().adjacencies6().unwrap()[&NODE].priority, 0);
    let elsewhere = ["interface client", "ip ospf area 0.0.0.0", "exit"];
    world.lab.tor().configure("ospfd", &elsewhere).unwrap();
    let elsewhere6 = ["interface client", "ipv6 ospf6 area 0.0.0.0", "exit"];
    world.lab.tor().configure("ospf6d", &elsewhere6).unwrap();
    // The node has the ToR's new LSA when the ToR has nothing to repeat any more.
    world.apply(&plan(&[(VIP4, 11)]));
    costs(&world, VIP4, 21);
    for family in ["-4", "-6"] {
        let routes = world.node().netns().ip(&format!("{family} route show proto ospf")).unwrap();
        assert_eq!(routes.trim(), "", "the node routes as before");
    }
    let router = world.lab.tor().ask("ospfd", "show ip ospf database router 10.0.0.1").unwrap();
    let mut transit = router.split("Link connected to:").filter(|link| link.contains("Transit")).peekable();
    assert!(transit.peek().is_some() && transit.all(|link| link.contains("TOS 0 Metric: 65535")), "{router}");
}

/// Area and timers are the ones given, also where they are the daemon's defaults: with others there is no
/// adjacency (RFC 2328 §10.5).
pub fn area_and_timers_are_the_ones_given<F: Fixture>() {
    let ospf = Ospf { area: "0.0.0.7".into(), hello: 2, dead: 9, ..Ospf::default() };
    let mut world = world::<F>("timers6", ospf);
    world.hold(VIP4);
    world.hold(VIP6);
    let with = |area, hello_seconds, dead_seconds| {
        changed(plan(&[(VIP4, 10), (VIP6, 10)]), |plan| {
            plan.area = AreaId::new(area);
            plan.timers = Timers { hello_seconds, dead_seconds };
        })
    };
    world.apply(&with(7, 10, 40));
    world.apply(&with(0, 2, 9));
    world.apply(&with(7, 2, 9));
    full(&mut world);
    world.routed(VIP4);
    world.routed(VIP6);
    world.apply(&with(7, 10, 40));
    world.unrouted(VIP4);
    world.unrouted(VIP6);
}

/// What the kernel lets go of is withdrawn without anybody's help.
pub fn an_expired_address_is_withdrawn_from_ospf<F: Fixture>() {
    let mut world = world::<F>("expiry6", Ospf::default());
    world.apply(&plan(&[]));
    full(&mut world);
    world.hold_for(VIP4, 4);
    world.hold_for(VIP6, 4);
    world.apply(&plan(&[(VIP4, 10), (VIP6, 10)]));
    world.routed(VIP4);
    world.routed(VIP6);
    world.unrouted(VIP4);
    world.unrouted(VIP6);
    world.sees("nothing announced", |seen| seen.announced.is_empty());
    world.hold(VIP4);
    world.hold(VIP6);
    world.routed(VIP4);
    world.routed(VIP6);
}

/// A silent node, at two BFD timings: the worst of five within the detection time and 150 ms.
pub fn bfd_takes_a_silent_neighbour_away<F: Fixture>() {
    for interval in [100, 50] {
        let mut world = World::<F>::of("silence6", |lab| lab.ospf(Ospf::default()).bfd(interval, 3));
        world.hold(VIP4);
        let profile = plans::bfd_every(interval);
        world.apply(&changed(plan(&[(VIP4, 10)]), |plan| plan.bfd = Some(profile)));
        // Some drivers have to see a neighbour before they can have it watched.
        world.sees("a neighbour", |seen| {
            seen.neighbors.values().any(|neighbor| neighbor.state == NeighborState::Full)
        });
        let bound = Duration::from_millis(u64::from(interval) * 3 + 150) + F::OSPF_GIVEN_UP_LATER;
        let windows: Vec<Duration> = (0..5).map(|_| silenced(&mut world, interval)).collect();
        println!("OSPF, BFD {interval} ms x 3: {windows:?}");
        assert!(windows.iter().all(|window| *window <= bound), "{windows:?}");
    }
}

fn silenced<F: Fixture>(world: &mut World<F>, interval: u32) -> Duration {
    world.routed(VIP4);
    let detection = u64::from(interval) * 3;
    eventually("BFD at its agreed pace", SOON, || {
        let peers = world.lab.tor().ask_json("bfdd", "show bfd peers json").map_err(|e| e.to_string())?;
        let up = |peer: &serde_json::Value| {
            let pace = peer["receive-interval"].as_u64()?.max(peer["remote-transmit-interval"].as_u64()?);
            let detects = pace * peer["remote-detect-multiplier"].as_u64()?;
            Some(peer["peer"] == "10.0.0.1" && peer["status"] == "up" && detects == detection)
        };
        let found = peers.as_array().is_some_and(|peers| peers.iter().any(|peer| up(peer) == Some(true)));
        if found { Ok(()) } else { Err(peers.to_string()) }
    })
    .unwrap();
    let silent = world.lab.silence(NODE).unwrap();
    let window = world.unrouted_since(VIP4, silent);
    world.lab.unsilence(NODE).unwrap();
    window
}

/// Any process of the daemon is restarted: set up again within a second of its answering, and counted.
pub fn a_restart_of_ospf_is_healed<F: Fixture>() {
    let world = world::<F>("restart6", Ospf::default());
    world.hold(VIP4);
    world.hold(VIP6);
    let world = world.driven();
    let plan = changed(plan(&[(VIP4, 10), (VIP6, 10)]), |plan| plan.bfd = Some(plans::bfd_every(100)));
    world.plan(&plan);
    world.routed(VIP4);
    world.routed(VIP6);
    let before = F::our_lines(world.node());
    for (count, process) in F::OSPF_PROCESSES.iter().enumerate() {
        F::crash(world.node(), process);
        eventually(&format!("{process} set up again"), Duration::from_secs(1), || {
            let (lines, seen) = (F::our_lines(world.node()), world.seen.borrow().clone());
            let counted = seen.restarts == count as u64 + 1;
            if lines == before && counted { Ok(()) } else { Err(format!("{seen:?} {lines:?}")) }
        })
        .unwrap();
        world.sees("neighbours Full, prefixes announced", |seen| {
            let full = |seen: &&novaedge::model::adjacency::Neighbor| seen.state == NeighborState::Full;
            seen.neighbors.values().filter(full).count() == 2
                && seen.announced.len() == 2
                && seen.trouble.is_none()
        });
        world.routed(VIP4);
        world.routed(VIP6);
    }
}

const STEPS: usize = 300;

/// Prefixes that come, go and change what they cost, one change after the other and no pause between: at the
/// end the ToR has what was asked for last, and its adjacency has seen nothing of it.
pub fn any_routes_follow_any_others<F: Fixture>() {
    let mut world = world::<F>("walk6", Ospf::default());
    let all: Vec<String> =
        (1..=12).flat_map(|k| [format!("10.202.0.{k}/32"), format!("2001:db8:2::{k}/128")]).collect();
    all.iter().for_each(|prefix| world.hold(prefix));
    world.apply(&plan(&[]));
    full(&mut world);
    let (began, seed) = (changes(&world), fastrand::u64(..));
    let mut rng = Rng::with_seed(seed);
    let mut routes: BTreeMap<&str, u16> = BTreeMap::new();
    for step in 0..STEPS {
        let prefix = all[rng.usize(..all.len())].as_str();
        // One cost for all of OSPFv3: not every daemon can do more.
        let cost = if prefix.contains(':') { 10 } else { [5, 10, u16::MAX][rng.usize(..3)] };
        match rng.u8(..3) {
            0 => routes.remove(prefix),
            _ => routes.insert(prefix, cost),
        };
        let next = plan(&routes.iter().map(|(prefix, cost)| (*prefix, *cost)).collect::<Vec<_>>());
        let applied = world.try_apply(&next);
        let applied = applied.unwrap_or_else(|error| panic!("seed {seed}, step {step}: {error}"));
        assert!(applied.refused.is_empty(), "seed {seed}, step {step}: {applied:?}");
        assert_eq!(world.try_apply(&next).unwrap().changes, 0, "seed {seed}, step {step}");
    }
    for prefix in &all {
        match routes.get(prefix.as_str()) {
            Some(cost) => costs(&world, prefix, u64::from(*cost) + 10),
            None => world.unrouted(prefix),
        }
    }
    assert_eq!(changes(&world), began, "seed {seed}");
}

const MANY: u16 = 1000;
/// What one LSA has room for.
const MANY6: u16 = 50;

/// A thousand of IPv4, and fifty of IPv6.
pub fn a_thousand_routes_share_one_adjacency<F: Fixture>() {
    let mut world = world::<F>("scale6", Ospf::default());
    let v4 = (0..MANY).map(|k| format!("10.201.{}.{}/32", k / 250, k % 250 + 1));
    let all: Vec<String> = v4.chain((0..MANY6).map(|k| format!("2001:db8:1::{:x}/128", k + 1))).collect();
    let held = all.iter().map(|prefix| format!("addr add {prefix} dev lo valid_lft 600 preferred_lft 0\n"));
    world.node().netns().ip_batch(&held.collect::<String>()).unwrap();
    world.apply(&plan(&[]));
    full(&mut world);
    let began = changes(&world);
    let since = Instant::now();
    world.apply(&plan(&all.iter().map(|prefix| (prefix.as_str(), 10)).collect::<Vec<_>>()));
    let routed =
        |fib: &novaedge_lab::Fib| all.iter().all(|prefix| fib.nodes(prefix.parse().unwrap()).contains(&NODE));
    let took = world.fib.wait("all routes", since, SOON, routed).unwrap() - since;
    println!("{} routes by OSPF after {took:?}", all.len());
    world.sees("all announced", |seen| seen.announced.len() == all.len());
    let since = Instant::now();
    world.apply(&plan(&[]));
    let none =
        |fib: &novaedge_lab::Fib| all.iter().all(|prefix| fib.nodes(prefix.parse().unwrap()).is_empty());
    println!("and gone after {:?}", world.fib.wait("no route", since, SOON, none).unwrap() - since);
    assert_eq!(changes(&world), began);
}

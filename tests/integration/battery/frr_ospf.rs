//! OSPF in FRR alone: the operator's lines beside ours.

use super::frr::OfFrr;
use super::ospf::plan;
use super::plans::{Plan, route};
use super::world::World;
use novaedge::plan::RoutingPlan;
use novaedge::routing::ApplyError;
use novaedge_lab::Node;
use novaedge_lab::ospf::Ospf;

const VIP4: &str = "10.200.0.20/32";
const VIP6: &str = "2001:db8::50/128";

fn world(name: &str) -> World<OfFrr> {
    World::of(name, |lab| lab.ospf(Ospf::default()))
}

/// What one daemon has, without the frame and the notes on where it logs.
fn running(node: &Node, daemon: &str) -> Vec<String> {
    let text = node.frr().ask(daemon, "show running-config").unwrap();
    let lines = text.lines().map(str::trim_end).filter(|line| !matches!(*line, "" | "!" | "exit"));
    lines.filter(|line| !line.starts_with('!')).map(str::to_owned).collect()
}

/// Lines that an operator adds to an interface, to `lo` and to our instance outlive all that we do there.
#[test]
fn lines_of_the_operators_beside_ours_stay() {
    let mut world = world("beside");
    world.hold(VIP4);
    world.hold(VIP6);
    let of_v2 = ["interface eth0", "ip ospf cost 7", "exit", "interface eth9", "ip ospf priority 3", "exit"];
    world.node().frr().configure("ospfd", &of_v2).unwrap();
    let of_v3 = ["interface eth9", "ipv6 ospf6 hello-interval 3", "exit"];
    world.node().frr().configure("ospf6d", &of_v3).unwrap();
    let of_zebra = ["route-map MINE permit 10", "exit", "ip protocol ospf route-map MINE"];
    world.node().frr().configure("zebra", &of_zebra).unwrap();
    let daemons = ["ospfd", "ospf6d", "zebra"];
    let before = daemons.map(|daemon| running(world.node(), daemon));
    world.apply(&plan(&[(VIP4, 10), (VIP6, 10)]));
    world.routed(VIP4);
    world.routed(VIP6);
    let both = daemons.map(|daemon| running(world.node(), daemon));
    for (before, both) in before.iter().zip(&both) {
        let missing: Vec<_> = before.iter().filter(|line| !both.contains(line)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
    world.apply(&Plan(RoutingPlan::default()));
    world.unrouted(VIP4);
    assert_eq!(daemons.map(|daemon| running(world.node(), daemon)), before);
}

/// An instance that the operator runs is not taken over, and the VIPs say so; OSPFv3 is nobody's and goes in.
#[test]
fn an_instance_of_the_operators_stays_and_is_told_of() {
    let mut world = world("theirs");
    world.hold(VIP4);
    world.hold(VIP6);
    let theirs = ["router ospf", "ospf router-id 10.0.0.11", "network 10.0.0.0/24 area 0", "exit"];
    world.node().frr().configure("ospfd", &theirs).unwrap();
    let before = running(world.node(), "ospfd");
    let plan = plan(&[(VIP4, 10), (VIP6, 10)]);
    let error = world.try_apply(&plan).unwrap_err();
    assert!(matches!(&error, ApplyError::Refused { answer, .. } if answer.contains("by BGP")), "{error}");
    world.routed(VIP6);
    assert_eq!(running(world.node(), "ospfd"), before);
    let seen = world.sees("the refusal", |seen| !seen.refused.is_empty());
    assert_eq!(seen.refused.keys().copied().collect::<Vec<_>>(), [route(VIP4)]);
}

/// Our lines that somebody has changed by hand are ours again after the next plan.
#[test]
fn hand_edits_of_ours_are_healed() {
    let mut world = world("edits");
    world.hold(VIP4);
    world.hold(VIP6);
    let plan = plan(&[(VIP4, 10), (VIP6, 10)]);
    world.apply(&plan);
    world.routed(VIP4);
    world.routed(VIP6);
    let before = ["ospfd", "ospf6d", "zebra"].map(|daemon| running(world.node(), daemon));
    let edits: [(&str, &[&str]); 6] = [
        ("ospfd", &["interface eth0", "ip ospf hello-interval 7", "exit"]),
        ("ospfd", &["interface lo", "ip ospf cost 99 10.200.0.20", "exit"]),
        ("ospfd", &["router ospf", "no max-metric router-lsa administrative", "exit"]),
        ("ospf6d", &["interface lo", "ipv6 ospf6 cost 44", "exit"]),
        ("ospf6d", &["no ipv6 prefix-list NOVAEDGE-OSPF6 permit 2001:db8::50/128"]),
        ("zebra", &["no ip protocol ospf route-map NOVAEDGE-NONE"]),
    ];
    for (daemon, lines) in edits {
        world.node().frr().configure(daemon, lines).unwrap();
        assert!(world.try_apply(&plan).unwrap().changes > 0, "{lines:?}");
        let after = ["ospfd", "ospf6d", "zebra"].map(|daemon| running(world.node(), daemon));
        assert_eq!(after, before, "{lines:?}");
    }
    world.routed(VIP4);
    world.routed(VIP6);
}

/// Of OSPFv3 there is one cost: the lowest. Another one is refused by itself.
#[test]
fn another_cost_in_ospfv3_is_refused_alone() {
    let mut world = world("costs");
    let other = "2001:db8::51/128";
    [VIP4, VIP6, other].iter().for_each(|prefix| world.hold(prefix));
    let applied = world.try_apply(&plan(&[(VIP4, 3), (VIP6, 10), (other, 20)])).unwrap();
    assert_eq!(applied.refused.keys().copied().collect::<Vec<_>>(), [route(other)]);
    world.routed(VIP6);
    // One that leaves alone is no longer there, and the others are as they were.
    let applied = world.try_apply(&plan(&[(VIP4, 3), (VIP6, 10), (other, u16::MAX)])).unwrap();
    assert_eq!(applied.refused, Default::default());
    world.routed(VIP6);
    world.unrouted(other);
}

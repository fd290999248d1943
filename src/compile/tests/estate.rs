//! What all nodes together make of a world.

use super::*;
use crate::model::bgp::Audience;
use crate::model::net::HostRoute;
use crate::model::vip::Reach;

const NODES: &str = "
---
kind: Node
metadata: {name: n1, labels: {rack: a}, annotations: {novaedge.io/asn-index: '1'}}
---
kind: Node
metadata: {name: n2, labels: {rack: b}, annotations: {novaedge.io/asn-index: '2'}}
---
kind: Node
metadata: {name: n3, labels: {rack: b}, annotations: {novaedge.io/asn-index: '3'}}";

type Served = BTreeMap<Name, BTreeSet<Name>>;

/// The world with three nodes.
fn estate(yaml: &str, accepted: &Accepted, serving: &Served) -> (Estate, BTreeMap<Name, Snapshot>) {
    let world = world(&format!("{yaml}{NODES}"));
    let nodes = world.nodes.keys().cloned().collect();
    let given = Given { world: &world, accepted, pools: None, nodes: &nodes, serving };
    let estate = Estate::compile(&given, &mut Memory::default());
    let snapshots = estate.snapshots(&BTreeMap::new());
    (estate, snapshots)
}

fn fresh(yaml: &str) -> (Estate, BTreeMap<Name, Snapshot>) {
    estate(yaml, &Accepted::default(), &Served::new())
}

/// `n1: web, other`, one line each.
fn where_are(snapshots: &BTreeMap<Name, Snapshot>) -> Vec<String> {
    let names =
        |snapshot: &Snapshot| snapshot.vips.keys().map(Name::to_string).collect::<Vec<_>>().join(", ");
    snapshots.iter().map(|(node, snapshot)| format!("{node}: {}", names(snapshot))).collect()
}

fn said(estate: &Estate) -> Vec<String> {
    estate.rejections.iter().map(|r| format!("{}: {}: {}", r.object, r.field, r.reason)).collect()
}

/// Only for rack b, with another AS number than the others have.
fn at_odds(name: &str, address: &str) -> String {
    vip(name, address, "  nodeSelector: {matchLabels: {rack: b}}\n").replace("64501", "64777")
}

#[test]
fn equal_nodes_share_the_bulk_of_their_snapshots() {
    let (_, snapshots) = fresh(&good());
    let [a, b, c] = ["n1", "n2", "n3"].map(|node| &snapshots[&name(node)]);
    assert!(Arc::ptr_eq(&a.vips, &b.vips) && Arc::ptr_eq(&b.vips, &c.vips));
    assert!(Arc::ptr_eq(&a.serving, &b.serving));
    assert_eq!((a.node.as_str(), c.node.as_str()), ("n1", "n3"));
}

#[test]
fn a_node_has_its_own_endpoints_and_its_own_as() {
    let local = good().replace(
        "{endpoints: [{address: 10.9.0.1, port: 8080}]}",
        "{trafficPolicy: Local, endpoints: [{address: 10.9.0.1, port: 1, nodeName: n1}, {address: 10.9.0.2, port: 2, nodeName: n2}]}",
    );
    let (_, snapshots) = fresh(&local.replace("localAS: 64501", "localASBase: 65000"));
    let endpoints = |node: &str| {
        let backends = &snapshots[&name(node)].serving.backends;
        backends.values().flat_map(|b| &b.endpoints).map(|e| e.address.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(endpoints("n1"), ["10.9.0.1:1"]);
    assert_eq!(endpoints("n2"), ["10.9.0.2:2"]);
    assert_eq!(endpoints("n3"), Vec::<String>::new());
    let asn = |node: &str| snapshots[&name(node)].speaker.as_ref().unwrap().asn.get();
    assert_eq!(["n1", "n2", "n3"].map(asn), [65001, 65002, 65003]);
}

#[test]
fn an_edit_is_for_all_nodes_or_for_none() {
    let old = vip("old", "10.200.0.20", "  nodeSelector: {matchLabels: {rack: b}}\n");
    let young = vip("young", "10.200.0.21", "");
    let before = fresh(&format!("{old}\n---{young}"));
    assert_eq!(where_are(&before.1), ["n1: young", "n2: old, young", "n3: old, young"]);
    // On n1 nobody would mind.
    let edited = young.replace("64501", "64777");
    let after = estate(&format!("{old}\n---{edited}"), &before.0.accepted(), &Served::new());
    assert_eq!(after.1, before.1);
    assert!(said(&after.0).contains(&"ProxyVIP young: spec.bgpConfig.localAS: Conflicted".to_owned()));
    assert_eq!(after.0.accepted(), before.0.accepted());
}

#[test]
fn a_new_vip_is_served_where_the_speakers_take_it_and_never_slips_in_elsewhere() {
    let old = at_odds("old", "10.200.0.20");
    let yaml = format!("{old}\n---{}", vip("young", "10.200.0.21", ""));
    let first = fresh(&yaml);
    assert_eq!(where_are(&first.1), ["n1: young", "n2: old", "n3: old"]);
    let again = estate(&yaml, &first.0.accepted(), &Served::new());
    assert_eq!(again.1, first.1);
    assert_eq!(again.0.accepted(), first.0.accepted());
}

#[test]
fn a_node_that_is_no_candidate_any_more_goes_on_until_it_has_let_go() {
    let web = |rack: &str| {
        let selector = format!("  nodeSelector: {{matchLabels: {{rack: {rack}}}}}\n");
        format!("{}\n---{}", vip("web", "10.200.0.20", &selector), vip("other", "10.200.0.21", ""))
    };
    let before = fresh(&web("a"));
    assert_eq!(where_are(&before.1), ["n1: other, web", "n2: other", "n3: other"]);
    let serving = Served::from([(name("n1"), BTreeSet::from([name("web"), name("other")]))]);
    let (estate_now, after) = estate(&web("b"), &before.0.accepted(), &serving);
    assert_eq!(where_are(&after), ["n1: other, web", "n2: other, web", "n3: other, web"]);
    let web_name = name("web");
    let candidates: Vec<_> = estate_now.nodes_of(&web_name).map(|(node, is)| (node.as_str(), is)).collect();
    assert_eq!(candidates, [("n1", false), ("n2", true), ("n3", true)]);
    let (_, gone) = estate(&web("b"), &estate_now.accepted(), &Served::new());
    assert_eq!(where_are(&gone), ["n1: other", "n2: other, web", "n3: other, web"]);
}

#[test]
fn a_node_that_has_lost_its_number_goes_on_with_it() {
    let web = vip("web", "10.200.0.20", "").replace("localAS: 64501", "localASBase: 65000");
    let before = fresh(&web);
    let world = world(&format!("{web}{}", NODES.replace(", annotations: {novaedge.io/asn-index: '2'}", "")));
    let nodes = world.nodes.keys().cloned().collect();
    let accepted = before.0.accepted();
    let given =
        Given { world: &world, accepted: &accepted, pools: None, nodes: &nodes, serving: &Served::new() };
    let after = Estate::compile(&given, &mut Memory::default());
    assert_eq!(after.snapshots(&BTreeMap::new()), before.1);
    assert_eq!(said(&after), ["ProxyVIP web: spec.bgpConfig.localASBase: Missing"]);
    assert!(after.rejections[0].message.contains("node n2"), "{}", after.rejections[0]);
}

#[test]
fn addresses_come_from_pools_where_somebody_gives_them() {
    let web = vip("web", "X", "  poolRef: {name: p}\n").replace("  address: X\n", "");
    let world = world(&format!("{web}{NODES}"));
    let nodes = world.nodes.keys().cloned().collect();
    let compile = |pools: &Allocations| {
        let accepted = Accepted::default();
        let given = Given {
            world: &world,
            accepted: &accepted,
            pools: Some(pools),
            nodes: &nodes,
            serving: &Served::new(),
        };
        Estate::compile(&given, &mut Memory::default())
    };
    let waiting = compile(&Allocations::new());
    assert_eq!((waiting.vips().count(), said(&waiting)), (0, Vec::new()), "ipam says why");
    let addresses = vec![HostRoute::parse("10.200.0.9/32").unwrap()];
    let given = compile(&Allocations::from([(name("web"), addresses.try_into().unwrap())]));
    let snapshot = &given.snapshots(&BTreeMap::new())[&name("n3")];
    let Reach::Bgp(route) = &snapshot.vips[&name("web")].reach else { panic!("not by BGP") };
    assert!(matches!(&route.audience, Audience::Peers(peers) if peers.len() == 1));
    assert!(snapshot.vips[&name("web")].addresses.contains("10.200.0.9".parse().unwrap()));
}

#[test]
fn a_pool_adds_what_is_not_written() {
    let table = [
        ("", "10.200.0.9/32", "10.200.0.9/32"),
        ("addressFamily: ipv6", "2001:db8::9/128", "2001:db8::9/128"),
        ("addressFamily: dual", "10.200.0.9/32 2001:db8::9/128", "10.200.0.9/32 2001:db8::9/128"),
        ("addressFamily: dual\n  address: 10.200.0.1", "2001:db8::9/128", "10.200.0.1/32 2001:db8::9/128"),
        ("addressFamily: dual\n  address: 2001:db8::1", "10.200.0.9/32", "10.200.0.9/32 2001:db8::1/128"),
        ("addressFamily: dual\n  ipv6Address: 2001:db8::1", "10.200.0.9/32", "10.200.0.9/32 2001:db8::1/128"),
        ("addressFamily: dual", "10.200.0.9/32", ""),
    ];
    for (written, given, expected) in table {
        let web =
            vip("web", "X", "  poolRef: {name: p}\n").replace("  address: X\n", &format!("  {written}\n"));
        let world = world(&format!("{web}{NODES}"));
        let given = given.split(' ').map(|one| HostRoute::parse(one).unwrap()).collect::<Vec<_>>();
        let pools = Allocations::from([(name("web"), given.try_into().unwrap())]);
        let nodes = world.nodes.keys().cloned().collect();
        let (accepted, serving) = (Accepted::default(), Served::new());
        let given = Given {
            world: &world,
            accepted: &accepted,
            pools: Some(&pools),
            nodes: &nodes,
            serving: &serving,
        };
        let estate = Estate::compile(&given, &mut Memory::default());
        let found: Vec<_> =
            estate.vips().flat_map(|(_, draft)| draft.addresses.iter()).map(|r| r.to_string()).collect();
        assert_eq!(found.join(" "), expected, "{written}");
        assert_eq!(said(&estate), Vec::<String>::new(), "{written}");
    }
}

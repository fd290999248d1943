//! One VIP of several that leaves: from one node, from all of them, to another address; and a whole node that
//! leaves for a while (spec §2.5, §2.10). Four probes ask 2000 times a second altogether.

use super::estate::{Estate, SOON, vip, web};
use novaedge_lab::probe::Running;
use novaedge_lab::{FibWatch, NodeId, Report, eventually};
use std::time::{Duration, Instant};

const ONE: &str = "10.200.0.61/32";
const TWO: &str = "10.200.0.62/32";
const MOVED: &str = "10.200.0.63/32";
const LEAVER: u8 = 1;
/// A SYN that is dropped before a withdrawal comes back after a second, and finds nobody who has the VIP.
const RETRANSMISSION: Duration = Duration::from_millis(1100);

/// `one` and `two` share port 80 of every node; `two` only serves on nodes with the label.
fn served(name: &str, serve_two: &[u8]) -> (Estate, FibWatch) {
    let estate = Estate::standalone(name);
    let watch = estate.lab.watch_fib().unwrap();
    estate.write("nodes.yaml", &nodes(serve_two));
    estate.write("one.yaml", &vip("one", "address: 10.200.0.61", 300));
    estate.write("two.yaml", &two("10.200.0.62"));
    estate.write("web.yaml", &web("one", ""));
    estate.write(
        "more.yaml",
        "apiVersion: novaedge.io/v1alpha1\nkind: ProxyGateway\nmetadata: {name: more, namespace: default}\n\
         spec:\n  vipRef: two\n  listeners:\n  - {name: http, port: 80, protocol: HTTP}\n",
    );
    let since = Instant::now();
    for (name, prefix, by) in [("one", ONE, [1, 2, 3].as_slice()), ("two", TWO, serve_two)] {
        estate.wait_for_nodes(&watch, prefix, since, by);
        by.iter().for_each(|k| drop(estate.wait_for_phase(*k, name, "Announced", None)));
    }
    (estate, watch)
}

fn two(address: &str) -> String {
    let spec = format!("address: {address}\n  nodeSelector: {{matchLabels: {{serves: two}}}}");
    vip("two", &spec, 300)
}

/// The Node objects; these of them have the label that `two` selects by.
fn nodes(labelled: &[u8]) -> String {
    let node = |k| {
        let label = if labelled.contains(&k) { "two" } else { "none" };
        format!("apiVersion: v1\nkind: Node\nmetadata: {{name: n{k}, labels: {{serves: {label}}}}}\n---\n")
    };
    (1..=3).map(node).collect()
}

/// New and kept connections to one VIP.
struct Load {
    new: Running,
    kept: Running,
}

impl Load {
    /// `rate` of both together, a third of it on new connections: each costs as much as several requests.
    fn start(estate: &Estate, address: &str, rate: u32) -> Self {
        let probe = estate.lab.probe(format!("{address}:80").parse().unwrap());
        let (new, kept) = (probe.clone().rate(rate / 3), probe.rate(rate * 2 / 3).kept(40));
        let load = Self { new: new.start().unwrap(), kept: kept.start().unwrap() };
        load.another(200);
        load
    }

    fn another(&self, requests: usize) {
        for running in [&self.new, &self.kept] {
            running.wait_for(requests, SOON).unwrap();
        }
    }

    fn stop(self) -> [(&'static str, Report); 2] {
        [("new", self.new.stop().unwrap()), ("kept", self.kept.stop().unwrap())]
    }
}

fn nothing_failed(what: &str, load: Load) {
    for (kind, report) in load.stop() {
        println!("{what}, {kind} connections: {report}");
        let failures: Vec<_> = report.failures().take(5).collect();
        assert_eq!(report.failed(), 0, "{what}, {kind} connections: {failures:?}");
    }
}

/// Nor did anything between the change and the last moment before the withdrawal.
fn nothing_failed_before(withdrawal: Instant, change: Instant, what: &str, load: Load) {
    for (kind, report) in load.stop() {
        let before = report.before(withdrawal - RETRANSMISSION);
        println!("{what}, {kind} connections: {before}");
        assert!(before.since(change).sent() > 300, "{what}: {before}");
        assert_eq!(before.failed(), 0, "{what}: {:?}", before.failures().take(5).collect::<Vec<_>>());
    }
}

/// What the router's re-hash does to connections of other nodes is told apart.
fn nothing_failed_on(leaver: u8, what: &str, load: Load) {
    for (kind, report) in load.stop() {
        let (own, nobodys) = (report.failures_of(NodeId(leaver)), report.failures_of_nobody());
        let moved = report.failures_elsewhere(NodeId(leaver)).len();
        println!("{what}, {kind} connections: {report}\nfailed: own {}, moved {moved}", own.len());
        assert!(own.is_empty() && nobodys.is_empty(), "{what}, {kind} connections: {own:?} {nobodys:?}");
    }
}

fn is_released(estate: &Estate, k: u8, address: &str) {
    eventually(&format!("n{k} has released {address}"), SOON, || {
        let lo = estate.lab.node(k).netns().ip("-o addr show dev lo").map_err(|error| error.to_string())?;
        if lo.contains(address) { Err(lo) } else { Ok(()) }
    })
    .unwrap();
}

#[test]
fn a_vip_leaves_one_node_and_the_other_vip_does_not_notice() {
    let (estate, watch) = served("t-dep-one", &[1, 2, 3]);
    let (stays, leaves) =
        (Load::start(&estate, "10.200.0.61", 600), Load::start(&estate, "10.200.0.62", 1400));
    let neighbour = estate.lab.tor().neighbours().unwrap()[&NodeId(LEAVER)].clone();
    let since = Instant::now();
    estate.write("nodes.yaml", &nodes(&[2, 3]));
    let left = estate.wait_for_nodes(&watch, TWO, since, &[2, 3]);
    is_released(&estate, LEAVER, "10.200.0.62");
    leaves.another(300);
    println!("left the ToR after {:?}", left - since);
    nothing_failed("the VIP that stays", stays);
    nothing_failed_on(LEAVER, "the VIP that leaves", leaves);
    assert_eq!(watch.now().nodes(ONE.parse().unwrap()).len(), 3);
    let after = estate.lab.tor().neighbours().unwrap()[&NodeId(LEAVER)].clone();
    assert!(after.uptime_ms >= neighbour.uptime_ms, "the session was reset");

    let since = Instant::now();
    estate.write("nodes.yaml", &nodes(&[1, 2, 3]));
    estate.wait_for_nodes(&watch, TWO, since, &[1, 2, 3]);
}

/// With one node alone there is no re-hash, and nobody else to blame: whatever fails, this node has lost it.
#[test]
fn a_deleted_vip_is_served_to_its_withdrawal() {
    let (estate, watch) = served("t-dep-del", &[1]);
    let (stays, goes) =
        (Load::start(&estate, "10.200.0.61", 1000), Load::start(&estate, "10.200.0.62", 1000));
    let slow =
        estate.lab.probe("10.200.0.62:80".parse().unwrap()).rate(20).path("/slow/1500").start().unwrap();
    slow.wait_for(20, SOON).unwrap();
    let since = Instant::now();
    estate.remove("two.yaml");
    let gone = estate.wait_for_nodes(&watch, TWO, since, &[]);
    is_released(&estate, LEAVER, "10.200.0.62");
    println!("withdrawn after {:?}", gone - since);
    nothing_failed("the VIP that stays", stays);
    nothing_failed_before(gone, since, "the deleted VIP", goes);
    let slow = slow.stop().unwrap().before(since);
    println!("in flight at the deletion: {slow}");
    assert_eq!(slow.failed(), 0, "{:?}", slow.failures().take(5).collect::<Vec<_>>());
}

#[test]
fn an_edited_address_is_announced_and_served_before_the_old_one_leaves() {
    let (estate, watch) = served("t-dep-edit", &[1]);
    let (stays, moves) = (Load::start(&estate, "10.200.0.61", 800), Load::start(&estate, "10.200.0.62", 800));
    let since = Instant::now();
    estate.write("two.yaml", &two("10.200.0.63"));
    let there = estate.wait_for_nodes(&watch, MOVED, since, &[LEAVER]);
    let new = Load::start(&estate, "10.200.0.63", 400);
    let left = estate.wait_for_nodes(&watch, TWO, since, &[]);
    is_released(&estate, LEAVER, "10.200.0.62");
    println!("new address after {:?}, old one gone after {:?}", there - since, left - since);
    assert!(there < left, "the old route left first");
    nothing_failed("the VIP that stays", stays);
    nothing_failed("the new address", new);
    nothing_failed_before(left, since, "the old address", moves);
}

#[test]
fn a_drained_node_leaves_stays_away_and_comes_back() {
    let (estate, watch) = served("t-drain", &[1, 2, 3]);
    let (one, two) = (Load::start(&estate, "10.200.0.61", 1000), Load::start(&estate, "10.200.0.62", 1000));
    let since = Instant::now();
    let said = estate.ask(LEAVER, &["drain", "--wait"]);
    let text = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success() && text.contains("novaedge-agent drain was said there"), "{text}");
    println!("drained after {:?}:\n{text}", since.elapsed());
    for prefix in [ONE, TWO] {
        estate.wait_for_nodes(&watch, prefix, since, &[2, 3]);
    }
    ["10.200.0.61", "10.200.0.62"].iter().for_each(|address| is_released(&estate, LEAVER, address));
    estate.agent(LEAVER).restart().unwrap();
    estate.wait_for_phase(LEAVER, "one", "Withdrawn", Some("Leaving"));
    assert_eq!(estate.status(LEAVER).unwrap()["wish"], "Drain");
    let told = String::from_utf8(estate.ask(LEAVER, &["snapshot"]).stdout).unwrap();
    assert!(told.contains("node: n1") && told.contains("10.200.0.62/32"), "{told}");

    let since = Instant::now();
    assert!(estate.ask(LEAVER, &["undrain"]).status.success());
    for (name, prefix) in [("one", ONE), ("two", TWO)] {
        estate.wait_for_nodes(&watch, prefix, since, &[1, 2, 3]);
        estate.wait_for_phase(LEAVER, name, "Announced", None);
    }
    one.another(500);
    nothing_failed_on(LEAVER, "one", one);
    nothing_failed_on(LEAVER, "two", two);
}

/// Half gone is not gone: what the steps took away comes back, and nobody notices but by the routers' re-hash.
#[test]
fn a_drain_that_is_taken_back_half_way_loses_nothing() {
    let (estate, watch) = served("t-undrain", &[1, 2, 3]);
    let (one, two) = (Load::start(&estate, "10.200.0.61", 1000), Load::start(&estate, "10.200.0.62", 1000));
    let since = Instant::now();
    assert!(estate.ask(LEAVER, &["drain"]).status.success());
    estate.wait_for_nodes(&watch, ONE, since, &[2, 3]);
    assert!(estate.ask(LEAVER, &["undrain"]).status.success());
    let back = Instant::now();
    for (name, prefix) in [("one", ONE), ("two", TWO)] {
        estate.wait_for_nodes(&watch, prefix, back, &[1, 2, 3]);
        estate.wait_for_phase(LEAVER, name, "Announced", None);
    }
    println!("asked back after {:?}, back {:?} later", back - since, back.elapsed());
    one.another(500);
    nothing_failed_on(LEAVER, "one", one);
    nothing_failed_on(LEAVER, "two", two);
}

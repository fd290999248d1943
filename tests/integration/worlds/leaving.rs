//! A node that leaves on purpose loses nobody's request (spec §2.5).

use super::estate::{Estate, SOON, vip, web};
use novaedge_lab::builder::Builder;
use novaedge_lab::{Lab, NodeId, Report, Routing, RoutingDaemon};
use std::time::{Duration, Instant};

const VIP: &str = "10.200.0.60/32";
/// The first: what its leaving moves in the ToR's hash ranges hurts others too, which is told apart.
const LEAVER: u8 = 1;

fn leave(lab: Builder, kept: bool) -> (Report, NodeId) {
    let estate = Estate::of(lab);
    let watch = estate.lab.watch_fib().unwrap();
    estate.write("vip.yaml", &vip("web", "address: 10.200.0.60", 300));
    estate.write("web.yaml", &web("web", ""));
    estate.wait_for_nodes(&watch, VIP, Instant::now(), &[1, 2, 3]);
    (1..=3).for_each(|k| drop(estate.wait_for_phase(k, "web", "Announced", None)));

    let probe = estate.lab.probe("10.200.0.60:80".parse().unwrap()).rate(1000);
    let probe = if kept { probe.kept(60) } else { probe };
    let running = probe.start().unwrap();
    running.wait_for(1000, SOON).unwrap();
    let asked = Instant::now();
    estate.agent(LEAVER).term();
    let ended = estate
        .agent(LEAVER)
        .wait(Duration::from_secs(30))
        .unwrap_or_else(|e| panic!("{e:#}\n{}", estate.agent(LEAVER).log()));
    println!("left after {:?} with {ended}", asked.elapsed());
    assert!(ended.success(), "{}", estate.agent(LEAVER).log());
    estate.wait_for_nodes(&watch, VIP, asked, &[2, 3]);
    let report = running.stop().unwrap();
    nothing_remains(&estate);
    (report, NodeId(LEAVER))
}

/// Addresses, rules and configuration of ours are gone from the node that left.
fn nothing_remains(estate: &Estate) {
    let node = estate.lab.node(LEAVER);
    let addresses = node.netns().ip("-o addr show dev lo").unwrap();
    assert!(!addresses.contains("10.200.0.60"), "{addresses}");
    let tables = node.netns().exec("nft", &["list", "tables"]).unwrap();
    assert!(!tables.contains("novaedge"), "{tables}");
    let running = match node.routing() {
        Routing::Frr => node.frr().ask("bgpd", "show running-config").unwrap(),
        Routing::Bird(bird) => bird.ask("show protocols all").unwrap(),
        Routing::Gobgp(gobgp) => ["neighbor", "global rib", "global rib -a ipv6", "policy"]
            .map(|words| gobgp.ask(&words.split(' ').collect::<Vec<_>>()).unwrap())
            .concat(),
    };
    assert!(!running.to_lowercase().contains("novaedge") && !running.contains("10.200.0.60"), "{running}");
    let told = estate.ask(LEAVER, &["status"]);
    assert_eq!(told.status.code(), Some(1), "nobody answers any more");
}

fn check(report: &Report, leaver: NodeId) {
    let moved = report.failures_elsewhere(leaver).len();
    println!("{report}");
    println!(
        "failed: on the leaving node {}, moved by the ToR's re-hash {moved}",
        report.failures_of(leaver).len()
    );
    assert!(report.per_node().get(&leaver).is_some_and(|answered| *answered > 100), "{report}");
    assert!(report.failures_of(leaver).is_empty(), "{:?}", report.failures_of(leaver));
    assert!(report.failures_of_nobody().is_empty(), "{:?}", report.failures_of_nobody());
}

#[test]
fn new_connections_lose_nothing_on_the_leaving_node() {
    let (report, leaver) = leave(Lab::builder("t-leave-new"), false);
    check(&report, leaver);
}

#[test]
fn kept_connections_lose_nothing_on_the_leaving_node() {
    let (report, leaver) = leave(Lab::builder("t-leave-kept"), true);
    check(&report, leaver);
}

#[test]
fn new_connections_lose_nothing_on_a_node_with_bird() {
    let (report, leaver) = leave(Lab::builder("t-leave-new-b").routing(RoutingDaemon::Bird), false);
    check(&report, leaver);
}

#[test]
fn kept_connections_lose_nothing_on_a_node_with_bird() {
    let (report, leaver) = leave(Lab::builder("t-leave-kept-b").routing(RoutingDaemon::Bird), true);
    check(&report, leaver);
}

#[test]
fn new_connections_lose_nothing_on_a_node_with_gobgp() {
    let (report, leaver) = leave(Lab::builder("t-leave-new-g").routing(RoutingDaemon::Gobgp4), false);
    check(&report, leaver);
}

#[test]
fn kept_connections_lose_nothing_on_a_node_with_gobgp() {
    let (report, leaver) = leave(Lab::builder("t-leave-kept-g").routing(RoutingDaemon::Gobgp3), true);
    check(&report, leaver);
}

#[test]
fn a_leaving_node_says_so() {
    let estate = Estate::up("t-leave-say");
    let watch = estate.lab.watch_fib().unwrap();
    estate.write("vip.yaml", &vip("web", "address: 10.200.0.60", 300));
    estate.write("web.yaml", &web("web", ""));
    estate.wait_for_nodes(&watch, VIP, Instant::now(), &[1, 2, 3]);
    (1..=3).for_each(|k| drop(estate.wait_for_phase(k, "web", "Announced", None)));
    estate.agent(LEAVER).term();
    estate.wait_for_phase(LEAVER, "web", "Draining", Some("Leaving"));
    novaedge_lab::eventually("the community arrives", SOON, || {
        let seen = estate.lab.tor().communities(VIP).map_err(|error| error.to_string())?;
        let of_leaver = seen.get(&NodeId(LEAVER)).cloned().unwrap_or_default();
        if of_leaver.iter().any(|c| c.eq_ignore_ascii_case("gracefulShutdown") || c == "graceful-shutdown") {
            Ok(())
        } else {
            Err(format!("{seen:?}"))
        }
    })
    .unwrap();
}

//! Every way to say that a node shall leave, under 2000 requests a second: nobody's request is lost on it
//! (spec §2.5).

use super::estate::{Estate, SOON, vip, web};
use novaedge_lab::probe::Running;
use novaedge_lab::{FibWatch, NodeId, Report, Sample};
use std::time::{Duration, Instant};

const VIP: &str = "10.200.0.75/32";
const LEAVER: u8 = 1;

/// The Node objects, with this in the leaver's.
fn nodes(leaver: &str) -> String {
    let node = |k| {
        let more = if k == LEAVER { leaver } else { "" };
        format!("apiVersion: v1\nkind: Node\nmetadata:\n  name: n{k}\n{more}---\n")
    };
    (1..=3).map(node).collect()
}

/// New and kept connections, 1000 requests a second each.
fn load(estate: &Estate) -> [Running; 2] {
    let probe = estate.lab.probe("10.200.0.75:80".parse().unwrap()).rate(1000);
    let load = [probe.clone().start().unwrap(), probe.kept(60).start().unwrap()];
    load.iter().for_each(|running| running.wait_for(500, SOON).unwrap());
    load
}

fn check(what: &str, left: Duration, load: [Running; 2]) {
    for (kind, running) in ["new", "kept"].into_iter().zip(load) {
        let report: Report = running.stop().unwrap();
        let leaver = NodeId(LEAVER);
        let own = report.failures_of(leaver);
        // Whose handshake the re-hash cuts in two is reset before anybody can tell which node began it.
        let unexplained = |sample: &&Sample| sample.outcome.kind() != "reset";
        let nobodys: Vec<_> = report.failures_of_nobody().into_iter().filter(unexplained).collect();
        println!(
            "{what}, {kind} connections: out of the router's set after {left:.1?}; of {} requests failed on the leaving node {}, moved by the re-hash {}, late {}",
            report.sent(),
            own.len(),
            report.failures_elsewhere(leaver).len(),
            report.late()
        );
        assert!(report.per_node().get(&leaver).is_some_and(|answered| *answered > 50), "{what}: {report}");
        assert!(own.is_empty(), "{what}, {kind} connections: {own:?}");
        assert!(nobodys.is_empty(), "{what}, {kind} connections: {nobodys:?}");
    }
}

/// Says it, waits until the router has moved on and the node has let go, takes it back, and waits until it is back.
fn leave(estate: &Estate, watch: &FibWatch, what: &str, say: impl Fn(bool)) {
    let load = load(estate);
    let asked = Instant::now();
    say(true);
    let left = estate.wait_for_nodes(watch, VIP, asked, &[2, 3]) - asked;
    let status = estate.wait_for_phase(LEAVER, "web", "Withdrawn", Some("Leaving"));
    println!("{what}: {}", status["reasons"][0]["message"]);
    let back = Instant::now();
    say(false);
    estate.wait_for_nodes(watch, VIP, back, &[1, 2, 3]);
    check(what, left, load);
    estate.wait_for_phase(LEAVER, "web", "Announced", None);
}

#[test]
fn whoever_is_told_to_leave_loses_nothing() {
    let estate = Estate::up("t-triggers");
    let watch = estate.lab.watch_fib().unwrap();
    estate.write("nodes.yaml", &nodes(""));
    estate.write("vip.yaml", &vip("web", "address: 10.200.0.75", 300));
    estate.write("web.yaml", &web("web", ""));
    estate.wait_for_nodes(&watch, VIP, Instant::now(), &[1, 2, 3]);
    (1..=3).for_each(|k| drop(estate.wait_for_phase(k, "web", "Announced", None)));

    let written = |leaver: &'static str| {
        let estate = &estate;
        move |leave: bool| estate.write("nodes.yaml", &nodes(if leave { leaver } else { "" }))
    };
    leave(&estate, &watch, "cordon", written("spec: {unschedulable: true}\n"));
    leave(&estate, &watch, "annotation", written("  annotations: {novaedge.io/drain: \"true\"}\n"));
    let taint = "spec: {taints: [{key: node.kubernetes.io/out-of-service, value: nodeshutdown, effect: NoExecute}]}\n";
    leave(&estate, &watch, "out of service", written(taint));
    leave(&estate, &watch, "drain", |leave| {
        let said = estate.ask(LEAVER, &[if leave { "drain" } else { "undrain" }]);
        assert!(said.status.code().is_some_and(|code| code < 2), "{said:?}");
    });

    let load = load(&estate);
    let asked = Instant::now();
    estate.agent(LEAVER).term();
    let left = estate.wait_for_nodes(&watch, VIP, asked, &[2, 3]) - asked;
    let ended = estate.agent(LEAVER).wait(SOON).unwrap();
    assert!(ended.success(), "{}", estate.agent(LEAVER).log());
    check("SIGTERM", left, load);
}

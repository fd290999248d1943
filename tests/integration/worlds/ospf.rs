//! A led estate whose VIPs go out by OSPF: announced from nothing, left without a loss, gone with a dead agent.

use super::estate::{Estate, SOON, example, web};
use novaedge_lab::builder::Builder;
use novaedge_lab::ospf::{Auth, Ospf};
use novaedge_lab::probe::Running;
use novaedge_lab::{FibWatch, Lab, NodeId, Sample, eventually};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const VIP4: &str = "10.200.0.80/32";
const VIP6: &str = "2001:db8::80/128";
const LEAVER: u8 = 1;

fn lab(name: &str) -> Builder {
    Lab::builder(name).ospf(Ospf { auth: Auth::Md5("s3cret".into()), ..Ospf::default() })
}

/// An OSPF VIP as the lab's ToR speaks; `more` goes into its spec.
fn vip(more: &str) -> String {
    format!(
        "apiVersion: novaedge.io/v1alpha1
kind: ProxyVIP
metadata: {{name: web}}
spec:
  address: 10.200.0.80
  ipv6Address: 2001:db8::80
  mode: OSPF
  ports: [80]
  drain: {{period: 2s}}
  ospfConfig: {{areaID: 0, helloInterval: 1, deadInterval: 4, authType: md5, authKeySecretRef: {{name: ospf}}}}
  {more}
---
apiVersion: v1
kind: Secret
metadata: {{name: ospf, namespace: novaedge-system}}
stringData: {{password: s3cret}}
"
    )
}

/// The Node objects, with this in the leaver's.
fn nodes(leaver: &str) -> String {
    let node = |k| {
        let more = if k == LEAVER { leaver } else { "" };
        format!("apiVersion: v1\nkind: Node\nmetadata:\n  name: n{k}\n{more}---\n")
    };
    (1..=3).map(node).collect()
}

fn served(estate: &Estate) -> FibWatch {
    let watch = estate.lab.watch_fib().unwrap();
    let since = Instant::now();
    estate.write("nodes.yaml", &nodes(""));
    estate.write("vip.yaml", &vip(""));
    estate.write("web.yaml", &web("web", ""));
    // Three adjacencies, of two versions, from the first hello on.
    let (all, patience) = ([1, 2, 3].map(NodeId).into(), Duration::from_secs(40));
    let routed = watch.wait_for(VIP4, since, patience, |hops| hops.nodes() == all).unwrap();
    watch.wait_for(VIP6, since, patience, |hops| hops.nodes() == all).unwrap();
    println!("from nothing to three routes in {:.1?}", routed - since);
    (1..=3).for_each(|k| drop(estate.wait_for_phase(k, "web", "Announced", None)));
    watch
}

#[test]
fn it_is_announced_from_nothing_and_served_by_all() {
    let estate = Estate::of(lab("t-ospf"));
    served(&estate);
    for target in ["10.200.0.80:80", "[2001:db8::80]:80"] {
        let probe = estate.lab.probe(target.parse().unwrap()).rate(200);
        let report = probe.run_for(Duration::from_secs(2)).unwrap();
        assert_eq!(report.failed(), 0, "{report}");
        let answered: BTreeSet<NodeId> = report.per_node().keys().copied().collect();
        assert_eq!(answered, [1, 2, 3].map(NodeId).into(), "{target}: {report}");
    }
    let said = estate.ask(2, &["ospf", "status"]);
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    println!("{text}");
    // The ToR is Full, of both versions; the other nodes are no concern of this one.
    assert_eq!(
        text.lines().filter(|line| line.contains("10.0.0.254") && line.contains("Full/DR")).count(),
        2
    );
    assert!(said.status.success(), "{text}");
    let watched = estate.ask(2, &["ospf", "status", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&watched.stdout).unwrap();
    assert_eq!(json["v2/eth0/10.0.0.254"]["state"], "Full", "{json}");
}

/// New and kept connections, 1000 requests a second each.
fn load(estate: &Estate) -> [Running; 2] {
    let probe = estate.lab.probe("10.200.0.80:80".parse().unwrap()).rate(1000);
    let load = [probe.clone().start().unwrap(), probe.kept(60).start().unwrap()];
    load.iter().for_each(|running| running.wait_for(500, SOON).unwrap());
    load
}

fn nothing_was_lost(what: &str, load: [Running; 2]) {
    for (kind, running) in ["new", "kept"].into_iter().zip(load) {
        let report = running.stop().unwrap();
        let leaver = NodeId(LEAVER);
        let own = report.failures_of(leaver);
        // Whose handshake the re-hash cuts in two is reset before anybody can tell which node began it.
        let unexplained = |sample: &&Sample| sample.outcome.kind() != "reset";
        let nobodys: Vec<_> = report.failures_of_nobody().into_iter().filter(unexplained).collect();
        println!("{what}, {kind} connections: of {} requests failed there {}", report.sent(), own.len());
        assert!(report.per_node().get(&leaver).is_some_and(|answered| *answered > 50), "{what}: {report}");
        assert!(own.is_empty(), "{what}, {kind} connections: {own:?}");
        assert!(nobodys.is_empty(), "{what}, {kind} connections: {nobodys:?}");
    }
}

#[test]
fn whoever_leaves_loses_nothing() {
    let estate = Estate::of(lab("t-ospf-leave"));
    let watch = served(&estate);
    let cordoned = |cordoned: bool| {
        estate.write("nodes.yaml", &nodes(if cordoned { "spec: {unschedulable: true}\n" } else { "" }));
    };
    let drained = |drained: bool| {
        let said = estate.ask(LEAVER, &[if drained { "drain" } else { "undrain" }]);
        assert!(said.status.code().is_some_and(|code| code < 2), "{said:?}");
    };
    let ways: [(&str, &dyn Fn(bool)); 2] = [("cordon", &cordoned), ("drain", &drained)];
    for (what, say) in ways {
        let load = load(&estate);
        let asked = Instant::now();
        say(true);
        dearer(&estate);
        estate.wait_for_nodes(&watch, VIP4, asked, &[2, 3]);
        estate.wait_for_phase(LEAVER, "web", "Withdrawn", Some("Leaving"));
        let back = Instant::now();
        say(false);
        estate.wait_for_nodes(&watch, VIP4, back, &[1, 2, 3]);
        estate.wait_for_nodes(&watch, VIP6, back, &[1, 2, 3]);
        nothing_was_lost(what, load);
        estate.wait_for_phase(LEAVER, "web", "Announced", None);
    }
    let load = load(&estate);
    let asked = Instant::now();
    estate.agent(LEAVER).term();
    estate.wait_for_nodes(&watch, VIP4, asked, &[2, 3]);
    estate.wait_for_nodes(&watch, VIP6, asked, &[2, 3]);
    assert!(estate.agent(LEAVER).wait(SOON).unwrap().success(), "{}", estate.agent(LEAVER).log());
    nothing_was_lost("SIGTERM", load);
    let node = estate.lab.node(LEAVER);
    for daemon in ["ospfd", "ospf6d", "zebra"] {
        let running = node.frr().ask(daemon, "show running-config").unwrap();
        assert!(!running.contains("NOVAEDGE") && !running.contains("ospf area"), "{running}");
    }
}

/// Before the leaver's routes are gone they are there at the cost that others are preferred to.
fn dearer(estate: &Estate) {
    eventually("the leaver's routes cost 65535", SOON, || {
        let router = estate.lab.tor().ask("ospfd", "show ip ospf database router 10.0.0.1");
        let router = router.map_err(|error| format!("{error:#}"))?;
        let link = router.split("Link connected to:").find(|link| link.contains("10.200.0.80"));
        if link.is_some_and(|link| link.contains("TOS 0 Metric: 65535")) { Ok(()) } else { Err(router) }
    })
    .unwrap();
}

/// The kernel's lease on an address, and what the contract adds.
const BOUND: Duration = Duration::from_secs(3 + 2);

/// How long until the ToR has a node's word that the IPv6 address is not there any more. What the ToR's ospf6d makes
/// of it is its own affair: that of FRR 8.4 sometimes keeps one of several next hops of a prefix whose LSA is gone.
fn unsaid(estate: &Estate, k: u8, since: Instant) -> Duration {
    let question = format!("show ipv6 ospf6 database intra-prefix adv-router 10.0.0.{k} detail");
    eventually("the node's LSA without the address", SOON, || {
        let lsas = estate.lab.tor().ask("ospf6d", &question).map_err(|error| format!("{error:#}"))?;
        let told = lsas.contains("Intra-Prefix") && !lsas.contains(VIP6);
        if told { Ok(since.elapsed()) } else { Err(lsas) }
    })
    .unwrap()
}

#[test]
fn a_dead_or_stopped_agent_is_withdrawn_by_the_kernel_from_ospf() {
    let estate = Estate::of(lab("t-ospf-dead"));
    let watch = served(&estate);
    let killed = Instant::now();
    estate.agent(1).kill9();
    let gone = [estate.wait_for_nodes(&watch, VIP4, killed, &[2, 3]) - killed, unsaid(&estate, 1, killed)];
    println!("SIGKILL: routes gone after {gone:?}");
    let stopped = Instant::now();
    estate.agent(2).stop();
    let also = [estate.wait_for_nodes(&watch, VIP4, stopped, &[3]) - stopped, unsaid(&estate, 2, stopped)];
    println!("SIGSTOP: routes gone after {also:?}");
    assert!(gone.iter().chain(&also).all(|after| *after <= BOUND), "{gone:?} {also:?}");
    let back = Instant::now();
    estate.agent(2).cont();
    estate.agent(1).restart().unwrap();
    estate.wait_for_nodes(&watch, VIP4, back, &[1, 2, 3]);
    estate.wait_for_nodes(&watch, VIP6, back, &[1, 2, 3]);
}

/// The contract's example, as it is. Its timers are OSPF's usual ones: a router that starts waits 40 s before it
/// takes the designated router's part (RFC 2328 §9.4).
#[test]
fn example_07_is_announced_as_it_is() {
    let ospf = Ospf { hello: 10, dead: 40, auth: Auth::Md5("my-ospf-secret".into()), ..Ospf::default() };
    let estate = Estate::of(Lab::builder("t-ospf-07").ospf(ospf));
    let watch = estate.lab.watch_fib().unwrap();
    estate.write("vip.yaml", &example("07-ospf.yaml"));
    let all = [1, 2, 3].map(NodeId).into();
    let patience = Duration::from_secs(90);
    watch.wait_for("10.200.0.30/32", Instant::now(), patience, |hops| hops.nodes() == all).unwrap();
    (1..=3).for_each(|k| drop(estate.wait_for_phase(k, "web-vip-ospf", "Announced", Some("NoListeners"))));
}

//! The lab itself, live: nodes' FRRs configured by hand, the ToR's FIB, silence, the prober. Needs root.

use novaedge_lab::fib::Change;
use novaedge_lab::tor::BfdSession;
use novaedge_lab::{
    FibWatch, Knock, Lab, Node, NodeId, Outcome, Process, Program, Traffic, eventually, h2c_get, http_get,
    ping, tcp_connect,
};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(15);
const VIP4: &str = "10.200.0.20/32";
const VIP6: &str = "2001:db8::50/128";
/// Not the middle one of three: a router that spreads by hash ranges gives its flows to both neighbours, and
/// moves nobody else's.
const LEAVER: NodeId = NodeId(1);

#[test]
fn the_world_turns() {
    let started = Instant::now();
    let lab = Lab::builder("lab-t-world").bfd(100, 3).up().unwrap();
    eprintln!("up after {:?}", started.elapsed());

    let watch = lab.watch_fib().unwrap();
    lab.nodes().iter().for_each(announce_by_hand);
    wait_for_all(&lab, &watch, started);
    assert_eq!(lab.tor().established().unwrap(), everybody(&lab));

    for vip in ["10.200.0.20:80", "[2001:db8::50]:80"].map(|vip| vip.parse().unwrap()) {
        let _servers = serve_vip(&lab, vip);
        answers_come_from_everywhere(&lab, vip);
        silence_is_seen_and_measured(&lab, &watch, vip);
        a_leaving_node_is_told_from_the_others(&lab, &watch, vip);
    }
    a_restarted_daemon_has_forgotten(&lab, &watch);
    assert_eq!(lab.tor_fib().unwrap(), watch.now(), "what was heard comes to what is there");

    a_listener_greets(&lab);
    a_backend_says_who_it_is(&lab);
}

/// What an agent would do, by hand: both VIPs on `lo`, a session with BFD, both prefixes announced.
fn announce_by_hand(node: &Node) {
    node.netns().ip(&format!("addr replace {VIP4} dev lo")).unwrap();
    node.netns().ip(&format!("addr replace {VIP6} dev lo nodad")).unwrap();
    let timers = ["bfd", "profile p", "receive-interval 100", "transmit-interval 100"];
    node.frr().configure("bfdd", &timers).unwrap();
    let session = [
        "router bgp 64501",
        "no bgp ebgp-requires-policy",
        "neighbor 10.0.0.254 remote-as 64500",
        "neighbor 10.0.0.254 timers connect 1",
        "neighbor 10.0.0.254 bfd",
        "neighbor 10.0.0.254 bfd profile p",
        "address-family ipv4 unicast",
        &format!("network {VIP4}"),
        "exit-address-family",
        "address-family ipv6 unicast",
        "neighbor 10.0.0.254 activate",
        &format!("network {VIP6}"),
    ];
    node.frr().configure("bgpd", &session).unwrap();
}

fn everybody(lab: &Lab) -> BTreeSet<NodeId> {
    lab.topology().nodes().collect()
}

fn wait_for_all(lab: &Lab, watch: &FibWatch, since: Instant) {
    for vip in [VIP4, VIP6] {
        watch.wait_for(vip, since, SOON, |hops| hops.nodes() == everybody(lab)).unwrap();
    }
    eventually("BFD is up", SOON, || {
        let neighbours = lab.tor().neighbours().unwrap();
        let agreed = |bfd: &BfdSession| bfd.state == "up" && bfd.detection == Duration::from_millis(300);
        let up = |node: &NodeId| neighbours[node].bfd.as_ref().is_some_and(agreed);
        if everybody(lab).iter().all(up) { Ok(()) } else { Err(format!("{neighbours:?}")) }
    })
    .unwrap();
}

fn lab_program() -> Program {
    Program::new(novaedge_lab::backend::binary().unwrap())
}

fn serve_vip(lab: &Lab, vip: SocketAddr) -> Vec<Process> {
    let serve = |node: &Node| {
        let args = ["backend", "--node", &node.name(), "--name", "vip", "--listen", &vip.to_string()];
        let process = node.start("vip", lab_program().args(args)).unwrap();
        eventually("the VIP is served", SOON, || http_get(node.netns(), vip, "x", "/")).unwrap();
        process
    };
    lab.nodes().iter().map(serve).collect()
}

fn prefix(vip: SocketAddr) -> &'static str {
    if vip.is_ipv4() { VIP4 } else { VIP6 }
}

fn answers_come_from_everywhere(lab: &Lab, vip: SocketAddr) {
    assert!(ping(lab.client(), vip.ip(), SOON).unwrap().is_some());
    for traffic in [Traffic::New, Traffic::Kept(100), Traffic::Connect, Traffic::Datagrams] {
        let report = lab.probe(vip).traffic(traffic).run_for(Duration::from_secs(1)).unwrap();
        assert_eq!(report.failed(), 0, "{traffic:?}: {report}");
        assert!(report.sent() > 900, "{traffic:?}: {report}");
        let nodes: BTreeSet<_> = report.per_node().into_keys().collect();
        assert_eq!(nodes, everybody(lab), "{traffic:?}: {report}");
        let agree = report.samples.iter().all(|sample| match &sample.outcome {
            Outcome::Answered { backend: Some(backend), .. } => {
                sample.node().is_some_and(|node| *backend == format!("{node}/vip"))
            }
            _ => traffic == Traffic::Connect,
        });
        assert!(agree, "{traffic:?}: the node that accepted is not the node that answered");
    }
}

fn silence_is_seen_and_measured(lab: &Lab, watch: &FibWatch, vip: SocketAddr) {
    let probe =
        lab.probe(vip).traffic(Traffic::Datagrams).patience(Duration::from_millis(900)).start().unwrap();
    let silenced = lab.silence(LEAVER).unwrap();
    let away = |hops: &novaedge_lab::NextHops| !hops.is_empty() && !hops.nodes().contains(&LEAVER);
    let gone = watch.wait_for(prefix(vip), silenced, SOON, away).unwrap();
    let report = probe.stop().unwrap();
    let window = report.disturbance().expect("a third of the datagrams met the silence");
    let (hole, to_fib) = (window.length(), gone - silenced);
    eprintln!("silence to FIB {to_fib:?}, datagrams lost for {hole:?}\n{report}");
    let range = Duration::from_millis(150)..Duration::from_millis(800);
    assert!(range.contains(&to_fib), "BFD alone takes 200 to 300 ms, and a busy machine adds: {to_fib:?}");
    assert!(
        window.last < gone + Duration::from_millis(100) && hole > to_fib / 2,
        "both see the same silence"
    );

    let heard = lab.unsilence(LEAVER).unwrap();
    wait_for_all(lab, watch, heard);
}

fn a_leaving_node_is_told_from_the_others(lab: &Lab, watch: &FibWatch, vip: SocketAddr) {
    let (prefix, family) = (prefix(vip), if vip.is_ipv4() { "ipv4" } else { "ipv6" });
    let probe = lab.probe(vip).kept(300).start().unwrap();
    let bgpd = |line: &str| {
        let family = format!("address-family {family} unicast");
        lab.node(LEAVER.0).frr().configure("bgpd", &["router bgp 64501", &family, line]).unwrap();
    };
    probe.wait_for(600, SOON).unwrap();
    let before = Instant::now();
    bgpd(&format!("no network {prefix}"));
    let gone = watch.wait_for(prefix, before, SOON, |hops| !hops.nodes().contains(&LEAVER)).unwrap();
    probe.wait_for(600, SOON).unwrap();
    let report = probe.stop().unwrap();
    let (own, moved) = (report.failures_of(LEAVER).len(), report.failures_elsewhere(LEAVER).len());
    eprintln!("withdrawal: {own} flows of the leaver reset, {moved} of the others re-hashed\n{report}");
    assert!(own > 50 && moved > 10, "a re-hash moves both");
    assert_eq!(report.before(before).failed(), 0);
    let later = report.since(gone + Duration::from_millis(20));
    let met = later.samples.iter().filter(|sample| sample.flow == Some(LEAVER) && !sample.failed());
    assert_eq!(met.count(), 0, "nothing reaches the node that left");

    bgpd(&format!("network {prefix}"));
    watch.wait_for(prefix, gone, SOON, |hops| hops.nodes() == everybody(lab)).unwrap();
    let removed = watch.events(before).iter().any(|event| matches!(event.change, Change::Remove(..)));
    assert!(!removed, "the ToR replaces a route in one step, so that no packet finds none");
}

fn a_restarted_daemon_has_forgotten(lab: &Lab, watch: &FibWatch) {
    let node = lab.node(3);
    let killed = Instant::now();
    node.frr().daemon("bgpd").kill9();
    watch.wait_for(VIP6, killed, SOON, |hops| !hops.nodes().contains(&node.id())).unwrap();
    node.frr().daemon("bgpd").restart().unwrap();
    node.frr().wait_for("bgpd").unwrap();
    assert!(!node.frr().ask("bgpd", "show running-config").unwrap().contains("router bgp"));
    let restarted = Instant::now();
    announce_by_hand(node);
    wait_for_all(lab, watch, restarted);
}

fn a_listener_greets(lab: &Lab) {
    let node = lab.node(1);
    let address = SocketAddr::new(node.address6().into(), 22);
    assert_eq!(tcp_connect(lab.client(), address, SOON).unwrap(), Knock::Refused);
    let _sshd = node.start("sshd", lab_program().args(["listen", "--listen", &address.to_string()])).unwrap();
    let greeted = Knock::Accepted { by: Some(node.id()), banner: "SSH-2.0-lab".into() };
    eventually("a greeting", SOON, || match tcp_connect(lab.client(), address, SOON).unwrap() {
        knock if knock == greeted => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .unwrap();
}

fn a_backend_says_who_it_is(lab: &Lab) {
    let node = lab.node(1);
    let backend = node.backend("b");
    let sized = h2c_get(lab.client(), backend.address4(), "x", "/bytes/100000").unwrap();
    assert_eq!((sized.status, sized.body.len()), (200, 100_000));
    backend.set_health(503).unwrap();
    let answer = http_get(lab.client(), backend.address6(), "x", "/healthz").unwrap();
    assert_eq!((answer.status, answer.backend().as_deref()), (503, Some("n1/b")));
    assert_eq!(answer.accepted_by, Some(node.id()));
    backend.restart().unwrap();
    backend.wait_until_serving().unwrap();
    assert_eq!(backend.get("/healthz").unwrap().status, 200);
}

#[test]
fn the_tor_peers_as_it_is_told() {
    let builder = Lab::builder("lab-t-tor").nodes(2).without_backends().without_bfd();
    let lab = builder.as_numbers(64501, 64501).tor_password(1, "right").up().unwrap();
    let announce = |node: &Node, password: &str| {
        let lines = [
            "route-map marked permit 1",
            "set community 64501:100",
            "set local-preference 150",
            "exit",
            "router bgp 64501",
            "neighbor 10.0.0.254 remote-as 64501",
            "neighbor 10.0.0.254 timers connect 1",
            password,
            "address-family ipv4 unicast",
            "network 10.0.0.0/24 route-map marked",
        ];
        node.frr().configure("bgpd", &lines).unwrap();
    };
    announce(lab.node(1), "neighbor 10.0.0.254 password wrong");
    announce(lab.node(2), "no neighbor 10.0.0.254 password");
    let marked = BTreeMap::from([(NodeId(2), vec!["64501:100".to_owned()])]);
    let communities = || lab.tor().communities("10.0.0.0/24").unwrap();
    let wait_for_paths = |expected: &BTreeMap<NodeId, Vec<String>>| {
        let check = || if communities() == *expected { Ok(()) } else { Err(format!("{:?}", communities())) };
        eventually("the paths at the ToR", SOON, check).unwrap();
    };
    wait_for_paths(&marked);
    assert_eq!(lab.tor().established().unwrap(), [NodeId(2)].into(), "a wrong password makes no session");
    assert_eq!(lab.tor().paths("10.0.0.0/24").unwrap()[&NodeId(2)]["locPrf"], 150, "the session is internal");

    announce(lab.node(1), "neighbor 10.0.0.254 password right");
    wait_for_paths(&[NodeId(1), NodeId(2)].map(|node| (node, vec!["64501:100".to_owned()])).into());
    assert!(lab.tor().vtysh(&["show bgp summary"]).unwrap().contains("10.0.0.1"));
}

#[test]
fn a_crashed_run_leaves_nothing_that_hurts_the_next() {
    let name = "lab-t-crash";
    let lab = Lab::builder(name).nodes(1).without_backends().up().unwrap();
    let zebra = lab.node(1).frr().daemon("zebra").pid();
    assert!(Lab::builder(name).nodes(1).up().unwrap_err().to_string().contains("owns"), "it is still owned");
    lab.leave_standing();
    assert!(std::path::Path::new(&format!("/proc/{zebra}")).exists());
    novaedge_lab::state::remove_remains(name).unwrap();
    assert!(novaedge_lab::Netns::open(&format!("{name}-n1")).is_err());
    assert!(!std::path::Path::new(&format!("/run/frr/{name}-n1")).exists());
}

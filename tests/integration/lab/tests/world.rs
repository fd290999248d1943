//! The lab itself, live: a node's FRR configured by hand, the ToR's FIB, silence, the prober. Needs root.

use novaedge_lab::{Knock, Lab, NodeId, Program, Traffic, eventually, http_get, ping, tcp_connect};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(15);
const VIP4: &str = "10.200.0.20/32";
const VIP6: &str = "2001:db8::50/128";

/// What an agent would do, by hand: both VIPs on `lo`, a session with BFD, both prefixes announced.
fn announce_by_hand(lab: &Lab) {
    for node in lab.nodes() {
        node.netns().ip(&format!("addr add {VIP4} dev lo")).unwrap();
        node.netns().ip(&format!("addr add {VIP6} dev lo nodad")).unwrap();
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
}

fn everybody(lab: &Lab) -> BTreeSet<NodeId> {
    lab.topology().nodes().collect()
}

#[test]
fn the_world_turns() {
    let started = Instant::now();
    let lab = Lab::builder("lab-t-world").bfd(100, 3).up().unwrap();
    eprintln!("up after {:?}", started.elapsed());

    let watch = lab.watch_fib().unwrap();
    announce_by_hand(&lab);
    for vip in [VIP4, VIP6] {
        watch.wait_for(vip, started, SOON, |hops| hops.nodes() == everybody(&lab)).unwrap();
    }
    assert_eq!(lab.tor_fib().unwrap(), watch.now(), "what was heard comes to what is there");
    assert_eq!(lab.tor().established().unwrap(), everybody(&lab));

    answers_from_everywhere(&lab);
    a_listener_greets(&lab);
    silence_is_seen_and_measured(&lab);
}

fn answers_from_everywhere(lab: &Lab) {
    for address in [VIP4, VIP6] {
        let host = address.split('/').next().unwrap().parse().unwrap();
        assert!(ping(lab.client(), host, SOON).unwrap().is_some());
        let vip = SocketAddr::new(host, 80);
        let serve = |node: &novaedge_lab::Node| {
            let program = Program::new(novaedge_lab::backend::binary().unwrap());
            let args = ["backend", "--node", &node.name(), "--name", "vip", "--listen", &vip.to_string()];
            node.start("vip", program.args(args)).unwrap()
        };
        let _servers: Vec<_> = lab.nodes().iter().map(serve).collect();
        for node in lab.nodes() {
            eventually("the VIP is served", SOON, || match tcp_connect(node.netns(), vip, SOON).unwrap() {
                Knock::Accepted { .. } => Ok(()),
                other => Err(format!("{other:?}")),
            })
            .unwrap();
        }
        for traffic in [Traffic::New, Traffic::Kept(100), Traffic::Connect, Traffic::Datagrams] {
            let report = lab.probe(vip).traffic(traffic).run_for(Duration::from_secs(1)).unwrap();
            assert_eq!(report.failed(), 0, "{traffic:?}: {report}");
            assert!(report.sent() > 900, "{traffic:?}: {report}");
            let nodes: BTreeSet<_> = report.per_node().into_keys().collect();
            assert_eq!(nodes, everybody(lab), "{traffic:?}: {report}");
            let told = report.samples.iter().all(|sample| match &sample.outcome {
                novaedge_lab::Outcome::Answered { backend: Some(backend), .. } => {
                    sample.node().is_some_and(|node| *backend == format!("{node}/vip"))
                }
                _ => traffic == Traffic::Connect,
            });
            assert!(told, "{traffic:?}: the node that accepted is not the node that answered");
        }
    }
}

fn a_listener_greets(lab: &Lab) {
    let node = lab.node(1);
    let address = SocketAddr::new(node.address6().into(), 22);
    assert_eq!(tcp_connect(lab.client(), address, SOON).unwrap(), Knock::Refused);
    let program = Program::new(novaedge_lab::backend::binary().unwrap());
    let _sshd = node.start("sshd", program.args(["listen", "--listen", &address.to_string()])).unwrap();
    let greeted = Knock::Accepted { by: Some(node.id()), banner: "SSH-2.0-lab".into() };
    eventually("a greeting", SOON, || match tcp_connect(lab.client(), address, SOON).unwrap() {
        knock if knock == greeted => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .unwrap();

    let backend = node.backend("b");
    backend.set_health(503).unwrap();
    let answer = http_get(lab.client(), backend.address6(), "x", "/healthz").unwrap();
    assert_eq!((answer.status, answer.backend().as_deref()), (503, Some("n1/b")));
    assert_eq!(answer.accepted_by, Some(node.id()));
}

fn silence_is_seen_and_measured(lab: &Lab) {
    let vip: SocketAddr = "10.200.0.20:4000".parse().unwrap();
    let serve = |node: &novaedge_lab::Node| {
        let program = Program::new(novaedge_lab::backend::binary().unwrap());
        let args = ["backend", "--node", &node.name(), "--name", "vip", "--listen", &vip.to_string()];
        node.start("vip-datagrams", program.args(args)).unwrap()
    };
    let _servers: Vec<_> = lab.nodes().iter().map(serve).collect();
    eventually("BFD is up", SOON, || {
        let neighbours = lab.tor().neighbours().unwrap();
        let up = |node: &NodeId| neighbours[node].bfd.as_deref() == Some("up");
        if everybody(lab).iter().all(up) { Ok(()) } else { Err(format!("{neighbours:?}")) }
    })
    .unwrap();

    let watch = lab.watch_fib().unwrap();
    let probe =
        lab.probe(vip).traffic(Traffic::Datagrams).patience(Duration::from_millis(900)).start().unwrap();
    let rest = BTreeSet::from([NodeId(1), NodeId(3)]);
    let silenced = lab.silence(NodeId(2)).unwrap();
    let gone = watch.wait_for(VIP4, silenced, SOON, |hops| hops.nodes() == rest).unwrap();
    let report = probe.stop().unwrap();
    let window = report.disturbance().expect("a third of the datagrams met the silence");
    let (hole, to_fib) = (window.length(), gone - silenced);
    eprintln!("silence to FIB {to_fib:?}, datagrams lost for {hole:?}\n{report}");
    assert!(to_fib > Duration::from_millis(150) && to_fib < Duration::from_millis(600), "{to_fib:?}");
    assert!(
        window.last <= gone + Duration::from_millis(20) && hole * 10 > to_fib * 8,
        "{hole:?}, {to_fib:?}"
    );

    lab.unsilence(NodeId(2)).unwrap();
    watch.wait_for(VIP4, gone, SOON, |hops| hops.nodes() == everybody(lab)).unwrap();
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

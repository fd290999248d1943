//! Attach mode: the daemons and their sessions are the operator's, only the prefixes are ours.

use super::estate::{Estate, SOON, web};
use novaedge_lab::{Node, eventually};
use std::time::Instant;

const V4: &str = "10.200.0.20/32";
const V6: &str = "2001:db8::50/128";

const VIP: &str = "apiVersion: novaedge.io/v1alpha1
kind: ProxyVIP
metadata: {name: attached}
spec:
  address: 10.200.0.20
  ipv6Address: 2001:db8::50
  addressFamily: dual
  mode: BGP
  ports: [80]
  drain: {period: 2s}
  bgpConfig: {localAS: 64501, communities: [\"64501:100\"]}
";

/// Comes, is served, drains and goes over sessions that we never made, and not one line of the operator's changes.
#[test]
fn a_vip_without_peers_goes_out_over_the_operators_sessions() {
    let estate = Estate::up("t-attach");
    let watch = estate.lab.watch_fib().unwrap();
    estate.lab.nodes().iter().for_each(operate);
    eventually("the operator's sessions", SOON, || {
        let up = estate.lab.tor().established().map_err(|error| format!("{error:#}"))?;
        if up.len() == 3 { Ok(()) } else { Err(format!("{up:?}")) }
    })
    .unwrap();
    let before: Vec<String> = estate.lab.nodes().iter().map(running).collect();

    estate.write("vip.yaml", VIP);
    estate.write("web.yaml", &web("attached", ""));
    for prefix in [V4, V6] {
        estate.wait_for_nodes(&watch, prefix, Instant::now(), &[1, 2, 3]);
        let communities = estate.lab.tor().communities(prefix).unwrap();
        assert!(communities.values().all(|all| all == &["64501:100"]), "{communities:?}");
    }
    for k in 1..=3 {
        let vip = estate.wait_for_phase(k, "attached", "Announced", None);
        assert_eq!(vip["reasons"].as_array().map(Vec::len), Some(0), "{vip}");
    }
    assert_eq!(estate.get("10.200.0.20:80", "any", "/").unwrap().0, 200);
    assert_eq!(estate.get("[2001:db8::50]:80", "any", "/").unwrap().0, 200);

    let drained = estate.ask(1, &["drain"]);
    assert!(drained.status.success(), "{drained:?}");
    eventually("n1 says that it goes", SOON, || {
        let communities = estate.lab.tor().communities(V4).map_err(|error| format!("{error:#}"))?;
        let drains = communities.iter().any(|(_, all)| all.iter().any(|one| one == "graceful-shutdown"));
        if drains { Ok(()) } else { Err(format!("{communities:?}")) }
    })
    .unwrap();
    estate.wait_for_nodes(&watch, V4, Instant::now(), &[2, 3]);

    estate.remove("vip.yaml");
    for prefix in [V4, V6] {
        estate.wait_for_nodes(&watch, prefix, Instant::now(), &[]);
    }
    for (node, before) in estate.lab.nodes().iter().zip(before) {
        eventually("nothing of ours is left", SOON, || {
            let now = running(node);
            if now == before { Ok(()) } else { Err(now) }
        })
        .unwrap();
    }
    assert_eq!(estate.lab.tor().established().unwrap().len(), 3);
}

/// What an operator has who runs BGP on the nodes already.
fn operate(node: &Node) {
    let router_id = format!("bgp router-id {}", node.address4());
    let lines = [
        "router bgp 64501",
        &router_id,
        "no bgp ebgp-requires-policy",
        "neighbor 10.0.0.254 remote-as 64500",
        "neighbor 10.0.0.254 timers connect 1",
        "address-family ipv6 unicast",
        "neighbor 10.0.0.254 activate",
    ];
    node.frr().configure("bgpd", &lines).unwrap();
}

fn running(node: &Node) -> String {
    node.frr().ask("bgpd", "show running-config").unwrap()
}

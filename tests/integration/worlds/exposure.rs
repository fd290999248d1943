//! A VIP exposes its ports and ICMP echo, nothing else (spec §2.12).

use super::estate::{Estate, SOON, listen_everywhere, vip, web};
use novaedge_lab::{Knock, eventually, ping, tcp_connect};
use std::time::{Duration, Instant};

#[test]
fn a_wildcard_daemon_of_the_host_is_not_reachable_through_the_vip() {
    let estate = Estate::up("t-exposure");
    let watch = estate.lab.watch_fib().unwrap();
    estate.write(
        "vip.yaml",
        &vip("web", "address: 10.200.0.70\n  ipv6Address: 2001:db8::70\n  addressFamily: dual", 300),
    );
    estate.write("web.yaml", &web("web", ""));
    let since = Instant::now();
    estate.wait_for_nodes(&watch, "10.200.0.70/32", since, &[1, 2, 3]);
    estate.wait_for_nodes(&watch, "2001:db8::70/128", since, &[1, 2, 3]);
    let listeners: Vec<_> = estate.lab.nodes().iter().map(|node| listen_everywhere(node, 22)).collect();
    assert_eq!(listeners.len(), 3);

    let client = estate.lab.client();
    let patience = Duration::from_millis(500);
    let knock = |to: &str| tcp_connect(client, to.parse().unwrap(), patience).unwrap();
    let greets = |answer: &Knock| matches!(answer, Knock::Accepted { banner, .. } if !banner.is_empty());
    for own in ["10.0.0.1:22", "[fd00:10::1]:22"] {
        eventually(&format!("{own} greets"), SOON, || {
            let answer = knock(own);
            if greets(&answer) { Ok(()) } else { Err(format!("{answer:?}")) }
        })
        .unwrap();
    }
    for through in ["10.200.0.70:22", "[2001:db8::70]:22"] {
        for _ in 0..6 {
            assert_eq!(knock(through), Knock::Silence, "{through} was let through");
        }
    }
    for address in ["10.200.0.70", "2001:db8::70"] {
        assert!(
            ping(client, address.parse().unwrap(), patience).unwrap().is_some(),
            "{address} answers no ping"
        );
    }
    assert_eq!(estate.get("10.200.0.70:80", "any", "/").unwrap().0, 200);
    assert_eq!(estate.get("[2001:db8::70]:80", "any", "/").unwrap().0, 200);
}

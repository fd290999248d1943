//! Backends that die and return.

use super::estate::{Estate, SOON, vip, web};
use novaedge_lab::eventually;
use std::time::Instant;

const VIP: &str = "10.200.0.30/32";

#[test]
fn a_dead_backend_is_ejected_and_then_fails_no_request() {
    let estate = Estate::up("t-eject");
    let watch = estate.lab.watch_fib().unwrap();
    estate.write("vip.yaml", &vip("web", "address: 10.200.0.30", 300));
    estate.write("web.yaml", &web("web", ""));
    estate.wait_for_nodes(&watch, VIP, Instant::now(), &[1, 2, 3]);

    let probe = estate.lab.probe("10.200.0.30:80".parse().unwrap()).rate(500).start().unwrap();
    estate.lab.node(2).backend("a").kill9();
    for k in 1..=3 {
        let endpoint = "10.0.0.2:8081";
        eventually(&format!("n{k} has ejected {endpoint}"), SOON, || {
            let health =
                estate.status(k)?["served"]["backends"]["default/web"]["endpoints"][endpoint].clone();
            if health == "Unhealthy" { Ok(()) } else { Err(health.to_string()) }
        })
        .unwrap();
    }
    let ejected = Instant::now();
    probe.wait_for(1000, SOON).unwrap();
    let report = probe.stop().unwrap();
    println!("while it died: {}", report.before(ejected));
    let after = report.since(ejected);
    println!("after its ejection: {after}");
    assert!(after.sent() > 500);
    assert_eq!(after.failed(), 0, "{after}");
    assert!(!after.per_backend().contains_key("n2/a"));
}

#[test]
fn a_node_without_local_backends_withdraws_and_comes_back() {
    let estate = Estate::up("t-local");
    let watch = estate.lab.watch_fib().unwrap();
    estate.write("vip.yaml", &vip("web", "address: 10.200.0.30", 300));
    estate.write("web.yaml", &web("web", "trafficPolicy: Local"));
    let since = Instant::now();
    estate.wait_for_nodes(&watch, VIP, since, &[1, 2, 3]);

    let since = Instant::now();
    let backends = estate.lab.node(2).backends();
    backends.iter().for_each(|backend| backend.kill9());
    estate.wait_for_nodes(&watch, VIP, since, &[1, 3]);
    let told = estate.wait_for_phase(2, "web", "Preparing", Some("NoHealthyBackend"));
    assert!(told["reasons"][0]["message"].as_str().unwrap().contains("port 80"), "{told}");

    let since = Instant::now();
    backends.iter().for_each(|backend| backend.restart().unwrap());
    estate.wait_for_nodes(&watch, VIP, since, &[1, 2, 3]);
    estate.wait_for_phase(2, "web", "Announced", None);
}

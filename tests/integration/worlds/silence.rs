//! A node that falls silent with its links up.

use super::estate::{Estate, vip, web};
use novaedge_lab::tor::BfdSession;
use novaedge_lab::{Lab, NodeId, eventually};
use std::time::{Duration, Instant};

/// The contract: BFD at 100 ms × 3, worst sample.
const BOUND: Duration = Duration::from_millis(600);

#[test]
fn the_loss_window_of_a_silenced_node_is_bounded_by_bfd() {
    let estate = Estate::of(Lab::builder("t-silence").bfd(100, 3));
    let watch = estate.lab.watch_fib().unwrap();
    estate.write("vip.yaml", &vip("web", "address: 10.200.0.40", 100));
    estate.write("web.yaml", &web("web", "trafficPolicy: Local"));
    let windows: Vec<Duration> = [1, 2, 3].map(|k| silenced(&estate, &watch, k)).into();
    println!("loss windows: {windows:?}");
    assert!(windows.iter().all(|window| *window <= BOUND), "{windows:?}");
}

fn silenced(estate: &Estate, watch: &novaedge_lab::FibWatch, k: u8) -> Duration {
    let prefix = "10.200.0.40/32";
    estate.wait_for_nodes(watch, prefix, Instant::now(), &[1, 2, 3]);
    bfd_is_up(estate);
    let probe = estate.lab.probe("10.200.0.40:80".parse().unwrap()).rate(1000).start().unwrap();
    let others: Vec<u8> = [1, 2, 3].into_iter().filter(|other| *other != k).collect();
    let silent = estate.lab.silence(NodeId(k)).unwrap();
    let rerouted = estate.wait_for_nodes(watch, prefix, silent, &others);
    let report = probe.stop().unwrap();
    estate.lab.unsilence(NodeId(k)).unwrap();
    let hurt = report.since(silent);
    let window = hurt.disturbance().map_or(Duration::ZERO, |window| window.length());
    println!("n{k}: rerouted {:?} after, loss window {window:?}: {hurt}", rerouted - silent);
    window
}

fn bfd_is_up(estate: &Estate) {
    eventually("all BFD sessions are up", super::estate::SOON, || {
        let neighbours = estate.lab.tor().neighbours().map_err(|error| error.to_string())?;
        // Up is not yet fast: the agreed timers come a moment later.
        let agreed = |bfd: &BfdSession| bfd.detection == Duration::from_millis(300);
        let up = neighbours.values().filter(|n| n.bfd.as_ref().is_some_and(agreed)).count();
        if up == 3 { Ok(()) } else { Err(format!("{neighbours:?}")) }
    })
    .unwrap();
}

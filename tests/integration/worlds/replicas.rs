//! Several controllers of one cluster: whoever leads, whatever becomes of it, nothing moves on the nodes (spec §2.8).

use super::cluster::Cluster;
use super::estate::{SOON, vip, web};
use novaedge_lab::{Process, eventually};
use std::time::{Duration, Instant};

const VIP: &str = "10.200.0.70/32";
const NAMES: [&str; 2] = ["east", "west"];

/// The leader and the other one.
fn roles(cluster: &Cluster) -> (usize, usize) {
    let leader = eventually("somebody leads", SOON, || cluster.leader().ok_or("nobody")).unwrap();
    let leader = NAMES.iter().position(|name| *name == leader).unwrap();
    (leader, 1 - leader)
}

/// How long until a change of a spec shows in the status: somebody leads.
fn status_goes_on(cluster: &Cluster, what: &str, within: Duration) {
    let begun = Instant::now();
    let generation = cluster.field("proxyvip/web", "{.metadata.generation}").parse::<u64>().unwrap();
    let ports = format!(r#"{{"spec":{{"ports":[80,{}]}}}}"#, 1000 + generation);
    cluster.kube.must(&["patch", "proxyvip", "web", "--type=merge", "-p", &ports]);
    let newest = (generation + 1).to_string();
    eventually(&format!("{what}: the status goes on"), within + SOON, || {
        let observed = cluster.field("proxyvip/web", "{.status.observedGeneration}");
        if observed == newest { Ok(()) } else { Err(observed) }
    })
    .unwrap_or_else(|error| panic!("{error:#}\n{}", cluster.logs()));
    println!("{what}: the status goes on after {:.1?}", begun.elapsed());
    assert!(begun.elapsed() < within, "{what}: {:.1?}", begun.elapsed());
}

#[test]
fn a_leader_that_dies_pauses_or_is_cut_off_moves_nothing() {
    let mut cluster = Cluster::up("t-replicas", &NAMES);
    let watch = cluster.estate.lab.watch_fib().unwrap();
    let asked = Instant::now();
    cluster.kube.apply(&vip("web", "address: 10.200.0.70", 300));
    cluster.kube.apply(&web("web", ""));
    cluster.estate.wait_for_nodes(&watch, VIP, asked, &[1, 2, 3]);
    (1..=3).for_each(|k| drop(cluster.estate.wait_for_phase(k, "web", "Announced", None)));
    let before = cluster.estate.updates_at_rest();
    let load = cluster.estate.lab.probe("10.200.0.70:80".parse().unwrap()).rate(1000).start().unwrap();

    let (leader, _) = roles(&cluster);
    cluster.controllers[leader].kill9();
    status_goes_on(&cluster, "the leader was killed", Duration::from_secs(20));
    restart(&cluster.controllers[leader]);

    let (leader, other) = roles(&cluster);
    cluster.controllers[leader].stop();
    status_goes_on(&cluster, "the leader was paused", Duration::from_secs(20));
    cluster.controllers[leader].cont();
    assert_eq!(roles(&cluster), (other, leader), "who comes back does not take it back");

    cluster.controllers[other].term();
    status_goes_on(&cluster, "the leader was told to end", Duration::from_secs(5));
    restart(&cluster.controllers[other]);

    // Nobody can lead without the API server, and nobody has to.
    cluster.kube.api().stop();
    let meanwhile = cluster.estate.lab.probe("10.200.0.70:80".parse().unwrap()).rate(100);
    let meanwhile = meanwhile.run_for(Duration::from_secs(14)).unwrap();
    assert_eq!(meanwhile.failed(), 0, "{meanwhile}");
    cluster.kube.api().cont();
    cluster.kube.wait().unwrap();
    status_goes_on(&cluster, "the API server was away", Duration::from_secs(20));

    let report = load.stop().unwrap();
    println!("{report}");
    assert_eq!(report.failed(), 0, "{report}");
    assert_eq!(cluster.estate.updates(), before, "not one BGP message");
    cluster.nodes.clear();
}

fn restart(controller: &Process) {
    controller.wait(SOON).unwrap();
    controller.restart().unwrap();
}

//! Agents that die: those that come back in time, and those that do not (spec §2.12).

use super::estate::{Estate, SOON, vip, web};
use novaedge_lab::builder::Builder;
use novaedge_lab::{Lab, NodeId, RoutingDaemon, eventually};
use std::time::{Duration, Instant};

const VIP: &str = "10.200.0.50/32";
/// The kernel's lease on an address, and what the contract adds for the kernel's and the daemons' own time.
const BOUND: Duration = Duration::from_secs(3 + 2);

fn served(name: &str) -> (Estate, novaedge_lab::FibWatch) {
    served_by(Lab::builder(name))
}

fn served_by(lab: Builder) -> (Estate, novaedge_lab::FibWatch) {
    let estate = Estate::of(lab);
    let watch = estate.lab.watch_fib().unwrap();
    estate.write(
        "vip.yaml",
        &vip("web", "address: 10.200.0.50\n  ipv6Address: 2001:db8::50\n  addressFamily: dual", 300),
    );
    estate.write("web.yaml", &web("web", ""));
    let since = Instant::now();
    estate.wait_for_nodes(&watch, VIP, since, &[1, 2, 3]);
    estate.wait_for_nodes(&watch, "2001:db8::50/128", since, &[1, 2, 3]);
    (1..=3).for_each(|k| drop(estate.wait_for_phase(k, "web", "Announced", None)));
    (estate, watch)
}

#[test]
fn an_agent_that_is_back_in_time_changes_nothing() {
    back_in_time(Lab::builder("t-restart"));
}

#[test]
fn an_agent_that_is_back_in_time_changes_nothing_of_birds() {
    back_in_time(Lab::builder("t-restart-bird").routing(RoutingDaemon::Bird));
}

#[test]
fn an_agent_that_is_back_in_time_changes_nothing_of_gobgps() {
    back_in_time(Lab::builder("t-restart-gobgp").routing(RoutingDaemon::Gobgp3));
}

fn back_in_time(lab: Builder) {
    let (estate, watch) = served_by(lab);
    let updates_before = estate.updates_at_rest()[&NodeId(2)];
    let before = estate.lab.tor().neighbours().unwrap()[&NodeId(2)].clone();
    let since = Instant::now();
    estate.agent(2).restart().unwrap();
    eventually("the agent answers again", SOON, || {
        let status = estate.status(2)?;
        let announced = status["vips"]["web"]["phase"] == "Announced";
        if announced { Ok(()) } else { Err(status.to_string()) }
    })
    .unwrap();
    eventually("longer than an unrefreshed address lives", SOON, || {
        if since.elapsed() > BOUND { Ok(()) } else { Err("not yet") }
    })
    .unwrap();
    let changes = watch.events(since);
    assert!(changes.is_empty(), "the ToR's routes changed: {changes:?}\n{}", estate.agent(2).log());
    assert_eq!(estate.updates()[&NodeId(2)], updates_before, "an UPDATE was sent");
    let after = estate.lab.tor().neighbours().unwrap()[&NodeId(2)].clone();
    assert!(after.uptime_ms > before.uptime_ms, "the session was reset");
    println!("restart: no route change, no UPDATE; session up for {} ms", after.uptime_ms);
}

#[test]
fn a_dead_or_stopped_agent_is_withdrawn_by_the_kernel() {
    dead_or_stopped(Lab::builder("t-dead"));
}

#[test]
fn a_dead_or_stopped_agent_beside_bird_is_withdrawn_by_the_kernel() {
    dead_or_stopped(Lab::builder("t-dead-bird").routing(RoutingDaemon::Bird));
}

#[test]
fn a_dead_or_stopped_agent_beside_gobgp_is_withdrawn_by_the_guard() {
    dead_or_stopped(Lab::builder("t-dead-gobgp").routing(RoutingDaemon::Gobgp4));
}

fn dead_or_stopped(lab: Builder) {
    let (estate, watch) = served_by(lab);
    let killed = Instant::now();
    estate.agent(1).kill9();
    let after = estate.wait_for_nodes(&watch, VIP, killed, &[2, 3]) - killed;
    println!("SIGKILL: route gone after {after:?}");
    assert!(after <= BOUND, "{after:?}");

    let stopped = Instant::now();
    estate.agent(2).stop();
    let after = estate.wait_for_nodes(&watch, VIP, stopped, &[3]) - stopped;
    println!("SIGSTOP: route gone after {after:?}");
    assert!(after <= BOUND, "{after:?}");
    estate.wait_for_nodes(&watch, "2001:db8::50/128", stopped, &[3]);

    let back = Instant::now();
    estate.agent(2).cont();
    estate.agent(1).restart().unwrap();
    estate.wait_for_nodes(&watch, VIP, back, &[1, 2, 3]);
}

#[test]
fn restarted_routing_daemons_are_healed() {
    let (estate, watch) = served("t-heal");
    for daemon in ["bgpd", "bfdd", "zebra"] {
        let killed = Instant::now();
        let frr = estate.lab.node(1).frr();
        frr.daemon(daemon).restart().unwrap();
        frr.wait_for(daemon).unwrap();
        let answers = Instant::now();
        eventually(&format!("{daemon} is set up again"), Duration::from_secs(1), || {
            configured(&estate, daemon)
        })
        .unwrap_or_else(|error| panic!("{error:#}\n{}", estate.agent(1).log()));
        println!("{daemon}: healed {:?} after it answered", answers.elapsed());
        eventually("n1 is announced again", SOON, || {
            let settled = watch.now().nodes(VIP.parse().unwrap()).len() == 3 && answers > killed;
            let vip = estate.vip(1, "web")?;
            if settled && vip["phase"] == "Announced" { Ok(()) } else { Err(vip.to_string()) }
        })
        .unwrap();
    }
}

/// A zebra that was restarted is asked again about each address, so that bgpd goes on following the kernel.
#[test]
fn a_restarted_zebra_does_not_keep_a_dead_agent_announced() {
    let (estate, watch) = served("t-zebra");
    let frr = estate.lab.node(1).frr();
    let since = Instant::now();
    frr.daemon("zebra").restart().unwrap();
    frr.wait_for("zebra").unwrap();
    eventually("bgpd is told about the address again", Duration::from_secs(20), || {
        let tracked = frr.ask("zebra", "show ip nht").map_err(|error| error.to_string())?;
        if tracked.contains("10.200.0.50") { Ok(()) } else { Err(tracked) }
    })
    .unwrap_or_else(|error| panic!("{error:#}\n{}", estate.agent(1).log()));
    println!("in sight again {:?} after zebra's restart", since.elapsed());
    // FRR 8.4 also forgets the BFD session for a moment, and resets that of BGP.
    estate.updates_at_rest();
    estate.wait_for_nodes(&watch, VIP, Instant::now(), &[1, 2, 3]);

    let killed = Instant::now();
    estate.agent(1).kill9();
    let after = estate.wait_for_nodes(&watch, VIP, killed, &[2, 3]) - killed;
    println!("SIGKILL after zebra's restart: route gone after {after:?}");
    assert!(after <= BOUND, "{after:?}");
}

/// The daemon has what the agent wants of it.
fn configured(estate: &Estate, daemon: &str) -> Result<(), String> {
    let frr = estate.lab.node(1).frr();
    let running = match daemon {
        // zebra gets nothing of ours: what it needs is the kernel's.
        "zebra" => return Ok(()),
        daemon => frr.ask(daemon, "show running-config").map_err(|error| error.to_string())?,
    };
    let wanted = if daemon == "bgpd" { "network 10.200.0.50/32" } else { "profile NOVAEDGE" };
    if running.contains(wanted) { Ok(()) } else { Err(running) }
}

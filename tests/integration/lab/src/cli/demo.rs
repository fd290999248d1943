//! `lab demo`: the main job before the reader's eyes, on one machine.
//!
//! The world is a lab that stays standing; the manifests are one of the project's samples; every number comes
//! from the client, from the ToR's kernel, or from `novaedge-agent` as a person would ask it.

use super::Demo;
use crate::control::LEAD;
use crate::tor::Neighbour;
use crate::{FibWatch, Lab, NodeId, Process, Report, eventually, state};
use anyhow::{Context, Result, ensure};
use ipnet::IpNet;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);
const STEPS: usize = 6;
/// What the demo's VIP asks for: 100 ms × 3.
const BFD: (u32, u8) = (100, 3);

pub(super) fn demo(options: &Demo) -> Result<()> {
    let started = Instant::now();
    println!("NovaEdge: virtual IPs that are announced only while they are served\n");
    step(
        1,
        "a client, a ToR router, three nodes and a controller's host, as network namespaces; real FRR on all routers",
    );
    let lab = Lab::builder(&options.lab.name).bfd(BFD.0, BFD.1).up()?;
    done(started);
    let mut agents = Vec::new();
    let outcome = show(&lab, &mut agents, options);
    agents.into_iter().for_each(std::mem::forget);
    if outcome.is_err() {
        println!("\nlogs are in {}; remove the lab with: make demo-down", lab.logs().display());
    }
    lab.leave_standing();
    outcome?;
    println!("\nThe whole took {:.1?}.", started.elapsed());
    Ok(())
}

fn show(lab: &Lab, agents: &mut Vec<Process>, options: &Demo) -> Result<()> {
    let watch = lab.watch_fib()?;
    let manifests = state::directory(lab.name()).join("manifests");
    std::fs::create_dir_all(&manifests)?;
    step(
        2,
        "a controller over a directory that is still empty, and on each node an agent with a certificate",
    );
    let begun = Instant::now();
    let (controller, started) = lab.led(&options.controller, &options.agent, &manifests, &[LEAD], &[])?;
    agents.extend(started);
    agents.push(controller);
    done(begun);

    step(3, "the manifests: one VIP with an IPv4 and an IPv6 address, a gateway, a backend, a route");
    let begun = Instant::now();
    let sample = &options.sample;
    std::fs::copy(sample, manifests.join("sample.yaml"))
        .with_context(|| format!("cannot use the sample {}", sample.display()))?;
    let vip = wait_until_announced(lab, &watch, &options.agent, begun)?;
    for address in &vip.addresses {
        say(&format!("the ToR's kernel routes {address} via {}", lab.tor_fib()?.next_hops(*address)));
    }
    say(&format!("with the community {}", community(lab, vip.addresses[0])?));
    done(begun);

    step(4, "requests from the client, 1000 a second for 2 s, to each address");
    let mut answered = Vec::new();
    for address in &vip.addresses {
        let report = lab.probe(vip.target(address.addr())).run_for(Duration::from_secs(2))?;
        say(&format!(
            "{}: {} sent, {} answered, by {}",
            address.addr(),
            report.sent(),
            report.answered(),
            counts(&report)
        ));
        answered.push(report);
    }

    step(5, "n2 falls silent: its cable stays plugged in, nothing comes through any more");
    silence(lab, &watch, &vip)?;
    step(6, "n3 leaves on purpose: its agent gets SIGTERM under 1000 requests a second");
    leave(lab, &watch, &vip, &agents[2])?;
    table(lab, &vip, &answered, &options.agent)?;
    overview(lab, &options.ctl)?;
    hints(lab, &vip, options);
    Ok(())
}

struct Vip {
    name: String,
    addresses: Vec<IpNet>,
    port: u16,
}

impl Vip {
    fn target(&self, address: IpAddr) -> SocketAddr {
        SocketAddr::new(address, self.port)
    }

    fn first(&self) -> SocketAddr {
        self.target(self.addresses[0].addr())
    }
}

fn wait_until_announced(lab: &Lab, watch: &FibWatch, agent: &Path, since: Instant) -> Result<Vip> {
    let vip = eventually("the VIP is announced by all nodes", PATIENCE, || {
        let all: Result<Vec<Value>, String> = lab
            .nodes()
            .iter()
            .map(|node| ask(agent, lab, node.id()).map_err(|error| format!("{error:#}")))
            .collect();
        let all = all?;
        let announced = |vips: &Value| {
            let settled = |vip: &Value| {
                vip["phase"] == "Announced" && vip["reasons"].as_array().is_some_and(Vec::is_empty)
            };
            vips.as_object().is_some_and(|vips| !vips.is_empty() && vips.values().all(settled))
        };
        if all.iter().all(announced) { Ok(all[0].clone()) } else { Err(format!("{all:?}")) }
    })?;
    let (name, vip) = vip.as_object().and_then(|vips| vips.iter().next()).context("the sample has a VIP")?;
    let texts = vip["addresses"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let addresses = texts.map(str::parse).collect::<Result<Vec<IpNet>, _>>()?;
    let port =
        vip["ports"][0].as_u64().and_then(|port| port.try_into().ok()).context("the VIP has a port")?;
    for address in &addresses {
        watch.wait_for(&address.to_string(), since, PATIENCE, |hops| {
            hops.nodes().len() == lab.nodes().len()
        })?;
    }
    Ok(Vip { name: name.clone(), addresses, port })
}

/// `novaedge-agent vip status -o json` on a node.
fn ask(agent: &Path, lab: &Lab, node: NodeId) -> Result<Value> {
    let socket = lab.node(node.0).dir().join("agent.sock");
    let mut command = Command::new(agent);
    let output = command.args(["vip", "status", "-o", "json", "--admin-socket"]).arg(socket).output()?;
    serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

fn silence(lab: &Lab, watch: &FibWatch, vip: &Vip) -> Result<()> {
    let prefix = vip.addresses[0].to_string();
    let all = lab.nodes().len();
    let probe = lab.probe(vip.first()).start()?;
    let silent = lab.silence(NodeId(2))?;
    let others = BTreeSet::from([NodeId(1), NodeId(3)]);
    let rerouted = watch.wait_for(&prefix, silent, PATIENCE, |hops| hops.nodes() == others)?;
    let report = probe.stop()?.since(silent);
    lab.unsilence(NodeId(2))?;
    let window = report.disturbance().map_or(Duration::ZERO, |window| window.length());
    say(&format!(
        "BFD ({} ms × {}) told the ToR, whose kernel dropped n2 after {:.0?}",
        BFD.0,
        BFD.1,
        rerouted - silent
    ));
    say(&format!(
        "loss window {:.0?}: of {} requests sent since then {}",
        window,
        report.sent(),
        hurt(&report)
    ));
    let back = Instant::now();
    let again = watch.wait_for(&prefix, back, PATIENCE, |hops| hops.nodes().len() == all)?;
    say(&format!("heard again, n2 is back in the ToR's set after {:.1?}", again - back));
    Ok(())
}

fn leave(lab: &Lab, watch: &FibWatch, vip: &Vip, agent: &Process) -> Result<()> {
    let prefix = vip.addresses[0].to_string();
    let leaver = NodeId(3);
    let probe = lab.probe(vip.first()).start()?;
    let asked = Instant::now();
    agent.term();
    let left = watch.wait_for(&prefix, asked, PATIENCE, |hops| !hops.nodes().contains(&leaver))?;
    agent.wait(PATIENCE)?;
    let ended = asked.elapsed();
    let report = probe.stop()?.since(asked);
    let failed = report.failures_of(leaver).len();
    say(&format!(
        "the ToR moved its traffic away after {:.1?}, the agent ended after {ended:.1?}",
        left - asked
    ));
    say(&format!(
        "of {} requests since then, failed on the leaving node: {failed}; {}",
        report.sent(),
        hurt(&report)
    ));
    ensure!(failed == 0, "a leaving node must not lose a request");
    let back = Instant::now();
    agent.restart()?;
    let all = lab.nodes().len();
    let again = watch.wait_for(&prefix, back, PATIENCE, |hops| hops.nodes().len() == all)?;
    say(&format!("started again, n3 is announced after {:.1?}", again - back));
    eventually("all BFD sessions are up again", PATIENCE, || {
        let sessions = lab.tor().neighbours().map_err(|error| format!("{error:#}"))?;
        let up = |neighbour: &Neighbour| neighbour.bfd.as_ref().is_some_and(|bfd| bfd.state == "up");
        if sessions.values().all(up) { Ok(()) } else { Err(format!("{sessions:?}")) }
    })
}

fn hurt(report: &Report) -> String {
    format!("{} failed, {} came late", report.failed(), report.late())
}

fn counts(report: &Report) -> String {
    let each = report.per_node().into_iter().map(|(node, count)| format!("{node} {count}"));
    each.collect::<Vec<_>>().join(", ")
}

fn community(lab: &Lab, address: IpNet) -> Result<String> {
    let all: BTreeSet<String> =
        lab.tor().communities(&address.to_string())?.into_values().flatten().collect();
    Ok(all.into_iter().collect::<Vec<_>>().join(" "))
}

fn table(lab: &Lab, vip: &Vip, answered: &[Report], agent: &Path) -> Result<()> {
    let bfd: Vec<String> = lab
        .tor()
        .neighbours()?
        .into_values()
        .map(|n| format!("{} {}", n.node, n.bfd.map_or_else(|| "-".to_owned(), |session| session.state)))
        .collect();
    let announcing = |node: &crate::Node| {
        ask(agent, lab, node.id()).is_ok_and(|vips| vips[&vip.name]["phase"] == "Announced")
    };
    let nodes: Vec<String> =
        lab.nodes().iter().filter(|node| announcing(node)).map(crate::Node::name).collect();
    let heading = ("VIP", "ADDRESS", "ANNOUNCED BY", "ToR NEXT HOPS", "BFD AT THE ToR", "ANSWERED BY NODE");
    println!(
        "\n  {:<10} {:<20} {:<13} {:<14} {:<22} {}",
        heading.0, heading.1, heading.2, heading.3, heading.4, heading.5
    );
    for (address, report) in vip.addresses.iter().zip(answered) {
        let hops = lab.tor_fib()?.next_hops(*address).to_string();
        let (address, nodes) = (address.to_string(), nodes.join(", "));
        println!(
            "  {:<10} {address:<20} {nodes:<13} {hops:<14} {:<22} {}",
            vip.name,
            bfd.join(", "),
            counts(report)
        );
    }
    Ok(())
}

/// `novaedgectl status`, as a person would ask.
fn overview(lab: &Lab, ctl: &Path) -> Result<()> {
    let socket = lab.control().admin_socket(LEAD);
    let output = Command::new(ctl).args(["status", "--admin-socket"]).arg(socket).output()?;
    println!("\n  $ novaedgectl status");
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        println!("  {line}");
    }
    Ok(())
}

fn hints(lab: &Lab, vip: &Vip, Demo { agent, ctl, .. }: &Demo) {
    let (name, run) = (lab.name(), state::directory(lab.name()));
    let socket = lab.control().admin_socket(LEAD);
    let target = vip.first();
    println!("\nIt stays standing. Look around (as root):");
    println!("  ip netns exec {name}-client curl -s http://{target}/");
    println!(
        "  {} bgp status --admin-socket {}/n1/agent.sock      (also: status, vip status, bfd status)",
        agent.display(),
        run.display()
    );
    println!(
        "  {} vip explain {} --admin-socket {}      (also: status, vip show, snapshot n1)",
        ctl.display(),
        vip.name,
        socket.display()
    );
    println!(
        "  {} drain --wait --admin-socket {}/n2/agent.sock      (then: undrain)",
        agent.display(),
        run.display()
    );
    println!("  vtysh -N {name}-tor -c 'show bgp summary'              (or -N {name}-n1)");
    println!("  target/debug/lab shell n1                              (also client, tor, sw)");
    println!("  target/debug/lab silence n1; target/debug/lab status; target/debug/lab unsilence n1");
    println!("  edit {}/manifests/sample.yaml and watch what happens", run.display());
    println!("Take it down:  make demo-down");
}

fn step(number: usize, what: &str) {
    println!("[{number}/{STEPS}] {what}");
}

fn say(what: &str) {
    println!("      {what}");
}

fn done(since: Instant) {
    say(&format!("done in {:.1?}", since.elapsed()));
}

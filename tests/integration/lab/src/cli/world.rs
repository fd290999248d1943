//! `up`, `down`, `status`, `shell`.

use super::{Shell, Up};
use crate::control::LEAD;
use crate::state::{self, Record};
use crate::topology::Topology;
use crate::tor::Tor;
use crate::{Lab, Netns, fib};
use anyhow::{Context, Result};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::time::Instant;

pub(super) fn up(options: &Up) -> Result<()> {
    let started = Instant::now();
    let name = &options.lab.name;
    let (bfd, routing) = (options.bfd, options.routing);
    let builder = Lab::builder(name).nodes(options.nodes).routing(routing);
    let lab = builder.bfd(bfd.interval_ms, bfd.multiplier).up()?;
    // What is started here and found dead by `lab status` says why in its log.
    if let (Some(agent), Some(manifests)) = (&options.agent, &options.manifests) {
        if let Some(controller) = &options.controller {
            let (controller, agents) = lab.led(controller, agent, manifests, &[LEAD], &[])?;
            std::mem::forget(controller);
            agents.into_iter().for_each(std::mem::forget);
        } else {
            for node in lab.nodes() {
                std::mem::forget(node.start_agent(node.standalone(agent, manifests))?);
            }
        }
    }
    println!("lab {name} is up after {:.1?}; logs in {}", started.elapsed(), lab.logs().display());
    println!("look around:  lab status --name {name}");
    println!("              lab shell --name {name} n1     (also client, tor, sw)");
    println!("              vtysh -N {name}-tor -c 'show bgp summary'");
    println!("              lab probe --name {name} --target ADDRESS:PORT --rate 1000 --duration 10");
    println!("              lab silence --name {name} n1;  lab unsilence --name {name} n1");
    println!("remove it:    lab down --name {name}");
    lab.leave_standing();
    Ok(())
}

pub(super) fn down(name: &str) -> Result<()> {
    state::take_down(name)?;
    println!("lab {name} is down");
    Ok(())
}

pub(super) fn status(name: &str) -> Result<()> {
    let Record { topology, bfd } = state::read(name)?;
    println!("lab {name}: {} nodes, BFD {bfd:?}", topology.nodes().count());
    println!("\n{:<8} {:>9}", "place", "processes");
    for place in topology.places() {
        println!("{place:<8} {:>9}", Netns::open(&topology.netns(&place))?.processes()?.len());
    }
    println!("\n{:<8} {:<12} {:>10} {:>9}  BFD", "session", "state", "up", "prefixes");
    for neighbour in Tor::of(&topology).neighbours()?.into_values() {
        let (up, bfd) = (neighbour.uptime_ms / 1000, neighbour.bfd.map_or("-".into(), |bfd| bfd.state));
        let (node, state, prefixes) = (neighbour.node, &neighbour.state, neighbour.prefixes);
        println!("{node:<8} {state:<12} {up:>8} s {prefixes:>9}  {bfd}");
    }
    println!("\nthe ToR's FIB, host routes:");
    for (prefix, hops) in fib::dump(&Netns::open(&topology.netns("tor"))?)?.0 {
        if prefix.prefix_len() == prefix.max_prefix_len() {
            println!("{prefix} via {hops}");
        }
    }
    Ok(())
}

pub(super) fn shell(options: &Shell) -> Result<()> {
    let topology = state::read(&options.lab.name)?.topology;
    let netns = place(&topology, &options.place)?;
    netns.enter()?;
    if let [program, args @ ..] = options.command.as_slice() {
        return Err(std::process::Command::new(program).args(args).exec()).context(program.clone());
    }
    println!("a shell in {}; `exit` leaves it. Some things to try:", netns.name());
    for hint in hints(&options.place, netns.name(), &state::directory(topology.name())) {
        println!("  {hint}");
    }
    let shell = std::env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into());
    Err(std::process::Command::new(&shell).exec()).context("cannot start a shell")
}

fn place(topology: &Topology, name: &str) -> Result<Netns> {
    let known = topology.places();
    let places = || format!("the lab has no {name:?}; its places are {}", known.join(", "));
    let found = known.iter().find(|place| *place == name).with_context(places)?;
    Netns::open(&topology.netns(found))
}

fn hints(place: &str, netns: &str, directory: &Path) -> Vec<String> {
    match place {
        "client" => vec!["curl -i http://10.200.0.20/".into(), "ip route".into()],
        "sw" => vec!["bridge link".into(), "nft list ruleset".into(), "tcpdump -ni n1".into()],
        "tor" => vec![format!("vtysh -N {netns} -c 'show bgp summary'"), "ip route; ip -6 route".into()],
        _ => vec![
            format!("vtysh -N {netns} -c 'show running-config'"),
            format!("vtysh -N {netns} -c 'show bfd peers brief'"),
            format!(
                "birdc -s {}/{place}/bird/bird.ctl show protocols    (where BIRD runs)",
                directory.display()
            ),
            format!("gobgp -u {}/{place}/gobgp/api.sock neighbor    (where GoBGP runs)", directory.display()),
            "ip addr show lo".into(),
            "ss -ltnp".into(),
        ],
    }
}

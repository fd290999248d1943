//! The program `lab`: a world to play in, and the small servers that run in it.
//!
//! | file | what |
//! |---|---|
//! | this | the commands and their options |
//! | `world` | `up`, `down`, `status`, `shell` |
//! | `demo` | the main job before the reader's eyes |
//! | `traffic` | `probe`, `silence`, `unsilence` |

// A program for people at a terminal; its output is what it is for.
#![allow(clippy::print_stdout)]

mod demo;
mod traffic;
mod world;

use crate::builder::RoutingDaemon;
use crate::topology::NodeId;
use crate::tor::Bfd;
use crate::{backend, listen};
use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// A client, a ToR router, a switch and nodes, as network namespaces of this machine.
///
/// `lab up` makes the world and leaves it standing; everything else plays with it; `lab down` removes it.
/// Needs root, FRR, nftables and iproute2; BIRD or GoBGP for nodes that run it.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a lab and leave it standing (one that stands under the same name is replaced)
    Up(Up),
    /// Show the main job of NovaEdge in a lab, step by step, and leave it standing
    Demo(Demo),
    /// Remove a lab and everything that runs in it
    Down(Name),
    /// Show sessions, routes and processes of a standing lab
    Status(Name),
    /// Open a shell in a namespace of a standing lab: client, tor, sw, n1, n2, …
    Shell(Shell),
    /// Send requests from the client and report what became of them
    Probe(Box<Probe>),
    /// Cut a node off in the switch; its links stay up
    Silence(AtNode),
    /// Let a silenced node be heard again
    Unsilence(AtNode),
    /// Run a backend that says who it is (the lab starts these itself)
    Backend(Backend),
    /// Run a listener that greets like sshd
    Listen(Listen),
}

#[derive(Debug, Args)]
struct Name {
    /// The lab's name
    #[arg(long, default_value = "demo")]
    name: String,
}

#[derive(Debug, Args)]
struct Up {
    #[command(flatten)]
    lab: Name,
    /// How many nodes
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=9))]
    nodes: u8,
    /// The ToR's BFD timers, INTERVALxMULTIPLIER in ms
    #[arg(long, default_value = "300x3")]
    bfd: Bfd,
    /// What announces for the nodes
    #[arg(long, value_enum, default_value_t = RoutingDaemon::Frr)]
    routing: RoutingDaemon,
    /// A novaedge-agent to start on every node
    #[arg(long, requires = "manifests")]
    agent: Option<PathBuf>,
    /// A novaedge-controller that leads them; without it each goes by the manifests itself
    #[arg(long, requires = "agent")]
    controller: Option<PathBuf>,
    /// The directory of manifests
    #[arg(long, requires = "agent")]
    manifests: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Demo {
    #[command(flatten)]
    lab: Name,
    /// The novaedge-agent to start on every node
    #[arg(long, default_value = "target/debug/novaedge-agent")]
    agent: PathBuf,
    /// The novaedge-controller that leads them
    #[arg(long, default_value = "target/debug/novaedge-controller")]
    controller: PathBuf,
    /// The novaedgectl to ask it
    #[arg(long, default_value = "target/debug/novaedgectl")]
    ctl: PathBuf,
    /// The manifests: one BGP VIP and what serves it
    #[arg(long, default_value = "manifests/samples/10-first-light.yaml")]
    sample: PathBuf,
}

#[derive(Debug, Args)]
struct Shell {
    #[command(flatten)]
    lab: Name,
    /// client, tor, sw, n1, n2, …
    place: String,
    /// A command to run instead of a shell
    #[arg(last = true)]
    command: Vec<String>,
}

#[derive(Debug, Args)]
struct Probe {
    #[command(flatten)]
    lab: Name,
    /// Address and port, as 10.200.0.20:80 or [2001:db8::50]:80
    #[arg(long)]
    target: SocketAddr,
    /// Requests a second
    #[arg(long, default_value_t = 1000)]
    rate: u32,
    /// For how many seconds
    #[arg(long, default_value_t = 10)]
    duration: u64,
    /// Over so many kept connections; without it each request has a new one
    #[arg(long, conflicts_with = "udp")]
    kept: Option<usize>,
    /// Datagrams instead of requests
    #[arg(long)]
    udp: bool,
    #[arg(long)]
    host: Option<String>,
    #[arg(long, default_value = "/")]
    path: String,
}

#[derive(Debug, Args)]
struct AtNode {
    #[command(flatten)]
    lab: Name,
    /// n1, n2, …
    #[arg(value_parser = node)]
    node: NodeId,
}

#[derive(Debug, Args)]
struct Backend {
    /// The node's name, for the answers
    #[arg(long)]
    node: String,
    /// The backend's name, for the answers
    #[arg(long)]
    name: String,
    /// Address and port, TCP and UDP; may be given several times
    #[arg(long, required = true)]
    listen: Vec<SocketAddr>,
}

#[derive(Debug, Args)]
struct Listen {
    /// Address and port
    #[arg(long)]
    listen: SocketAddr,
}

fn node(text: &str) -> Result<NodeId, String> {
    NodeId::named(text).ok_or_else(|| format!("{text:?} is no node; nodes are n1, n2, …"))
}

impl Cli {
    /// Carries out the command.
    ///
    /// # Errors
    /// What it could not do, and why.
    pub fn run(self) -> Result<()> {
        match self.command {
            Command::Up(options) => world::up(&options),
            Command::Demo(options) => demo::demo(&options),
            Command::Down(options) => world::down(&options.name),
            Command::Status(options) => world::status(&options.name),
            Command::Shell(options) => world::shell(&options),
            Command::Probe(options) => traffic::probe(*options),
            Command::Silence(at) => traffic::silence(&at),
            Command::Unsilence(at) => traffic::unsilence(&at),
            Command::Backend(Backend { node, name, listen }) => backend::serve::serve(&node, &name, &listen),
            Command::Listen(Listen { listen }) => listen::listen(listen),
        }
    }
}

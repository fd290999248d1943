//! A whole world: brought up by [`Lab::builder`], gone when dropped.

use crate::builder::Builder;
use crate::control::Control;
use crate::fib::{self, Fib, FibWatch};
use crate::frr::Frr;
use crate::node::Node;
use crate::probe::Probe;
use crate::state::{self, State};
use crate::switch::Switch;
use crate::topology::{NodeId, Topology};
use crate::tor::Tor;
use crate::{Netns, OwnedNetns, Process};
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A running lab. Dropping it ends everything in it and removes what it made; after a panic its logs stay.
#[derive(Debug)]
pub struct Lab {
    pub(crate) topology: Topology,
    // Declared, so dropped, from what runs to what it runs in.
    pub(crate) nodes: Vec<Node>,
    pub(crate) control: Control,
    pub(crate) tor: Tor,
    pub(crate) tor_frr: Frr,
    pub(crate) tor_netns: OwnedNetns,
    pub(crate) second: Option<SecondRouter>,
    pub(crate) client: OwnedNetns,
    pub(crate) switch: Switch,
    pub(crate) state: State,
}

/// A router beside the ToR, if the lab was asked for one: [`Builder::second_router`].
#[derive(Debug)]
pub struct SecondRouter {
    pub tor: Tor,
    pub frr: Frr,
    pub(crate) netns: OwnedNetns,
}

impl SecondRouter {
    /// Follows its FIB from now on.
    ///
    /// # Errors
    /// The kernel gives no netlink socket.
    pub fn watch_fib(&self) -> Result<FibWatch> {
        FibWatch::start(&self.netns)
    }
}

impl Lab {
    /// A lab of that name: `[a-z0-9-]`, at most 24.
    pub fn builder(name: &str) -> Builder {
        Builder::new(name)
    }

    pub fn name(&self) -> &str {
        self.topology.name()
    }

    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Node number `k`, from 1.
    ///
    /// # Panics
    /// When the lab has fewer nodes.
    pub fn node(&self, k: u8) -> &Node {
        let found = self.nodes.iter().find(|node| node.id() == NodeId(k));
        found.unwrap_or_else(|| panic!("the lab has no node {k}"))
    }

    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Where a controller runs.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Starts a controller over the manifests, and on every node an agent that obeys it and all others of these
    /// names; the first is the one that starts. `more` goes to the agents.
    ///
    /// # Errors
    /// A program cannot be started, or refuses to make certificates.
    pub fn led(
        &self,
        controller: &Path,
        agent: &Path,
        manifests: &Path,
        names: &[&str],
        more: &[&str],
    ) -> Result<(Process, Vec<Process>)> {
        let nodes: Vec<String> = self.nodes.iter().map(Node::name).collect();
        self.control.certify(controller, &nodes)?;
        let first = names.first().context("at least one controller leads")?;
        let lead = self.control.controller(first, controller, manifests)?;
        let at: Vec<String> = names.iter().map(|name| self.control.endpoint(name)).collect();
        let led = |node: &Node| {
            node.start_agent(node.led(agent, &at, &self.control.tls_of(&node.name())).args(more))
        };
        Ok((lead, self.nodes.iter().map(led).collect::<Result<_>>()?))
    }

    /// What the ToR says: sessions, paths, anything by vty.
    pub fn tor(&self) -> &Tor {
        &self.tor
    }

    /// The ToR's daemons, as processes.
    pub fn tor_frr(&self) -> &Frr {
        &self.tor_frr
    }

    /// The ToR's namespace.
    pub fn tor_netns(&self) -> &Netns {
        &self.tor_netns
    }

    /// The router beside the ToR.
    ///
    /// # Panics
    /// When the lab was built without one.
    pub fn second_router(&self) -> &SecondRouter {
        self.second.as_ref().expect("the lab was built with a second router")
    }

    /// The client's namespace.
    pub fn client(&self) -> &Netns {
        &self.client
    }

    /// The switch's namespace.
    pub fn switch(&self) -> &Netns {
        &self.switch.0
    }

    /// A prober at the client: see [`Probe`].
    pub fn probe(&self, target: SocketAddr) -> Probe {
        Probe::new(&self.client, target)
    }

    /// The ToR's FIB as it is now.
    ///
    /// # Errors
    /// The kernel refuses the dump.
    pub fn tor_fib(&self) -> Result<Fib> {
        fib::dump(&self.tor_netns)
    }

    /// Follows the ToR's FIB from now on.
    ///
    /// # Errors
    /// The kernel gives no netlink socket.
    pub fn watch_fib(&self) -> Result<FibWatch> {
        FibWatch::start(&self.tor_netns)
    }

    /// Cuts a node off in the switch, without its links going down. Returns a moment before it took effect.
    ///
    /// # Errors
    /// nft refuses.
    pub fn silence(&self, node: NodeId) -> Result<Instant> {
        self.switch.silence(node)
    }

    /// Ends [`Self::silence`]. Returns a moment before it took effect.
    ///
    /// # Errors
    /// nft refuses.
    pub fn unsilence(&self, node: NodeId) -> Result<Instant> {
        self.switch.unsilence(node)
    }

    /// Where the logs of everything are.
    pub fn logs(&self) -> PathBuf {
        self.state.logs()
    }

    /// Lets the world stand when this process ends; [`state::remove_remains`] takes it down.
    pub fn leave_standing(self) {
        std::mem::forget(self);
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let ended = if std::thread::panicking() {
            // Whoever reads the panic wants to know, subscriber or not.
            eprintln!("the logs of lab {} stay in {}", self.name(), self.logs().display());
            state::end_everything(self.name())
        } else {
            state::remove_remains(self.name())
        };
        if let Err(error) = ended {
            tracing::error!(lab = self.name(), %error, "cannot remove the whole lab");
        }
    }
}

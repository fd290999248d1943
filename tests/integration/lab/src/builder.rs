//! How a lab comes to be: namespaces, cables, daemons, in that order.

use crate::backend::{BACKENDS, Backend};
use crate::bird::{self, Bird};
use crate::control::Control;
use crate::frr::Frr;
use crate::gobgp::{Gobgp, Version};
use crate::lab::SecondRouter;
use crate::node::{Node, Routing};
use crate::ospf::Ospf;
use crate::state::{self, Record, State};
use crate::switch::Switch;
use crate::topology::{NodeId, TOR4, TOR4_SECOND, Topology};
use crate::tor::{self, Bfd, Tor, TorOptions};
use crate::{Lab, Netns, OwnedNetns, wiring};
use anyhow::{Context, Result};
use std::collections::BTreeMap;

/// What a lab is to be like.
#[derive(Debug, Clone)]
pub struct Builder {
    name: String,
    nodes: u8,
    tor: TorOptions,
    backends: bool,
    second_router: bool,
    routing: RoutingDaemon,
}

/// What announces for the nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum RoutingDaemon {
    #[default]
    Frr,
    /// With FRR's zebra and bfdd beside it.
    Bird,
    /// The distribution's, with FRR's zebra and bfdd beside it.
    Gobgp3,
    /// The same of version 4.
    Gobgp4,
}

impl Builder {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            nodes: 3,
            tor: TorOptions::default(),
            backends: true,
            second_router: false,
            routing: RoutingDaemon::default(),
        }
    }

    /// How many nodes; 3 unless said.
    #[must_use]
    pub fn nodes(mut self, nodes: u8) -> Self {
        self.nodes = nodes;
        self
    }

    /// The ToR's BFD timers; 300 ms × 3 unless said. `None`: it speaks no BFD.
    #[must_use]
    pub fn bfd(mut self, interval_ms: u32, multiplier: u8) -> Self {
        self.tor.bfd = Some(Bfd { interval_ms, multiplier });
        self
    }

    /// The ToR speaks no BFD.
    #[must_use]
    pub fn without_bfd(mut self) -> Self {
        self.tor.bfd = None;
        self
    }

    /// The ToR's AS and the nodes'; 64500 and 64501 unless said. Equal ones make the sessions iBGP.
    #[must_use]
    pub fn as_numbers(mut self, tor: u32, nodes: u32) -> Self {
        (self.tor.as_number, self.tor.node_as) = (tor, nodes);
        self
    }

    /// The TCP MD5 password that the ToR wants of node number `node`.
    #[must_use]
    pub fn tor_password(mut self, node: u8, password: &str) -> Self {
        self.tor.passwords.insert(NodeId(node), password.to_owned());
        self
    }

    /// Another router with the ToR's settings, at [`crate::topology::TOR4_SECOND`]: the nodes can peer with both.
    #[must_use]
    pub fn second_router(mut self) -> Self {
        self.second_router = true;
        self
    }

    /// The ToR and the nodes run ospfd and ospf6d; the ToR speaks them as given, the nodes are configured by
    /// whom they are for.
    #[must_use]
    pub fn ospf(mut self, ospf: Ospf) -> Self {
        self.tor.ospf = Some(ospf);
        self
    }

    /// What announces for the nodes; FRR unless said.
    #[must_use]
    pub fn routing(mut self, routing: RoutingDaemon) -> Self {
        self.routing = routing;
        self
    }

    /// No HTTP backends on the nodes: for tests of routing alone.
    #[must_use]
    pub fn without_backends(mut self) -> Self {
        self.backends = false;
        self
    }

    /// Builds the world; remains of an earlier one under the same name go first. Returns when every daemon
    /// and backend answers.
    ///
    /// # Errors
    /// Not root, a tool or FRR is missing, a living process owns a lab of that name, or something does not
    /// start (the message names its log, which stays).
    pub fn up(self) -> Result<Lab> {
        let topology = Topology::new(&self.name, self.nodes)?.with_second_router(self.second_router);
        let state = State::take(&self.name)?;
        let built = self.build(topology, state);
        if built.is_err() {
            // What made it fail is the better thing to tell.
            let _ = state::end_everything(&self.name);
        }
        built
    }

    fn build(&self, topology: Topology, state: State) -> Result<Lab> {
        state.write(&Record { topology: topology.clone(), bfd: self.tor.bfd })?;
        let mut places = create_namespaces(&topology)?;
        let mut place = |name: &str| places.remove(name).context("every place has its namespace");
        let (switch, tor_netns, client) = (place("sw")?, place("tor")?, place("client")?);
        let control = place("control")?;
        let second = self.second_router.then(|| place("tor2")).transpose()?;
        let namespaces: Vec<_> =
            topology.nodes().map(|node| Ok((node, place(&node.to_string())?))).collect::<Result<_>>()?;
        wire(&topology, &switch, &tor_netns, &client, &namespaces)?;
        control.ip_batch(&wiring::control())?;
        let second = second.map(|netns| self.start_second(&topology, netns, &state)).transpose()?;
        let control = Control::new(control, &state)?;
        let switch = Switch::new(switch)?;
        let (tor_frr, nodes) = self.start_all(&topology, &tor_netns, namespaces, &state)?;
        let tor = Tor::of(&topology);
        Ok(Lab { topology, nodes, control, tor, tor_frr, tor_netns, second, client, switch, state })
    }

    fn start_node(&self, id: NodeId, netns: OwnedNetns, state: &State) -> Result<Node> {
        let (dir, logs) = (state.dir().join(id.to_string()), state.logs());
        std::fs::create_dir_all(&dir)?;
        let start = |&(name, port): &(&str, u16)| Backend::start(&netns, id, name, port, &logs);
        let wanted = if self.backends { BACKENDS.as_slice() } else { &[] };
        let backends = wanted.iter().map(start).collect::<Result<Vec<_>>>()?;
        let mut daemons = match self.routing {
            RoutingDaemon::Frr => vec!["zebra", "bgpd", "bfdd", "staticd"],
            RoutingDaemon::Bird | RoutingDaemon::Gobgp3 | RoutingDaemon::Gobgp4 => vec!["zebra", "bfdd"],
        };
        if self.tor.ospf.is_some() && self.routing == RoutingDaemon::Frr {
            daemons.extend(["ospfd", "ospf6d"]);
        }
        let frr = Frr::start(&netns, &daemons.iter().map(|name| (*name, String::new())).collect(), &logs)?;
        let gobgp = |version| {
            Gobgp::start(&netns, version, &dir.join("gobgp"), &logs.join(format!("{id}.gobgpd.log")))
        };
        let routing = match self.routing {
            RoutingDaemon::Frr => Routing::Frr,
            RoutingDaemon::Bird => {
                let log = logs.join(format!("{id}.bird.log"));
                Routing::Bird(Bird::start(&netns, &bird::operators(id), &dir.join("bird"), &log)?)
            }
            RoutingDaemon::Gobgp3 => Routing::Gobgp(gobgp(Version::V3)?),
            RoutingDaemon::Gobgp4 => Routing::Gobgp(gobgp(Version::V4)?),
        };
        backends.iter().try_for_each(Backend::wait_until_serving)?;
        Ok(Node { id, netns, frr, routing, backends, dir, logs })
    }

    fn start_second(&self, topology: &Topology, netns: OwnedNetns, state: &State) -> Result<SecondRouter> {
        netns.ip_batch(&wiring::second_tor())?;
        let frr = Frr::start(&netns, &tor::configs(topology, &self.tor, TOR4_SECOND), &state.logs())?;
        Ok(SecondRouter { tor: Tor::second(topology), frr, netns })
    }

    /// Starts the ToR and all nodes at the same time.
    fn start_all(
        &self,
        topology: &Topology,
        tor: &Netns,
        nodes: Vec<(NodeId, OwnedNetns)>,
        state: &State,
    ) -> Result<(Frr, Vec<Node>)> {
        std::thread::scope(|scope| {
            let tor =
                scope.spawn(|| Frr::start(tor, &tor::configs(topology, &self.tor, TOR4), &state.logs()));
            let start = |(id, netns)| scope.spawn(move || self.start_node(id, netns, state));
            let starting: Vec<_> = nodes.into_iter().map(start).collect();
            let started =
                starting.into_iter().map(|node| node.join().expect("starting a node does not panic"));
            let nodes: Result<Vec<_>> = started.collect();
            Ok((tor.join().expect("starting the ToR does not panic")?, nodes?))
        })
    }
}

/// Makes all namespaces with their variables set before the first interface comes.
fn create_namespaces(topology: &Topology) -> Result<BTreeMap<String, OwnedNetns>> {
    let create = |place: String| {
        let netns = Netns::create(&topology.netns(&place))?;
        netns.sysctl(wiring::EVERYWHERE)?;
        netns.sysctl(match place.as_str() {
            "tor" | "tor2" => wiring::TOR,
            "client" => wiring::CLIENT,
            "sw" | "control" => &[],
            _ => wiring::NODE,
        })?;
        Ok((place, netns))
    };
    topology.places().into_iter().map(create).collect()
}

fn wire(
    topology: &Topology,
    switch: &Netns,
    tor: &Netns,
    client: &Netns,
    nodes: &[(NodeId, OwnedNetns)],
) -> Result<()> {
    switch.ip_batch(&wiring::switch(topology))?;
    tor.ip_batch(&wiring::tor(topology))?;
    client.ip_batch(&wiring::client())?;
    nodes.iter().try_for_each(|(node, netns)| netns.ip_batch(&wiring::node(*node)))
}

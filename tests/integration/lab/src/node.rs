//! A node: its FRR, its backends, and whatever agent the caller starts on it.

use crate::backend::Backend;
use crate::bird::Bird;
use crate::frr::Frr;
use crate::gobgp::Gobgp;
use crate::topology::NodeId;
use crate::{Netns, OwnedNetns, Process, Program};
use anyhow::Result;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

/// One node of a running lab.
#[derive(Debug)]
pub struct Node {
    pub(crate) id: NodeId,
    pub(crate) netns: OwnedNetns,
    pub(crate) frr: Frr,
    pub(crate) routing: Routing,
    pub(crate) backends: Vec<Backend>,
    pub(crate) dir: PathBuf,
    pub(crate) logs: PathBuf,
}

/// What announces for a node.
#[derive(Debug)]
pub enum Routing {
    /// Its [`Node::frr`].
    Frr,
    Bird(Bird),
    Gobgp(Gobgp),
}

impl Node {
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// `n1`
    pub fn name(&self) -> String {
        self.id.to_string()
    }

    pub fn netns(&self) -> &Netns {
        &self.netns
    }

    /// Where the sockets of its FRR are: what an agent is pointed at.
    pub fn vty_dir(&self) -> PathBuf {
        self.frr.dir()
    }

    pub fn address4(&self) -> Ipv4Addr {
        self.id.address4()
    }

    pub fn address6(&self) -> Ipv6Addr {
        self.id.address6()
    }

    /// A directory of the node's own, for an agent's state and socket; goes with the lab.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its FRR, which starts without any configuration: zebra, bfdd, where it is the routing daemon bgpd and
    /// staticd too, and OSPF's daemons where the lab has them.
    pub fn frr(&self) -> &Frr {
        &self.frr
    }

    /// What announces for it.
    pub fn routing(&self) -> &Routing {
        &self.routing
    }

    /// Its BIRD.
    ///
    /// # Panics
    /// When the lab was built with another routing daemon.
    pub fn bird(&self) -> &Bird {
        match &self.routing {
            Routing::Bird(bird) => bird,
            other => panic!("the lab was not built with BIRD on its nodes, but with {other:?}"),
        }
    }

    /// Its gobgpd.
    ///
    /// # Panics
    /// When the lab was built with another routing daemon.
    pub fn gobgp(&self) -> &Gobgp {
        match &self.routing {
            Routing::Gobgp(gobgp) => gobgp,
            other => panic!("the lab was not built with GoBGP on its nodes, but with {other:?}"),
        }
    }

    /// The socket of the guard beside its gobgpd.
    pub fn guard_socket(&self) -> PathBuf {
        self.dir.join("guard.sock")
    }

    /// Starts a program on the node under a name of the caller's, which names its log too.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(&self, name: &str, program: Program) -> Result<Process> {
        Process::start(&self.netns, program, &self.logs.join(format!("{}.{name}.log", self.id)))
    }

    /// `novaedge-agent standalone` with this node's name, FRR and [`Self::dir`]. The state is in `state/`, the
    /// admin socket is `agent.sock`.
    pub fn standalone(&self, agent: &Path, manifests: &Path) -> Program {
        self.agent(Program::new(agent).arg("standalone").arg("--manifests").arg(manifests))
    }

    /// `novaedge-agent run`, with the same, for the controllers at these addresses.
    pub fn led(&self, agent: &Path, controllers: &[String], tls: &Path) -> Program {
        let program = Program::new(agent).arg("run").arg("--tls").arg(tls);
        self.agent(controllers.iter().fold(program, |program, at| program.arg("--controller").arg(at)))
    }

    /// `novaedge-agent run` as in a cluster: with this token, believing controllers of this authority.
    pub fn in_cluster(&self, agent: &Path, controllers: &[String], token: &Path, ca: &Path) -> Program {
        let program = Program::new(agent).args(["run", "--token"]).arg(token).arg("--ca").arg(ca);
        self.agent(controllers.iter().fold(program, |program, at| program.arg("--controller").arg(at)))
    }

    fn agent(&self, program: Program) -> Program {
        let options = [
            ("--node", self.name().into()),
            ("--state-dir", self.dir.join("state")),
            ("--frr-sockets", self.vty_dir()),
            ("--admin-socket", self.admin_socket()),
        ];
        let program =
            options.into_iter().fold(program, |program, (option, value)| program.arg(option).arg(value));
        match &self.routing {
            Routing::Frr => program,
            Routing::Gobgp(gobgp) => program
                .args(["--routing-daemon", "gobgp", "--gobgp-api"])
                .arg(gobgp.endpoint())
                .arg("--guard-socket")
                .arg(self.guard_socket()),
            Routing::Bird(bird) => program
                .args(["--routing-daemon", "bird", "--bird-socket"])
                .arg(bird.socket())
                .arg("--bird-include")
                .arg(bird.include()),
        }
    }

    /// Where the agent listens for commands.
    pub fn admin_socket(&self) -> PathBuf {
        self.dir.join("agent.sock")
    }

    /// Starts the agent: [`Self::start`] under the name `agent`.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start_agent(&self, program: Program) -> Result<Process> {
        self.start("agent", program)
    }

    /// One of its HTTP backends: `a` on port 8081, `b` on 8082.
    ///
    /// # Panics
    /// When the node has no backend of that name.
    pub fn backend(&self, name: &str) -> &Backend {
        let found = self.backends.iter().find(|backend| backend.name() == name);
        found.unwrap_or_else(|| panic!("{} has no backend {name:?}", self.id))
    }

    pub fn backends(&self) -> &[Backend] {
        &self.backends
    }
}

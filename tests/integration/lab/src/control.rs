//! Where a controller runs: a host on the nodes' segment, with the certificates of an estate.

use crate::state::State;
use crate::topology::CONTROL4;
use crate::{Netns, OwnedNetns, Process, Program};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The name of a controller that is alone.
pub const LEAD: &str = "lead";

#[derive(Debug)]
pub struct Control {
    netns: OwnedNetns,
    dir: PathBuf,
    logs: PathBuf,
}

impl Control {
    pub(crate) fn new(netns: OwnedNetns, state: &State) -> Result<Self> {
        let dir = state.dir().join("control");
        std::fs::create_dir_all(&dir)?;
        Ok(Self { netns, dir, logs: state.logs() })
    }

    pub fn netns(&self) -> &Netns {
        &self.netns
    }

    /// A directory of the host's own; goes with the lab.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Issues certificates by `novaedge-controller certificates`, for a controller here and for the nodes.
    ///
    /// # Errors
    /// The program cannot be run, or refuses.
    pub fn certify(&self, controller: &Path, nodes: &[String]) -> Result<()> {
        let mut command = Command::new(controller);
        command.arg("certificates").arg("--directory").arg(self.certificates());
        command.args(["--controller-san", &CONTROL4.to_string()]);
        command.args(nodes.iter().flat_map(|node| ["--node", node]));
        let output = command.output().with_context(|| controller.display().to_string())?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    fn certificates(&self) -> PathBuf {
        self.dir.join("certificates")
    }

    /// The certificate that [`Self::certify`] has issued for a node.
    pub fn tls_of(&self, node: &str) -> PathBuf {
        self.certificates().join("nodes").join(node)
    }

    /// Where a controller started by [`Self::controller`] under this name is, for an agent. The first letter
    /// decides: several controllers run side by side.
    pub fn endpoint(&self, name: &str) -> String {
        format!("{CONTROL4}:{}", port(name))
    }

    /// Where a controller of this name listens for commands.
    pub fn admin_socket(&self, name: &str) -> PathBuf {
        self.dir.join(name).join("controller.sock")
    }

    /// `novaedge-controller run` under a name of the caller's, which names its state directory and log too.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn controller(&self, name: &str, controller: &Path, manifests: &Path) -> Result<Process> {
        let source =
            ["--manifests".into(), manifests.into(), "--tls".into(), self.certificates().join("controller")];
        self.start(name, controller, source)
    }

    /// The same for the objects of a cluster, as the user of that kubeconfig.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn cluster_controller(&self, name: &str, controller: &Path, kubeconfig: &Path) -> Result<Process> {
        let reached = ["--certificate-name".into(), CONTROL4.to_string().into()];
        let source = ["--kubeconfig".into(), kubeconfig.into(), "--identity".into(), name.into()];
        self.start(name, controller, source.into_iter().chain(reached))
    }

    fn start(
        &self,
        name: &str,
        controller: &Path,
        source: impl IntoIterator<Item = PathBuf>,
    ) -> Result<Process> {
        let own = self.dir.join(name);
        std::fs::create_dir_all(&own)?;
        let program = Program::new(controller)
            .arg("run")
            .args(source)
            .arg("--state-dir")
            .arg(own.join("state"))
            .arg("--admin-socket")
            .arg(self.admin_socket(name))
            .args(["--listen", &self.endpoint(name)])
            .args(["--metrics-address", &format!("127.0.0.1:{}", port(name) + 1000)]);
        Process::start(&self.netns, program, &self.logs.join(format!("control.{name}.log")))
    }
}

fn port(name: &str) -> u16 {
    7400 + u16::from(name.bytes().next().unwrap_or_default())
}

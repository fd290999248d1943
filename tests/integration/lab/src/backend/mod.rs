//! The small HTTP server behind the proxies: who asks it learns which node and which backend answered.
//!
//! HTTP/1.1 and HTTP/2 by prior knowledge on each address; UDP echo beside it. Every answer carries
//! `x-node` and `x-backend`.
//!
//! | path | answer |
//! |---|---|
//! | any | `node=n1 backend=a` |
//! | `/healthz` | 200, or whatever was set last |
//! | `/healthz/set/CODE` | sets what `/healthz` answers |
//! | `/status/CODE` | that status |
//! | `/bytes/N` | N bytes, streamed |
//! | `/echo` | the request's body, streamed |
//! | `/slow/MS` | after that time |
//! | `/headers` | the request line and headers as they arrived |
//!
//! | file | what |
//! |---|---|
//! | this | a backend of a lab, from the outside |
//! | [`serve`] | the process itself: sockets and connections |
//! | `answer` | request to answer |

mod answer;
pub mod serve;

use crate::topology::NodeId;
use crate::visit::{Response, http_get};
use crate::{Netns, Process, Program, eventually};
use anyhow::{Context, Result, ensure};
use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The names of a node's backends and their ports.
pub const BACKENDS: [(&str, u16); 2] = [("a", 8081), ("b", 8082)];

/// A backend's process (by `Deref`), its name and addresses.
#[derive(Debug)]
pub struct Backend {
    name: String,
    node: NodeId,
    port: u16,
    netns: Netns,
    process: Process,
}

impl Backend {
    pub(crate) fn start(netns: &Netns, node: NodeId, name: &str, port: u16, logs: &Path) -> Result<Self> {
        let mut program =
            Program::new(binary()?).args(["backend", "--node", &node.to_string(), "--name", name]);
        for address in [IpAddr::from(node.address4()), node.address6().into()] {
            program = program.arg("--listen").arg(SocketAddr::new(address, port).to_string());
        }
        let log = logs.join(format!("{node}.backend-{name}.log"));
        let process = Process::start(netns, program, &log)?;
        Ok(Self { name: name.to_owned(), node, port, netns: netns.clone(), process })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn address4(&self) -> SocketAddr {
        SocketAddr::new(self.node.address4().into(), self.port)
    }

    pub fn address6(&self) -> SocketAddr {
        SocketAddr::new(self.node.address6().into(), self.port)
    }

    /// Makes `/healthz` answer with `status` from now on.
    ///
    /// # Errors
    /// The backend does not answer.
    pub fn set_health(&self, status: u16) -> Result<()> {
        let answer = self.get(&format!("/healthz/set/{status}"))?;
        ensure!(answer.status == 200, "the backend answers {}", answer.status);
        Ok(())
    }

    /// Asks it from its own node, past any proxy.
    ///
    /// # Errors
    /// It does not answer.
    pub fn get(&self, path: &str) -> Result<Response> {
        http_get(&self.netns, self.address4(), "backend", path)
    }

    /// Waits until it answers, after a start or restart.
    ///
    /// # Errors
    /// It does not within 10 s; the message names its log.
    pub fn wait_until_serving(&self) -> Result<()> {
        let what = format!("backend {} of {} answers", self.name, self.node);
        eventually(&what, Duration::from_secs(10), || self.get("/").map(drop))
            .with_context(|| format!("see {}", self.log_path().display()))
    }
}

impl Deref for Backend {
    type Target = Process;
    fn deref(&self) -> &Process {
        &self.process
    }
}

/// The `lab` program: `$NOVAEDGE_LAB`, or the one that was built beside the running program or test.
///
/// # Errors
/// There is none; the message says how to build it.
pub fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("NOVAEDGE_LAB") {
        return Ok(path.into());
    }
    let own = std::env::current_exe()?;
    let beside = own.ancestors().skip(1).take(2).map(|dir| dir.join("lab"));
    beside
        .into_iter()
        .find(|path| path.is_file())
        .context("the lab's backends are the program `lab`: run `cargo build -p novaedge-lab` first")
}

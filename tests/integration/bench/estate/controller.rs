//! The controller of a thousand agents, as a process of its own.

use super::agents::AGENTS;
use super::cost::{cpu, peak_memory};
use super::world::{Shapes, World};
use super::{VIPS, say};
use anyhow::{Context, Result};
use novaedge::controller::election;
use novaedge::controller::ledger::LedgerFile;
use novaedge::controller::metrics::Metrics;
use novaedge::controller::publish::Snapshots;
use novaedge::controller::reconcile::{Inputs, Outputs, Reconciler};
use novaedge::controller::state_dir::StateDir;
use novaedge::controller::tell::{News, Teller};
use novaedge::host::kept::Kept;
use novaedge::host::process::allow_many_descriptors;
use novaedge::manifests::Loaded;
use novaedge::model::attendance::Attendance;
use novaedge::model::name::Name;
use novaedge::wire::server::{self, Limits, Server};
use novaedge::wire::tls::{self, Security};
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{self, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// This program as another process, which ends when this is dropped.
pub struct Child {
    process: process::Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Child {
    /// Returns when it says that it is ready.
    pub fn start(role: &str, directory: &Path, port: u16) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(role).arg(directory).arg(port.to_string());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = process.stdin.take().context("its standard input")?;
        let output = BufReader::new(process.stdout.take().context("its standard output")?);
        let mut child = Self { process, input, output };
        child.line()?;
        Ok(child)
    }

    /// A controller that has its world, and does not listen yet.
    pub fn prepare(directory: &Path, port: u16) -> Result<Self> {
        Self::start("controller-of", directory, port)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    /// Says what it took until all agents are served.
    pub fn lead(mut self, what: &str) -> Result<Self> {
        self.input.write_all(b"!")?;
        let line = self.line()?;
        say(&format!("| {what} | {line} |"));
        Ok(self)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn run(directory: &Path, port: u16) -> Result<()> {
    allow_many_descriptors();
    let mut loaded = Loaded::default();
    loaded.resources = World::new(Shapes::Fifty, VIPS, AGENTS).resources;
    say("ready");
    std::io::stdin().read_exact(&mut [0])?;
    let (begun, used) = (Instant::now(), cpu());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut attendance, snapshots) = lead(loaded, directory, port).await?;
        attendance.wait_for(|agents| all_served(agents, &snapshots.borrow())).await?;
        let (took, used) = (begun.elapsed().as_secs_f64(), (cpu() - used).as_secs_f64());
        say(&format!("{took:.2} s | {used:.2} s | {} MiB", peak_memory()?));
        std::future::pending().await
    })
}

type Agents = Arc<BTreeMap<Name, Attendance>>;

async fn lead(
    loaded: Loaded,
    directory: &Path,
    port: u16,
) -> Result<(watch::Receiver<Agents>, watch::Receiver<Arc<Snapshots>>)> {
    let state = StateDir::open(&directory.join("state"))?;
    let term = election::alone(&state, 1_790_000_000)?;
    let memory = Kept::in_directory(state.path(), "accepted.json");
    let accepted = memory.load()?.unwrap_or_default();
    let ledger = LedgerFile::open(state)?;
    let identity = tls::read(&directory.join("tls/controller"))?;
    let mut registry = Registry::default();
    let (bulletins, newest_bulletin) = watch::channel(Arc::default());
    let (attendance, newest_attendance) = watch::channel(Agents::default());
    let (snapshots, newest_snapshots) = watch::channel(Arc::default());
    let (news, newest) = watch::channel(News::None);
    let metrics = Metrics::new(&mut registry);
    tokio::spawn(Teller::new(watch::channel(None).0, metrics.clone()).run(newest));
    let server = Server {
        listener: TcpListener::bind(("127.0.0.1", port)).await?,
        security: Security::Tls(watch::channel(Arc::new(identity)).1),
        // All of them come from one address here.
        limits: Limits { strangers_per_address: Limits::default().strangers, ..Limits::default() },
        metrics: server::metrics::Metrics::new(&mut registry),
        bulletins: newest_bulletin,
        attendance,
    };
    let outputs = Outputs { bulletins, snapshots, news, metrics };
    let (loaded, election) = (watch::channel(Arc::new(loaded)), watch::channel(Some(term)));
    let inputs = Inputs { loaded: loaded.1, attendance: newest_attendance.clone(), election: election.1 };
    let reconciler = Reconciler::new(ledger, memory, accepted, outputs);
    tokio::spawn(async move {
        let _senders = (loaded.0, election.0, registry);
        reconciler.run(inputs).await;
    });
    tokio::spawn(server.run());
    Ok((newest_attendance, newest_snapshots))
}

/// Each agent has its orders in force, and has reported.
fn all_served(agents: &BTreeMap<Name, Attendance>, snapshots: &Snapshots) -> bool {
    let served = |(node, agent): (&Name, &Attendance)| {
        let ordered = snapshots.get(node).map(|snapshot| snapshot.generation);
        agent.alive && agent.status.is_some() && agent.taken.is_some() && agent.taken == ordered
    };
    agents.len() == AGENTS && agents.iter().all(served)
}

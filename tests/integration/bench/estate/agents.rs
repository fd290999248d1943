//! A thousand agents that come at once, and come back at once. Their controller is a process of its own, so
//! that its time and memory are its own.

use super::controller::Child;
use super::world::{node_name, report};
use super::{VIPS, say};
use anyhow::{Context, Result};
use novaedge::host::process::allow_many_descriptors;
use novaedge::wire::certificates::{self, Wanted};
use novaedge::wire::client::endpoint::Endpoint;
use novaedge::wire::client::{Told, follow};
use novaedge::wire::tls::{self, Security};
use std::io::Read;
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;

pub const AGENTS: usize = 1000;

pub fn measure() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let nodes = (0..AGENTS).map(node_name).collect();
    let valid_for = Duration::from_secs(3600);
    let wanted =
        Wanted { controller: vec!["127.0.0.1".to_owned()], nodes, valid_for, now: SystemTime::now() };
    certificates::issue(&directory.path().join("tls"), &wanted)?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let (first, second) = (Child::prepare(directory.path(), port)?, Child::prepare(directory.path(), port)?);
    let _agents = Child::start("agents-of", directory.path(), port)?;
    say(&format!(
        "\n| {AGENTS} agents of {VIPS} VIPs, {} each | all served after | CPU | most memory\n|---|---|---|---|",
        VIPS / 50
    ));
    let first = first.lead("come for the first time")?;
    drop(first);
    second.lead("come back to a controller that was restarted")?;
    Ok(())
}

/// The process of the agents. Ends with its standard input.
pub fn run(directory: &Path, port: u16) -> Result<()> {
    allow_many_descriptors();
    let port = NonZeroU16::new(port).context("a port")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    for number in 0..AGENTS {
        let node = node_name(number);
        let identity = tls::read(&directory.join("tls/nodes").join(node.as_str()))?;
        let security = Security::Tls(watch::channel(Arc::new(identity)).1);
        let controller = Endpoint { host: "127.0.0.1".to_owned(), port, address: None };
        let (told, mut heard) = watch::channel(Told::nothing_yet(None));
        let (reports, newest_report) = watch::channel(None);
        runtime.spawn(follow(controller, security, node, told, newest_report));
        runtime.spawn(async move {
            while heard.changed().await.is_ok() {
                let Told { term, generation, snapshot, .. } = heard.borrow_and_update().clone();
                let Some(snapshot) = snapshot.filter(|_| term.is_some()) else { continue };
                let mut status = report(&snapshot, term);
                status.generation = generation;
                reports.send_replace(Some(Arc::new(status)));
            }
        });
    }
    super::say("ready");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    runtime.shutdown_background();
    Ok(())
}

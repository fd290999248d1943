//! The guard: a process beside the agent, for a routing daemon that does not look at the node's addresses.
//!
//! A dead or stopped agent's addresses expire (spec §2.12). FRR and BIRD see that and withdraw; gobgpd does not, so the
//! guard does it: what gobgpd announces of ours and the node does not have is withdrawn. It decides nothing else, and
//! remembers nothing: an agent that is back in time finds all as it was.
//!
//! Its socket says that it is at work: the agent announces nothing without it. One guard works at a time; another one
//! ends at once. It outlives its agent: that is what it is for.

use crate::host::alone::Alone;
use crate::l2::{Netlink, presence};
use crate::model::net::HostRoute;
use crate::plan::LIFETIME;
use crate::routing::gobgp::{Endpoint, GUARD_READY, Withdrawer};
use futures_util::{FutureExt, StreamExt};
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// Between looks when the kernel says nothing.
const LOOK_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Config {
    pub endpoint: Endpoint,
    pub socket: PathBuf,
    /// End when no agent has been there for a while and nothing of ours is announced.
    pub while_needed: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    #[error("cannot listen at {path}: {source}")]
    Listen { path: PathBuf, source: io::Error },
    #[error("cannot follow the kernel's addresses: {0}")]
    Kernel(#[source] io::Error),
}

/// Guards until it is asked to end and nothing of ours is announced any more.
///
/// # Errors
/// It cannot begin.
pub async fn run(config: Config, leave: CancellationToken) -> Result<(), GuardError> {
    let listen = |source| GuardError::Listen { path: config.socket.clone(), source };
    let Some(alone) = Alone::listen(&config.socket).map_err(listen)? else {
        tracing::info!(socket = %config.socket.display(), "another guard is at work");
        return Ok(());
    };
    let mut changes = presence::changes().map_err(GuardError::Kernel)?;
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut guard = Guard::new(config.endpoint.clone());
    loop {
        tokio::select! {
            _ = changes.next() => while changes.next().now_or_never().flatten().is_some() {},
            _ = tick.tick() => {}
            Ok((agent, _)) = alone.listener.accept() => guard.greet(agent).await,
            () = leave.cancelled(), if !guard.ending => guard.ending = true,
        }
        guard.look().await;
        if guard.is_idle(config.while_needed) {
            tracing::info!("nothing is announced any more: the guard ends");
            return Ok(());
        }
    }
}

#[derive(Debug)]
struct Guard {
    withdrawer: Withdrawer,
    netlink: Netlink,
    agents: Vec<UnixStream>,
    /// When there was an agent last.
    needed: Instant,
    /// As of the last look that succeeded.
    announced: BTreeSet<HostRoute>,
    ending: bool,
    complaint: String,
}

impl Guard {
    fn new(gobgp: Endpoint) -> Self {
        Self {
            withdrawer: Withdrawer::new(gobgp),
            netlink: Netlink::new(),
            agents: Vec::new(),
            needed: Instant::now(),
            announced: BTreeSet::new(),
            ending: false,
            complaint: String::new(),
        }
    }

    async fn greet(&mut self, mut agent: UnixStream) {
        if agent.write_all(GUARD_READY).await.is_ok() {
            self.agents.push(agent);
        }
    }

    /// What is announced is asked first: an agent adds an address before its route, and removes it after.
    async fn look(&mut self) {
        let outcome = async {
            let announced = self.withdrawer.announced().await?;
            let present = presence::host_routes(&mut self.netlink).await.map_err(io::Error::other)?;
            let gone: Vec<HostRoute> = announced.difference(&present).copied().collect();
            if !gone.is_empty() {
                self.withdrawer.withdraw(&gone).await?;
                tracing::warn!(count = gone.len(), first = %gone[0], "withdrawn: the node does not hold it any more");
            }
            io::Result::Ok(announced.intersection(&present).copied().collect())
        };
        match outcome.await {
            Ok(announced) => {
                self.announced = announced;
                self.complaint.clear();
            }
            Err(error) if error.to_string() == self.complaint => {}
            Err(error) => {
                self.complaint = error.to_string();
                tracing::warn!(%error, "gobgpd cannot be looked at");
            }
        }
        let there = |agent: &UnixStream| matches!(agent.try_read(&mut [0; 8]), Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        self.agents.retain(there);
        if !self.agents.is_empty() {
            self.needed = Instant::now();
        }
    }

    fn is_idle(&self, while_needed: bool) -> bool {
        let unneeded = while_needed && self.needed.elapsed() > LIFETIME;
        self.announced.is_empty() && (self.ending || unneeded)
    }
}

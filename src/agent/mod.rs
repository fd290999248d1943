//! The agent: turns the newest snapshot and what this node sees into work for the drivers.
//!
//! ```text
//!  snapshot ──▶ ┌──────────┐ plan::desired ──▶ LinkPlan ─────▶ l2         ──▶ Held     ─┐
//!               │ vip_loop │                   ExposurePlan ─▶ netfilter  ──▶ Guarded   │
//!  facts ─────▶ │          │                   RoutingPlan ──▶ routing    ──▶ Observed  │
//!   ▲           └──────────┘                   ProxyPlan ────▶ proxy      ──▶ Served    │
//!   └──────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Every driver has one inbox that holds the newest plan and one outbox that holds what it sees. The loop
//! recomputes everything whenever anything changed. Its beat also refreshes the kernel's lease on the
//! addresses: a loop that hangs loses them (spec §2.12).
//!
//! | file | idea |
//! |---|---|
//! | [`config`] | what an agent is told at its start |
//! | [`drivers`] | starts the four drivers, and holds their inboxes and outboxes |
//! | [`guard`] | a process of its own beside gobgpd, which withdraws for a dead agent |
//! | [`vip_loop`] | facts in, plans out, again and again |
//! | [`wish`] | what the node itself wishes: `drain`, or to end |
//! | [`departure`] | the clocks of leaving, around `plan::leave` |
//! | [`phases`] | phases with the time of their last change |
//! | [`last_good`] | the snapshot on disk |
//! | [`admin`] | the unix socket that `novaedge-agent status`, `snapshot` and `drain` ask; the metrics address |
//! | [`metrics`] | what the routing daemon says, as numbers |

pub mod admin;
pub mod config;
pub mod departure;
pub mod drivers;
pub mod guard;
pub mod last_good;
mod metrics;
pub mod phases;
#[cfg(test)]
mod tests;
pub mod vip_loop;
pub mod wish;

use crate::model::snapshot::Snapshot;
use crate::model::status::{NodeStatus, Rejected};
use crate::model::term::Term;
use crate::runtime::tasks::{TaskEnded, Tasks};
use admin::Answers;
use config::Config;
use prometheus_client::registry::Registry;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wish::{Drain, Wish};

/// What an agent obeys.
#[derive(Debug, Clone)]
pub struct Orders {
    /// The newest; none until the first complete one.
    pub snapshot: watch::Receiver<Option<Arc<Snapshot>>>,
    /// What was refused on the way to it.
    pub rejected: watch::Receiver<Vec<Rejected>>,
    /// Who leads and is heard: the word of [`Snapshot::leaving`] is waited for. `None`: nobody, and the node
    /// does what it wishes itself.
    pub leader: watch::Receiver<Option<Term>>,
    /// What an earlier run obeyed last: it tells whose the addresses are that it left here.
    pub before: Option<Arc<Snapshot>>,
}

#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error(transparent)]
    TaskEnded(#[from] TaskEnded),
    #[error("the admin socket {path} cannot be opened: {source}")]
    Admin { path: String, source: std::io::Error },
    #[error("cannot serve metrics on {address} (another --metrics-address may be free): {source}")]
    Metrics { address: SocketAddr, source: std::io::Error },
}

/// Runs an agent until `leave` is cancelled and the node has left in order (spec §2.5): nothing of ours
/// is announced, held or served when this returns `Ok`. A node that is led waits for its leader's leave, VIP by
/// VIP, but no longer than [`Config::termination_grace_period`]. How it is doing goes to `status`.
///
/// # Errors
/// A part of the agent ended that must not; the kernel and the routing daemon then withdraw what is no
/// longer refreshed.
pub async fn run(
    config: Config,
    orders: Orders,
    status: watch::Sender<Option<Arc<NodeStatus>>>,
    mut tasks: Tasks,
    leave: CancellationToken,
) -> Result<(), AgentError> {
    // Those who register here give their whole names.
    let mut registry = Registry::default();
    let drivers = drivers::start(&config, &mut registry, &mut tasks).await;
    let drain = Drain::load(&config.state_dir);
    let wish = Wish::new(drain.subscribe(), config.termination_grace_period);
    let answers = Answers {
        status: status.subscribe(),
        snapshot: orders.snapshot.clone(),
        drain,
        registry: Arc::new(Mutex::new(registry)),
    };
    let metrics = admin::on_address(config.metrics_address, answers.clone())
        .map_err(|source| AgentError::Metrics { address: config.metrics_address, source })?;
    tasks.spawn("metrics", metrics);
    let served = admin::serve(&config.admin_socket, answers)
        .map_err(|source| AgentError::Admin { path: config.admin_socket.display().to_string(), source })?;
    tasks.spawn("admin", served);
    tokio::select! {
        ended = tasks.first_to_end() => Err(ended.into()),
        () = vip_loop::run(&config, orders, drivers, wish, status, leave) => Ok(()),
    }
}

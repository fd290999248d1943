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
//! | [`vip_loop`] | facts in, plans out, again and again |
//! | [`departure`] | the clock of leaving, around `plan::leave` |
//! | [`phases`] | phases with the time of their last change |
//! | [`last_good`] | the snapshot on disk |
//! | [`admin`] | the unix socket that `novaedge-agent status` asks |

pub mod admin;
pub mod config;
pub mod departure;
pub mod drivers;
pub mod last_good;
pub mod phases;
pub mod vip_loop;

use crate::model::snapshot::Snapshot;
use crate::model::status::Rejected;
use crate::runtime::tasks::{TaskEnded, Tasks};
use config::Config;
use prometheus_client::registry::Registry;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What an agent obeys: the newest snapshot (none until the first complete one), and what was refused on
/// the way to it.
#[derive(Debug, Clone)]
pub struct Orders {
    pub snapshot: watch::Receiver<Option<Arc<Snapshot>>>,
    pub rejected: watch::Receiver<Vec<Rejected>>,
}

#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error(transparent)]
    TaskEnded(#[from] TaskEnded),
    #[error("the admin socket {path} cannot be opened: {source}")]
    Admin { path: String, source: std::io::Error },
}

/// Runs an agent until `leave` is cancelled and the node has left in order (spec §2.5): nothing of ours
/// is announced, held or served when this returns `Ok`.
///
/// # Errors
/// A part of the agent ended that must not; the kernel and the routing daemon then withdraw what is no
/// longer refreshed.
pub async fn run(
    config: Config,
    orders: Orders,
    mut tasks: Tasks,
    leave: CancellationToken,
) -> Result<(), AgentError> {
    let mut registry = Registry::with_prefix("novaedge");
    let drivers = drivers::start(&config, &mut registry, &mut tasks).await;
    let (status, seen_status) = watch::channel(None);
    let served = admin::serve(&config.admin_socket, seen_status, Arc::new(Mutex::new(registry)))
        .map_err(|source| AgentError::Admin { path: config.admin_socket.display().to_string(), source })?;
    tasks.spawn("admin", served);
    tokio::select! {
        ended = tasks.first_to_end() => Err(ended.into()),
        () = vip_loop::run(&config, orders, drivers, status, leave) => Ok(()),
    }
}

//! `novaedge-agent run`: who feeds whom.
//!
//! ```text
//! controllers ══ client::follow (one each) ──▶ client::obey ──▶ orders ──▶ agent
//!      ▲                                                          │          │
//!      └───────────── reports ────────────────────────────────────┼──────────┘
//!                                     last good snapshot ◀────────┘
//! ```

use super::lead::{self, CERTIFICATES};
use crate::agent::config::Config;
use crate::agent::last_good::{Kept, LastGood, LastGoodError};
use crate::agent::{self, AgentError, Orders};
use crate::model::snapshot::Snapshot;
use crate::model::status::Rejected;
use crate::model::term::Term;
use crate::runtime::tasks::Tasks;
use crate::wire::client::endpoint::Endpoint;
use crate::wire::client::obey::{Obeyed, obey};
use crate::wire::client::roll::{Agent, call};
use crate::wire::tls::{self, Security, TlsError};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

#[derive(Debug, thiserror::Error)]
pub enum ObeyError {
    #[error(transparent)]
    LastGood(#[from] LastGoodError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Agent(#[from] AgentError),
}

/// By what controllers know this agent.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A directory with the node's own certificate.
    Certificate(PathBuf),
    /// In a cluster: the pod's token, and the authorities of controllers.
    Token { token: PathBuf, ca: PathBuf },
    /// Somebody asked for plaintext.
    None,
}

fn security(credentials: Credentials, tasks: &mut Tasks) -> Result<Security, TlsError> {
    match credentials {
        Credentials::Certificate(directory) => lead::security(Some(directory), tasks),
        Credentials::Token { token, ca } => {
            let (security, following) = tls::follow_authorities(ca, token, CERTIFICATES)?;
            tasks.spawn("authorities", following);
            Ok(security)
        }
        Credentials::None => lead::security(None, tasks),
    }
}

/// Runs until `leave` is cancelled and the node has left in order. While no controller answers, it goes on with
/// what it was told last, also after a restart.
///
/// # Errors
/// The state directory or the certificates cannot be used, or a part of the agent ended.
pub async fn run(
    controllers: Vec<Endpoint>,
    credentials: Credentials,
    config: Config,
    leave: CancellationToken,
) -> Result<(), ObeyError> {
    let last_good = LastGood::open(&config.state_dir)?;
    let kept = last_good.load(&config.node).unwrap_or_else(|error| {
        tracing::warn!(%error, "the last good snapshot is not used");
        None
    });
    let (before, term) = kept.map_or((None, None), |kept| (Some(kept.snapshot), kept.term));
    let mut tasks = Tasks::default();
    let security = security(credentials, &mut tasks)?;
    let (status, reports) = watch::channel(None);
    let (replicas, heard) = watch::channel(Vec::new());
    let agent = Agent { node: config.node.clone(), security, before: before.clone(), reports };
    tasks.spawn("controllers", call(controllers, agent, replicas));
    let (obeyed, newest) = watch::channel(Obeyed { term, ..Obeyed::nothing_yet(before.clone()) });
    tasks.spawn("obey", obey(heard, obeyed));
    let (hand, orders) = hand(before);
    tasks.spawn("orders", hand.pass(newest, last_good));
    Ok(agent::run(config, orders, status, tasks, leave).await?)
}

/// The giving end of the agent's orders.
struct Hand {
    snapshot: watch::Sender<Option<Arc<Snapshot>>>,
    rejected: watch::Sender<Vec<Rejected>>,
    leader: watch::Sender<Option<Term>>,
}

fn hand(before: Option<Arc<Snapshot>>) -> (Hand, Orders) {
    let (snapshot, newest_snapshot) = watch::channel(None);
    let (rejected, newest_rejected) = watch::channel(Vec::new());
    let (leader, newest_leader) = watch::channel(None);
    let orders =
        Orders { snapshot: newest_snapshot, rejected: newest_rejected, leader: newest_leader, before };
    (Hand { snapshot, rejected, leader }, orders)
}

impl Hand {
    /// The agent first, then the disk.
    async fn pass(self, mut obeyed: watch::Receiver<Obeyed>, last_good: LastGood) {
        let mut kept: Option<Kept> = None;
        loop {
            let Obeyed { term, is_led, snapshot, rejected } = obeyed.borrow_and_update().clone();
            set(&self.leader, term.filter(|_| is_led));
            set(&self.rejected, rejected);
            if let Some(snapshot) = snapshot {
                self.order(&snapshot, term);
                let newest = Kept { term, snapshot };
                if kept.as_ref() != Some(&newest) {
                    keep(&last_good, &newest);
                    kept = Some(newest);
                }
            }
            if obeyed.changed().await.is_err() {
                return;
            }
        }
    }

    fn order(&self, snapshot: &Arc<Snapshot>, term: Option<Term>) {
        self.snapshot.send_if_modified(|newest| {
            let differs = newest.as_ref().is_none_or(|newest| !Arc::ptr_eq(newest, snapshot));
            if differs {
                let term = term.map(|term| term.to_string());
                tracing::info!(
                    term,
                    generation = snapshot.generation,
                    vips = snapshot.vips.len(),
                    "snapshot in force"
                );
                *newest = Some(snapshot.clone());
            }
            differs
        });
    }
}

fn keep(last_good: &LastGood, newest: &Kept) {
    if let Err(error) = last_good.keep(newest) {
        tracing::warn!(%error, "a restart without a controller would not know this snapshot");
    }
}

fn set<T: PartialEq>(channel: &watch::Sender<T>, value: T) {
    channel.send_if_modified(|newest| {
        let differs = *newest != value;
        *newest = value;
        differs
    });
}

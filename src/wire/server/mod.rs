//! The controller's end: lets agents in, sends each its node's orders, and hears their reports.
//!
//! Owns: the listening socket and everything that comes in through it. The bulletin's newest value is all that
//! there is to send; what agents say comes out as [`Attendance`].
//!
//! ```text
//! accept ─▶ lobby ─▶ serve (TLS, whose certificate?) ─▶ estate: Watch, Report
//! Bulletin ─▶ compose ─▶ pages ───────────────────────────┘        │
//! Attendance ◀─ register ◀─────────────────────────────────────────┘
//! ```
//!
//! | file | holds |
//! |---|---|
//! | [`lobby`] | who has not said who it is |
//! | [`serve`] | one connection |
//! | [`estate`] | the two calls |
//! | [`compose`] | bulletins made into pages |
//! | [`register`] | who is there |
//! | [`metrics`] | what is counted |

pub mod compose;
pub mod estate;
pub mod lobby;
pub mod metrics;
pub mod register;
pub mod serve;

use super::diffs::Diffs;
use super::tls::Security;
use crate::model::attendance::Attendance;
use crate::model::name::Name;
use crate::model::snapshot::Snapshot;
use crate::model::term::Term;
use compose::Composed;
use lobby::Lobby;
use metrics::{Metrics, Refusal};
use register::Register;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// After an error of ours (no descriptors left), which the next call would only meet again.
const RECOVER: Duration = Duration::from_millis(50);

/// What a controller has to say to its nodes.
#[derive(Debug, Clone, Default)]
pub struct Bulletin {
    /// `None`: this controller does not lead. Its agents hear that, and keep what they have.
    pub term: Option<Term>,
    /// A node that is not in here hears from a leader what it would hear from one that does not lead. Maps that
    /// nodes share (by `Arc`) are written once.
    pub snapshots: BTreeMap<Name, Arc<Snapshot>>,
}

/// What strangers may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From a connection to its first call.
    pub handshake: Duration,
    /// Connections at once.
    pub connections: usize,
    /// Of them, those that have not said who they are; the longest waiting makes room for the newest.
    pub strangers: usize,
    /// The same, from one address.
    pub strangers_per_address: usize,
    /// Nodes that are remembered.
    pub nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(5),
            connections: 16_384,
            strangers: 1024,
            strangers_per_address: 128,
            nodes: 10_000,
        }
    }
}

/// What a server needs.
#[derive(Debug)]
pub struct Server {
    pub listener: TcpListener,
    pub security: Security,
    pub limits: Limits,
    pub metrics: Metrics,
    /// Its first value counts: hold back the server, or say `term: None`, until there are orders.
    pub bulletins: watch::Receiver<Arc<Bulletin>>,
    /// Of every agent that has ever spoken to this server.
    pub attendance: watch::Sender<Arc<BTreeMap<Name, Attendance>>>,
}

/// What connections share.
#[derive(Debug)]
pub struct Shared {
    security: Security,
    limits: Limits,
    metrics: Metrics,
    register: Arc<Register>,
    composed: watch::Receiver<Arc<Composed>>,
    diffs: Diffs,
}

impl Server {
    /// Serves for as long as it is polled. When it is dropped, every connection ends.
    pub async fn run(self) {
        let Self { listener, security, limits, metrics, bulletins, attendance } = self;
        let register = Arc::new(Register::new(limits.nodes));
        let (composing, composed) = watch::channel(Arc::new(Composed::nothing()));
        let (publishing, agents) = (Arc::clone(&register), metrics.agents.clone());
        let shared =
            Arc::new(Shared { security, limits, metrics, register, composed, diffs: Diffs::default() });
        tokio::join!(
            compose::run(bulletins, composing),
            publishing.publish(attendance, agents),
            accept(listener, shared),
        );
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let lobby = Arc::new(Lobby::new(shared.limits.strangers, shared.limits.strangers_per_address));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(_) if connections.len() >= shared.limits.connections => {
                    shared.metrics.refuse(Refusal::Crowded);
                }
                Ok((stream, peer)) => {
                    let place = lobby.enter(peer.ip());
                    connections.spawn(serve::connection(Arc::clone(&shared), stream, place));
                }
                Err(error) if is_clients(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(RECOVER).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
        shared.metrics.connections.set(connections.len().try_into().unwrap_or(i64::MAX));
    }
}

/// The client went away between its handshake and our accept (accept(2)).
fn is_clients(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

//! `novaedge-controller run`: who feeds whom.
//!
//! ```text
//! DIR or cluster ──▶ origin ──▶ reconcile ──▶ wire server ══ agents
//!                      │        │ │   ▲             │
//!           ledger ◀───┴────────┘ │   └─ attendance ┘
//!           status ◀──────────────┘
//! ```

use super::origin::{ClusterConfig, Origin, Voice, cluster, directory};
use crate::controller::admin::{self, Answers};
use crate::controller::ledger::LedgerError;
use crate::controller::metrics::Metrics;
use crate::controller::reconcile::{Inputs, Outputs, Reconciler};
use crate::controller::state_dir::{StateDir, StateDirError};
use crate::controller::status_files::StatusFileError;
use crate::controller::tell::{News, Teller};
use crate::host::kept::{Kept, KeptError};
use crate::host::process;
use crate::k8s::connect::ConnectError;
use crate::manifests::OpenError;
use crate::runtime::tasks::{TaskEnded, Tasks};
use crate::wire::server::{self, Limits, Server};
use crate::wire::tls::{self, Security, TlsError};
use prometheus_client::registry::Registry;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often certificates are looked at.
pub(super) const CERTIFICATES: Duration = Duration::from_secs(5);

/// Handing over takes a moment; whoever waits for the end is not kept longer.
const HAND_OVER: Duration = Duration::from_secs(3);

/// Where the objects are.
#[derive(Debug, Clone)]
pub enum Source {
    Directory(PathBuf),
    Cluster(ClusterConfig),
}

/// How agents and this controller know each other.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// By certificates, this controller's in the directory.
    Certificates(PathBuf),
    /// As the source has it: in a cluster by the agents' tokens.
    OfTheSource,
    /// Somebody asked for plaintext.
    None,
}

#[derive(Debug, Clone)]
pub struct Config {
    pub source: Source,
    pub state_dir: PathBuf,
    pub listen: SocketAddr,
    pub credentials: Credentials,
    pub admin_socket: PathBuf,
    pub metrics_address: SocketAddr,
}

#[derive(Debug, thiserror::Error)]
pub enum LeadError {
    #[error(transparent)]
    Manifests(#[from] OpenError),
    #[error(transparent)]
    Cluster(#[from] ConnectError),
    #[error(transparent)]
    StateDir(#[from] StateDirError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("this controller's term: {0}")]
    Term(#[source] KeptError),
    #[error("what was in use: {0}")]
    Accepted(#[source] KeptError),
    #[error(transparent)]
    StatusFiles(#[from] StatusFileError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("cannot listen for agents on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("the admin socket {path} cannot be opened: {source}")]
    Admin { path: String, source: io::Error },
    #[error("cannot serve metrics on {address}: {source}")]
    MetricsAddress { address: SocketAddr, source: io::Error },
    #[error(transparent)]
    TaskEnded(#[from] TaskEnded),
}

/// Runs until `end` is cancelled. The agents go on with what they have: ending needs no order.
///
/// # Errors
/// Something that it needs cannot be had, each with its own message; or a part of the controller ended.
pub async fn run(config: Config, end: CancellationToken) -> Result<(), LeadError> {
    process::allow_many_descriptors();
    let mut tasks = Tasks::default();
    let state = StateDir::open(&config.state_dir)?;
    let memory = Kept::in_directory(state.path(), "accepted.json");
    let accepted = memory.load().map_err(LeadError::Accepted)?.unwrap_or_default();
    let (status, newest_status) = watch::channel(None);
    let origin = match config.source.clone() {
        Source::Directory(manifests) => {
            directory(manifests, state, newest_status.clone(), &mut tasks).await?
        }
        Source::Cluster(cluster_config) => {
            cluster(cluster_config, state, newest_status.clone(), end.clone(), &mut tasks).await?
        }
    };
    let Origin { loaded, first, books, election, voice, follows, security: known, over, _state } = origin;

    let mut registry = Registry::with_prefix("novaedge");
    let (bulletins, newest_bulletin) = watch::channel(Arc::default());
    let (attendance, newest_attendance) = watch::channel(Arc::default());
    let (snapshots, newest_snapshots) = watch::channel(Arc::default());
    let server = Server {
        listener: listen(config.listen).await?,
        security: chosen(config.credentials.clone(), known, &mut tasks)?,
        limits: Limits::default(),
        metrics: server::metrics::Metrics::new(&mut registry),
        bulletins: newest_bulletin,
        attendance,
    };
    let (news, newest) = watch::channel(News::None);
    let metrics = Metrics::new(&mut registry);
    let teller = Teller::new(status, metrics.clone());
    let teller = voiced(teller, voice);
    let outputs = Outputs { bulletins, snapshots, news, metrics };
    let reconciler = Reconciler::new(books, memory, accepted, outputs);
    let inputs = Inputs { loaded, attendance: newest_attendance.clone(), election };
    let answers = Answers {
        status: newest_status,
        attendance: newest_attendance,
        follows,
        snapshots: newest_snapshots,
        registry: Arc::new(Mutex::new(registry)),
    };
    open_doors(&config, answers, &mut tasks)?;
    tasks.spawn("reconcile", async move {
        first.await;
        reconciler.run(inputs).await;
    });
    tasks.spawn("status", teller.run(newest));
    tasks.spawn("wire", server.run());
    tokio::select! {
        ended = tasks.first_to_end() => Err(ended.into()),
        () = async {
            end.cancelled().await;
            let _ = tokio::time::timeout(HAND_OVER, over.cancelled()).await;
        } => Ok(()),
    }
}

fn voiced(teller: Teller, voice: Option<Voice>) -> Teller {
    match voice {
        Some(Voice { earlier, events }) => teller.with(earlier, events),
        None => teller,
    }
}

fn chosen(said: Credentials, known: Option<Security>, tasks: &mut Tasks) -> Result<Security, TlsError> {
    match (said, known) {
        (Credentials::Certificates(directory), _) => security(Some(directory), tasks),
        (Credentials::OfTheSource, Some(security)) => Ok(security),
        (Credentials::OfTheSource, None) | (Credentials::None, _) => security(None, tasks),
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, LeadError> {
    TcpListener::bind(address).await.map_err(|source| LeadError::Listen { address, source })
}

pub(super) fn security(directory: Option<PathBuf>, tasks: &mut Tasks) -> Result<Security, TlsError> {
    let Some(directory) = directory else {
        tracing::warn!("--insecure: everybody who reaches the controller can claim to be any node");
        return Ok(Security::Insecure);
    };
    let (security, following) = tls::follow(directory, CERTIFICATES)?;
    tasks.spawn("certificates", following);
    Ok(security)
}

fn open_doors(config: &Config, answers: Answers, tasks: &mut Tasks) -> Result<(), LeadError> {
    let socket = admin::on_socket(&config.admin_socket, answers.clone())
        .map_err(|source| LeadError::Admin { path: config.admin_socket.display().to_string(), source })?;
    tasks.spawn("admin", socket);
    let address = config.metrics_address;
    let metrics = admin::on_address(address, answers)
        .map_err(|source| LeadError::MetricsAddress { address, source })?;
    tasks.spawn("metrics", metrics);
    Ok(())
}

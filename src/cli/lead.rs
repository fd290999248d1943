//! `novaedge-controller run`: who feeds whom.
//!
//! ```text
//! DIR ──▶ manifests ──▶ reconcile ──▶ wire server ══ agents
//!                       │ │   ▲             │
//!     state directory ◀─┘ │   └─ attendance ┘
//!            status ◀─────┘
//! ```

use super::output;
use crate::controller::admin::{self, Answers};
use crate::controller::election;
use crate::controller::ledger::{LedgerError, LedgerFile};
use crate::controller::metrics::Metrics;
use crate::controller::reconcile::{Inputs, Outputs, Reconciler};
use crate::controller::state_dir::{StateDir, StateDirError};
use crate::controller::status_files::{self, StatusFileError, StatusFiles};
use crate::controller::tell::{News, Teller};
use crate::host::kept::{Kept, KeptError};
use crate::host::process;
use crate::manifests::{OpenError, Source};
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
const CERTIFICATES: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub struct Config {
    pub manifests: PathBuf,
    pub state_dir: PathBuf,
    pub listen: SocketAddr,
    /// `None`: plaintext, because somebody asked for it.
    pub tls: Option<PathBuf>,
    pub admin_socket: PathBuf,
    pub metrics_address: SocketAddr,
}

#[derive(Debug, thiserror::Error)]
pub enum LeadError {
    #[error(transparent)]
    Manifests(#[from] OpenError),
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
    let source = Source::open(config.manifests.clone()).await?;
    let state = StateDir::open(&config.state_dir)?;
    let term = election::alone(&state, output::unix_now()).map_err(LeadError::Term)?;
    let (_alone, election) = watch::channel(Some(term));
    let memory = Kept::in_directory(state.path(), "accepted.json");
    let accepted = memory.load().map_err(LeadError::Accepted)?.unwrap_or_default();
    let status_files = StatusFiles::open(state.path())?;
    let ledger = LedgerFile::open(state)?;

    let mut registry = Registry::with_prefix("novaedge");
    let (bulletins, newest_bulletin) = watch::channel(Arc::default());
    let (attendance, newest_attendance) = watch::channel(Arc::default());
    let (snapshots, newest_snapshots) = watch::channel(Arc::default());
    let (status, newest_status) = watch::channel(None);
    let server = Server {
        listener: listen(config.listen).await?,
        security: security(config.tls.clone(), &mut tasks)?,
        limits: Limits::default(),
        metrics: server::metrics::Metrics::new(&mut registry),
        bulletins: newest_bulletin,
        attendance,
    };
    let (news, newest) = watch::channel(News::None);
    let metrics = Metrics::new(&mut registry);
    let teller = Teller::new(status, metrics.clone());
    let outputs = Outputs { bulletins, snapshots, news, metrics };
    let reconciler = Reconciler::new(ledger, memory, accepted, outputs);
    let inputs = Inputs { loaded: source.subscribe(), attendance: newest_attendance.clone(), election };
    let answers = Answers {
        status: newest_status.clone(),
        attendance: newest_attendance,
        snapshots: newest_snapshots,
        registry: Arc::new(Mutex::new(registry)),
    };
    open_doors(&config, answers, &mut tasks)?;
    tasks.spawn("manifests", source.run());
    tasks.spawn("reconcile", reconciler.run(inputs));
    tasks.spawn("status", teller.run(newest));
    tasks.spawn("wire", server.run());
    tasks.spawn("status files", status_files::follow(status_files, newest_status));
    tracing::info!(%term, listen = %config.listen, manifests = %config.manifests.display(), "the controller leads");
    tokio::select! {
        ended = tasks.first_to_end() => Err(ended.into()),
        () = end.cancelled() => Ok(()),
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

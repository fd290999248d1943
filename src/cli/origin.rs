//! Where a controller's world comes from, where its results go, and who decides that it leads: a directory that it
//! has to itself, or a cluster that it shares.

use super::lead::LeadError;
use super::output;
use super::serving::Serving;
use crate::compile::status::{EstateStatus, Event};
use crate::controller::books::{Books, ClusterBooks};
use crate::controller::cluster_status;
use crate::controller::election::{self, Election};
use crate::controller::ledger::LedgerFile;
use crate::controller::state_dir::StateDir;
use crate::controller::status_files::{self, StatusFiles};
use crate::controller::tell::Earlier;
use crate::k8s::board::Board;
use crate::k8s::connect::connect;
use crate::k8s::lease::{self, Candidate};
use crate::k8s::ledger::PoolLedger;
use crate::k8s::review::{self, Expected};
use crate::k8s::status::{StatusWriter, told};
use crate::k8s::{Cluster, events};
use crate::manifests::{Loaded, Source};
use crate::runtime::ask;
use crate::runtime::tasks::Tasks;
use crate::wire::tls::Security;
use kube::Client;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// Events that wait to be published; more of them are only logged.
const EVENTS: usize = 1024;

/// Tokens that wait to be reviewed.
const REVIEWS: usize = 256;

type Status = watch::Receiver<Option<Arc<EstateStatus>>>;

#[expect(missing_debug_implementations, reason = "it holds a future")]
pub struct Origin {
    pub loaded: watch::Receiver<Arc<Loaded>>,
    /// Ends when `loaded` holds the first whole world.
    pub first: Pin<Box<dyn Future<Output = ()> + Send>>,
    pub books: Books,
    pub election: Election,
    pub voice: Option<Voice>,
    pub follows: watch::Receiver<bool>,
    /// How agents and this controller know each other, where nobody has said it.
    pub security: Option<Security>,
    /// The right to lead has been handed over.
    pub over: CancellationToken,
    /// Keeps others out of the directory.
    pub _state: Option<StateDir>,
}

/// What is told beside statuses, and what others have told before.
#[expect(missing_debug_implementations, reason = "it holds a function")]
pub struct Voice {
    pub earlier: Earlier,
    pub events: mpsc::Sender<Event>,
}

#[derive(Debug, Clone)]
pub struct ClusterConfig {
    pub kubeconfig: Option<PathBuf>,
    pub candidate: Candidate,
    /// By which agents reach this controller: in its certificate.
    pub names: Vec<String>,
    /// The agents' service account, in the candidate's namespace.
    pub agents: String,
    /// Agents are known by their pods' tokens.
    pub reviews: bool,
}

pub async fn directory(
    manifests: PathBuf,
    state: StateDir,
    status: Status,
    tasks: &mut Tasks,
) -> Result<Origin, LeadError> {
    let source = Source::open(manifests.clone()).await?;
    let term = election::alone(&state, output::unix_now()).map_err(LeadError::Term)?;
    let (always, election) = watch::channel(Some(term));
    let status_files = StatusFiles::open(state.path())?;
    let books = Books::File(LedgerFile::open(state)?);
    let loaded = source.subscribe();
    tasks.spawn("manifests", source.run());
    tasks.spawn("status files", async move {
        let _always = always;
        status_files::follow(status_files, status).await;
    });
    tracing::info!(%term, manifests = %manifests.display(), "the controller leads");
    let (first, over) = (Box::pin(std::future::ready(())), CancellationToken::new());
    over.cancel();
    let follows = watch::channel(false).1;
    Ok(Origin { loaded, first, books, election, voice: None, follows, security: None, over, _state: None })
}

pub async fn cluster(
    config: ClusterConfig,
    state: StateDir,
    status: Status,
    end: CancellationToken,
    tasks: &mut Tasks,
) -> Result<Origin, LeadError> {
    let ClusterConfig { kubeconfig, candidate, names, agents, reviews } = config;
    let client = connect(kubeconfig.as_deref()).await?;
    let security = match reviews {
        true => Some(tokens(&client, &candidate.namespace, (names, agents), tasks).await),
        false => None,
    };
    let board = Board::default();
    let (newest, cluster) = watch::channel(None);
    let (load, loaded) = watch::channel(Arc::default());
    let (follow, follows) = watch::channel(false);
    tasks.spawn("cluster", crate::k8s::run::run(client.clone(), board.clone(), newest));
    tasks.spawn("world", hand_on(cluster, load, follow));
    let (events, told_events) = mpsc::channel(EVENTS);
    let instance = candidate.identity.clone();
    tasks.spawn("events", events::run(client.clone(), instance, board.clone(), told_events));
    let (term, election) = watch::channel(None);
    let writer = StatusWriter::new(client.clone(), board.clone());
    tasks.spawn("statuses", cluster_status::follow(writer, status, election.clone()));
    let books = ClusterBooks::new(PoolLedger::new(client.clone(), board.clone()), Handle::current());
    let (mut read, over) = (follows.clone(), CancellationToken::new());
    tasks.spawn("lease", {
        let (mut read, handing) = (follows.clone(), (end, over.clone()));
        async move {
            // Who does not know the world yet cannot lead.
            let _ = read.wait_for(|read| *read).await;
            lease::run(client, candidate, term, handing).await;
        }
    });
    Ok(Origin {
        loaded,
        first: Box::pin(async move { drop(read.wait_for(|read| *read).await) }),
        books: Books::Cluster(Box::new(books)),
        election,
        voice: Some(Voice { earlier: Box::new(move || told(&board)), events }),
        follows,
        security,
        over,
        _state: Some(state),
    })
}

/// Lets agents in by their tokens, with a certificate that this controller makes itself.
async fn tokens(
    client: &Client,
    namespace: &str,
    (names, agents): (Vec<String>, String),
    tasks: &mut Tasks,
) -> Security {
    let (ask, asked) = ask::channel(REVIEWS);
    let expected = Expected::service_account(namespace, &agents);
    tasks.spawn("reviews", review::run(client.clone(), expected, asked));
    let serving = Serving { client: client.clone(), namespace: namespace.to_owned(), names };
    let (authority, config) = serving.first().await;
    let (renewed, config) = watch::channel(Arc::new(config));
    tasks.spawn("certificate", serving.renew(authority, renewed));
    Security::Reviewing(config, ask)
}

/// The cluster's world, as the loop takes it.
async fn hand_on(
    mut cluster: watch::Receiver<Option<Arc<Cluster>>>,
    load: watch::Sender<Arc<Loaded>>,
    follow: watch::Sender<bool>,
) {
    loop {
        let newest = cluster.borrow_and_update().clone();
        if let Some(newest) = newest {
            let Cluster { resources, problems } = Arc::unwrap_or_clone(newest);
            load.send_replace(Arc::new(Loaded::elsewhere(resources, problems)));
            follow.send_if_modified(|follows| !std::mem::replace(follows, true));
        }
        if cluster.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

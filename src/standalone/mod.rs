//! An agent that is told what to do by a directory of manifests: no controller, no Kubernetes.
//!
//! ```text
//! DIR ──▶ source ──▶ reconcile (compile) ──▶ agent
//! ```
//!
//! The manifests are the ones that `kubectl apply` takes, and the compiler is the one of the controller.
//! A standalone agent knows only its own node: it does BGP, and whoever runs several of them gives all of
//! them the same directory (spec §2.9).

pub mod reconcile;
pub mod source;

use crate::agent::{self, AgentError, Orders, config::Config, last_good::LastGood, last_good::LastGoodError};
use crate::api::condition::Reason;
use crate::model::status::Rejected;
use crate::runtime::tasks::Tasks;
use reconcile::Reconciler;
use source::{OpenError, Source};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often a directory that is not there is looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub enum StandaloneError {
    #[error("{0}, and no last good snapshot is kept in the state directory")]
    NoManifests(#[source] OpenError),
    #[error(transparent)]
    LastGood(#[from] LastGoodError),
    #[error(transparent)]
    Agent(#[from] AgentError),
}

/// Runs until `leave` is cancelled and the node has left in order.
///
/// # Errors
/// The state directory cannot be used; the manifests cannot be read and there is no last good snapshot; or
/// a part of the agent ended.
pub async fn run(manifests: &Path, config: Config, leave: CancellationToken) -> Result<(), StandaloneError> {
    let last_good = LastGood::open(&config.state_dir)?;
    let (snapshot, newest_snapshot) = watch::channel(None);
    let (rejected, newest_rejected) = watch::channel(Vec::new());
    let mut reconciler = Reconciler::new(config.node.clone(), last_good, snapshot, rejected);
    let opened = match Source::open(manifests.to_owned()).await {
        Ok(source) => Some(source),
        Err(error) if reconciler.unreadable(unreadable(manifests, &error)) => None,
        Err(error) => return Err(StandaloneError::NoManifests(error)),
    };
    let mut tasks = Tasks::default();
    tasks.spawn("reconcile", follow(manifests.to_owned(), opened, reconciler));
    let orders = Orders { snapshot: newest_snapshot, rejected: newest_rejected };
    Ok(agent::run(config, orders, tasks, leave).await?)
}

/// Reconciles whenever the directory says something new.
async fn follow(manifests: PathBuf, mut opened: Option<Source>, mut reconciler: Reconciler) {
    let source = loop {
        match opened.take() {
            Some(source) => break source,
            None => tokio::time::sleep(LOOK_AGAIN).await,
        }
        opened = Source::open(manifests.clone()).await.ok();
    };
    let mut loaded = source.subscribe();
    let reconciling = async {
        loop {
            let newest = loaded.borrow_and_update().clone();
            reconciler.reconcile(&newest);
            if loaded.changed().await.is_err() {
                return;
            }
        }
    };
    tokio::join!(source.run(), reconciling);
}

fn unreadable(manifests: &Path, error: &OpenError) -> Rejected {
    Rejected {
        object: manifests.display().to_string(),
        field: String::new(),
        reason: Reason::Unreadable.to_string(),
        message: format!("{error} (the last good snapshot is in force)"),
        place: None,
        notice: false,
    }
}

//! `novaedge-agent standalone`: who feeds whom.
//!
//! ```text
//! DIR ──▶ manifests ──▶ reconcile (compile) ──▶ agent
//!                        │
//!                        └──▶ last good snapshot on disk
//! ```

use crate::agent::config::Config;
use crate::agent::last_good::{self, LastGood, LastGoodError};
use crate::agent::{self, AgentError, Orders};
use crate::compile::accepted::Accepted;
use crate::host::kept::Kept;
use crate::model::snapshot::Snapshot;
use crate::runtime::tasks::Tasks;
use crate::standalone::{NoManifests, Reconciler};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

#[derive(Debug, thiserror::Error)]
pub enum StandaloneError {
    #[error(transparent)]
    NoManifests(#[from] NoManifests),
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
    let kept = last_good.load(&config.node).unwrap_or_else(|error| {
        tracing::warn!(%error, "the last good snapshot is not used");
        None
    });
    let before = kept.map(|kept| kept.snapshot);
    let memory = Kept::in_directory(&config.state_dir, "accepted.json");
    let accepted = memory.load().unwrap_or_else(|error| {
        tracing::warn!(%error, "it is not known which VIPs were in use; of equals, names decide");
        None
    });
    let keep = move |snapshot: &Arc<Snapshot>, accepted: &Accepted| {
        let kept = last_good::Kept { term: None, snapshot: snapshot.clone() };
        if let Err(error) = last_good.keep(&kept) {
            tracing::warn!(%error, "a restart without the manifests would not know this snapshot");
        }
        if let Err(error) = memory.keep(accepted) {
            tracing::warn!(%error, "a restart would not know which edits were refused");
        }
    };
    let (snapshot, newest_snapshot) = watch::channel(None);
    let (rejected, newest_rejected) = watch::channel(Vec::new());
    let reconciler = Reconciler::new(
        config.node.clone(),
        before.clone(),
        accepted.unwrap_or_default(),
        Box::new(keep),
        snapshot,
        rejected,
    );
    let following = reconciler.follow(manifests.to_owned()).await?;
    let mut tasks = Tasks::default();
    tasks.spawn("reconcile", following);
    let (_nobody, leader) = watch::channel(None);
    let orders = Orders { snapshot: newest_snapshot, rejected: newest_rejected, leader, before };
    let (status, _) = watch::channel(None);
    Ok(agent::run(config, orders, status, tasks, leave).await?)
}

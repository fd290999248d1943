//! The shell of the stores: opens watches, hands what they bring on, publishes the world.

use super::Cluster;
use super::follow::{Brought, follow, strategy};
use super::stores::{Scope, Stores};
use crate::compile::kind::Kind;
use crate::compile::wanted;
use crate::model::name::Key;
use kube::Client;
use kube::runtime::watcher::InitialListStrategy;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

/// Changes within this time are published together.
const TOGETHER: Duration = Duration::from_millis(20);

/// A Secret that is named is waited for so long before the world is told without it: the server may refuse to
/// show it, and one bad reference must not hold up the others.
const SECRET: Duration = Duration::from_secs(2);

/// What may lie before the stores; a watch that is faster waits.
const WAITING: usize = 4096;

/// Follows the cluster, and fills `board`. `newest` is `None` until everything has been read once.
pub async fn run(client: Client, board: super::board::Board, newest: watch::Sender<Option<Arc<Cluster>>>) {
    let strategy = strategy(&client).await;
    let (bring, mut brought) = mpsc::channel(WAITING);
    let mut run = Run {
        client,
        strategy,
        bring,
        stores: Stores::new(board),
        watches: JoinSet::new(),
        secrets: BTreeMap::new(),
    };
    for kind in kinds() {
        run.open(Scope::All(kind));
    }
    let mut changed = false;
    let mut next = Instant::now();
    loop {
        let wake = run.wake(next, changed);
        tokio::select! {
            one = brought.recv() => {
                let Some((scope, event)) = one else { return };
                changed |= run.stores.take(&scope, event);
                while let Ok((scope, event)) = brought.try_recv() {
                    changed |= run.stores.take(&scope, event);
                }
            }
            () = sleep_until(wake.unwrap_or(next)), if wake.is_some() => {
                changed |= run.follow_secrets();
                if run.is_whole() {
                    newest.send_replace(Some(Arc::new(run.stores.cluster())));
                    changed = false;
                }
                next = Instant::now() + TOGETHER;
            }
        }
    }
}

/// Those of which every object is read; of Secrets, only those that are named.
fn kinds() -> impl Iterator<Item = Kind> {
    Kind::ALL.iter().copied().filter(|kind| *kind != Kind::Secret)
}

struct Run {
    client: Client,
    strategy: InitialListStrategy,
    bring: mpsc::Sender<Brought>,
    stores: Stores,
    watches: JoinSet<()>,
    /// Since when, and how to end it.
    secrets: BTreeMap<Key, (Instant, AbortHandle)>,
}

impl Run {
    fn open(&mut self, scope: Scope) -> AbortHandle {
        self.stores.open(scope.clone());
        self.watches.spawn(follow(self.client.clone(), scope, self.strategy.clone(), self.bring.clone()))
    }

    /// Watches the Secrets that the world names now, and no others. Whether the world changed.
    fn follow_secrets(&mut self) -> bool {
        let wanted = wanted::secrets(self.stores.resources());
        let mut changed = false;
        for key in self.stores.secrets().difference(&wanted) {
            if let Some((_, watch)) = self.secrets.remove(key) {
                watch.abort();
            }
            changed |= self.stores.close(&Scope::Secret(key.clone()));
        }
        for key in wanted {
            if !self.secrets.contains_key(&key) {
                let watch = self.open(Scope::Secret(key.clone()));
                self.secrets.insert(key, (Instant::now(), watch));
            }
        }
        changed
    }

    fn has_all_kinds(&self) -> bool {
        kinds().all(|kind| self.stores.is_complete(&Scope::All(kind)))
    }

    fn is_whole(&self) -> bool {
        self.has_all_kinds() && self.awaited_secret().is_none_or(|until| until <= Instant::now())
    }

    /// Until when some Secret that has not been read yet is waited for.
    fn awaited_secret(&self) -> Option<Instant> {
        let unread =
            self.secrets.iter().filter(|(key, _)| !self.stores.is_complete(&Scope::Secret((*key).clone())));
        unread.map(|(_, (since, _))| *since + SECRET).max()
    }

    /// When the world may be published, if there is anything to tell.
    fn wake(&self, next: Instant, changed: bool) -> Option<Instant> {
        if !changed || !self.has_all_kinds() {
            return None;
        }
        Some(
            self.awaited_secret()
                .filter(|until| *until > Instant::now())
                .map_or(next, |until| until.max(next)),
        )
    }
}

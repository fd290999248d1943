//! Follows a directory: waits until it changed and came to rest, loads it, publishes it.

use super::directory::{Survey, read, survey};
use super::load::{Loaded, load};
use crate::api::condition::Reason;
use crate::model::status::Rejected;
use k8s_openapi::jiff::Timestamp;
use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

/// How long nothing must be written before files are read: editors and `kubectl cp` write in steps.
const QUIET: Duration = Duration::from_millis(100);

/// The longest wait for quiet. Somebody who writes all the time is read all the same.
const PATIENCE: u32 = 20;

/// Looks are taken this often in any case: file systems and symbolic links exist that tell nobody.
const RESCAN: Duration = Duration::from_secs(5);

/// The directory cannot be read at the start. Later on, this is a problem that is published.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the manifests in {}: {source}", .directory.display())]
pub struct OpenError {
    directory: PathBuf,
    source: io::Error,
}

/// A directory of manifests that is followed.
#[derive(Debug)]
pub struct Source {
    directory: PathBuf,
    loaded: watch::Sender<Arc<Loaded>>,
    /// What the published world was read from; `None`: it must be read anew.
    last: Option<Survey>,
    touched: Arc<Notify>,
    watcher: Option<RecommendedWatcher>,
}

impl Source {
    /// Reads the directory for the first time.
    ///
    /// # Errors
    /// It is not there or cannot be listed. Broken files are no error: see [`Loaded::problems`].
    pub async fn open(directory: PathBuf) -> Result<Self, OpenError> {
        let (loaded, _) = watch::channel(Arc::default());
        let mut source = Self { directory, loaded, last: None, touched: Arc::default(), watcher: None };
        match source.changed().await {
            Ok(survey) => source.reload(survey.expect("the first survey is new")).await,
            Err(error) => return Err(OpenError { directory: source.directory, source: error }),
        }
        Ok(source)
    }

    /// The newest world; the first one is there at once.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Loaded>> {
        self.loaded.subscribe()
    }

    /// Follows the directory for ever. Dropping the future is safe.
    pub async fn run(mut self) {
        loop {
            // Either way it is time to look.
            let _ = timeout(RESCAN, self.touched.notified()).await;
            match self.changed().await {
                Ok(Some(survey)) => self.reload(survey).await,
                Ok(None) => {}
                Err(error) => self.unreadable(&error),
            }
        }
    }

    /// The directory at rest, when it is not as it was last read.
    async fn changed(&self) -> io::Result<Option<Survey>> {
        let mut seen = self.survey().await?;
        if self.last.as_ref() == Some(&seen) {
            return Ok(None);
        }
        if self.last.is_some() {
            for _ in 0..PATIENCE {
                sleep(QUIET).await;
                let now = self.survey().await?;
                if now == seen {
                    break;
                }
                seen = now;
            }
        }
        Ok(Some(seen))
    }

    async fn reload(&mut self, survey: Survey) {
        let moved = self.last.as_ref().is_some_and(|last| !last.same_directory(&survey));
        if moved || self.watcher.is_none() {
            self.watcher = watcher(&self.directory, &self.touched);
        }
        let (directory, files, previous) =
            (self.directory.clone(), survey.clone(), self.loaded.borrow().clone());
        let work = move || load(&read(&directory, &files), &previous, now());
        match tokio::task::spawn_blocking(work).await {
            Ok(loaded) => {
                self.last = Some(survey);
                self.publish(loaded);
            }
            Err(error) => self.unreadable(&io::Error::other(error)),
        }
    }

    /// On another thread: a file system that hangs must not hold up the agent.
    async fn survey(&self) -> io::Result<Survey> {
        let directory = self.directory.clone();
        tokio::task::spawn_blocking(move || survey(&directory)).await.map_err(io::Error::other)?
    }

    /// All that was good stays, with the directory itself as a problem.
    fn unreadable(&mut self, error: &io::Error) {
        (self.last, self.watcher) = (None, None);
        let mut loaded = Loaded::clone(&self.loaded.borrow());
        let problem = Rejected {
            object: self.directory.display().to_string(),
            field: String::new(),
            reason: Reason::Unreadable.to_string(),
            message: format!("{error} (what was read before stays in use)"),
            place: None,
            notice: false,
        };
        if !loaded.problems.contains(&problem) {
            loaded.problems.push(problem);
            self.publish(loaded);
        }
    }

    fn publish(&self, loaded: Loaded) {
        self.loaded.send_replace(Arc::new(loaded));
        let loaded = self.loaded.borrow();
        let problems = loaded.problems.len();
        tracing::info!(directory = %self.directory.display(), objects = loaded.len(), problems, "manifests read");
    }
}

/// Wakes us on every write. Without it (no inotify instance left, say) the rescan goes on.
fn watcher(directory: &Path, touched: &Arc<Notify>) -> Option<RecommendedWatcher> {
    let touched = Arc::clone(touched);
    let wake = move |event: notify::Result<Event>| {
        if event.as_ref().map_or(true, is_write) {
            touched.notify_one();
        }
    };
    let watcher = notify::recommended_watcher(wake).and_then(|mut watcher| {
        watcher.watch(directory, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    watcher
        .inspect_err(|error| {
            tracing::warn!(%error, rescan = ?RESCAN, "manifests are followed by looking only");
        })
        .ok()
}

/// Our own looks make events too; they must not wake us.
fn is_write(event: &Event) -> bool {
    match event.kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::new(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), 0).unwrap_or(Timestamp::MAX)
}

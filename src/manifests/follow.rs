//! Follows a directory: waits until it changed, loads it, publishes it.
//!
//! Good news travels at once: when every writer has closed its file and the world only grew, it is
//! published within milliseconds. Whatever takes an object away or has a fault may be half of a change
//! (editors move the old file away first, shells empty a file before they fill it), so it must stay so
//! for a moment of quiet.

use super::directory::{Survey, read, survey};
use super::load::{Loaded, load};
use super::watcher::Watcher;
use crate::api::condition::Reason;
use crate::model::status::Rejected;
use k8s_openapi::jiff::Timestamp;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

/// How long nothing must be written before bad news is believed.
const QUIET: Duration = Duration::from_millis(100);

/// How many times quiet is waited for. Somebody who writes all the time is read all the same.
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
    watcher: Option<Watcher>,
}

impl Source {
    /// Reads the directory for the first time.
    ///
    /// # Errors
    /// It is not there or cannot be listed. Broken files are no error: see [`Loaded::problems`].
    pub async fn open(directory: PathBuf) -> Result<Self, OpenError> {
        let (loaded, _) = watch::channel(Arc::default());
        let mut source = Self { directory, loaded, last: None, touched: Arc::default(), watcher: None };
        match source.first().await {
            Ok(()) => Ok(source),
            Err(error) => Err(OpenError { directory: source.directory, source: error }),
        }
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
            if let Err(error) = self.look().await {
                self.unreadable(&error);
            }
        }
    }

    async fn first(&mut self) -> io::Result<()> {
        let survey = self.survey().await?;
        self.watch(&survey);
        let loaded = self.read(&survey).await?;
        self.publish(survey, loaded);
        Ok(())
    }

    /// Publishes the directory, when it is not as it was last read, and can be believed.
    async fn look(&mut self) -> io::Result<()> {
        let mut seen = self.survey().await?;
        if self.last.as_ref() == Some(&seen) {
            return Ok(());
        }
        self.watch(&seen);
        for _ in 0..PATIENCE {
            if self.watcher.as_ref().is_some_and(Watcher::all_closed) {
                let loaded = self.read(&seen).await?;
                if loaded.only_adds_to(&self.loaded.borrow()) && self.survey().await? == seen {
                    self.publish(seen, loaded);
                    return Ok(());
                }
            }
            let quiet = timeout(QUIET, self.touched.notified()).await.is_err();
            let now = self.survey().await?;
            if quiet && now == seen {
                break;
            }
            seen = now;
        }
        if let Some(watcher) = &self.watcher {
            watcher.forget();
        }
        let loaded = self.read(&seen).await?;
        self.publish(seen, loaded);
        Ok(())
    }

    /// Has the kernel tell about this directory, be it the first or another of the same name.
    fn watch(&mut self, survey: &Survey) {
        let moved = self.last.as_ref().is_some_and(|last| !last.same_directory(survey));
        if moved || self.watcher.is_none() {
            self.watcher = Watcher::new(&self.directory, &self.touched);
        }
    }

    async fn read(&self, survey: &Survey) -> io::Result<Loaded> {
        let (directory, files, previous) =
            (self.directory.clone(), survey.clone(), self.loaded.borrow().clone());
        let work = move || load(&read(&directory, &files), &previous, now());
        tokio::task::spawn_blocking(work).await.map_err(io::Error::other)
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
            self.send(loaded);
        }
    }

    fn publish(&mut self, survey: Survey, loaded: Loaded) {
        self.last = Some(survey);
        self.send(loaded);
    }

    fn send(&self, loaded: Loaded) {
        self.loaded.send_replace(Arc::new(loaded));
        let loaded = self.loaded.borrow();
        let problems = loaded.problems.len();
        tracing::info!(directory = %self.directory.display(), objects = loaded.len(), problems, "manifests read");
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::new(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), 0).unwrap_or(Timestamp::MAX)
}

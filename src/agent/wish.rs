//! What the node itself wishes, and how long it waits for its leader's word.

use crate::host::file;
use crate::model::leaving::Cause;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The wish of `novaedge-agent drain`: a file in the state directory, so that it outlives the agent.
#[derive(Debug, Clone)]
pub struct Drain {
    path: PathBuf,
    wished: Arc<watch::Sender<bool>>,
}

impl Drain {
    /// A state directory that cannot be read says nothing, which is logged.
    pub fn load(state_dir: &Path) -> Self {
        let path = state_dir.join("drain");
        let wished = path.try_exists().unwrap_or_else(|error| {
            tracing::warn!(path = %path.display(), %error, "whether the node was drained cannot be told; it is not");
            false
        });
        if wished {
            tracing::info!("the node is drained; novaedge-agent undrain brings it back");
        }
        Self { path, wished: Arc::new(watch::Sender::new(wished)) }
    }

    pub fn subscribe(&self) -> watch::Receiver<bool> {
        self.wished.subscribe()
    }

    /// Keeps the wish, then makes it known.
    ///
    /// # Errors
    /// What the disk says; the wish is then as it was.
    pub fn set(&self, wished: bool) -> io::Result<()> {
        if wished {
            file::replace(&self.path, b"novaedge-agent undrain removes this file\n", 0o600)?;
        } else {
            match std::fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.wished.send_if_modified(|before| std::mem::replace(before, wished) != wished);
        Ok(())
    }
}

/// Everything that the node may wish.
#[derive(Debug)]
pub struct Wish {
    pub drain: watch::Receiver<bool>,
    /// Since when the process is asked to end.
    asked_to_end: Option<Instant>,
    /// How long it then waits for its leader's leave.
    grace_period: Duration,
}

impl Wish {
    pub fn new(drain: watch::Receiver<bool>, grace_period: Duration) -> Self {
        Self { drain, asked_to_end: None, grace_period }
    }

    pub fn end(&mut self, now: Instant) {
        if self.asked_to_end.is_none() {
            tracing::info!("asked to end: the node leaves first");
            self.asked_to_end = Some(now);
        }
    }

    pub fn is_to_end(&self) -> bool {
        self.asked_to_end.is_some()
    }

    pub fn cause(&mut self) -> Option<Cause> {
        let drain = *self.drain.borrow_and_update();
        self.asked_to_end.map(|_| Cause::Terminating).or(drain.then_some(Cause::Drain))
    }

    /// Whether there is time to wait for a leader's word.
    pub fn can_wait(&self, now: Instant) -> bool {
        self.asked_to_end.is_none_or(|since| now.duration_since(since) < self.grace_period)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_outlives_the_agent_until_it_is_taken_back() {
        let directory = tempfile::tempdir().unwrap();
        let now = || *Drain::load(directory.path()).subscribe().borrow();
        assert!(!now());
        let drain = Drain::load(directory.path());
        drain.set(false).unwrap();
        drain.set(true).unwrap();
        assert!(now() && *drain.subscribe().borrow());
        drain.set(false).unwrap();
        assert!(!now() && !*drain.subscribe().borrow());
    }

    #[test]
    fn a_wish_that_cannot_be_kept_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let drain = Drain::load(&directory.path().join("missing"));
        assert!(drain.set(true).is_err());
        assert!(!*drain.subscribe().borrow());
    }

    #[test]
    fn the_end_is_the_stronger_wish_and_waits_only_so_long() {
        let (_drain, drained) = watch::channel(true);
        let mut wish = Wish::new(drained, Duration::from_secs(60));
        let start = Instant::now();
        assert_eq!(wish.cause(), Some(Cause::Drain));
        assert!(wish.can_wait(start + Duration::from_secs(3600)));
        wish.end(start);
        assert_eq!(wish.cause(), Some(Cause::Terminating));
        assert!(wish.can_wait(start + Duration::from_secs(59)));
        assert!(!wish.can_wait(start + Duration::from_secs(60)));
    }
}

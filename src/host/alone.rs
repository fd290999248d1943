//! A unix socket that one process of this machine listens at, and others may connect to.

use rustix::fd::OwnedFd;
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tokio::net::UnixListener;

/// The listener, and the lock that keeps others from being it; both end with it, however the process ends.
#[derive(Debug)]
pub struct Alone {
    pub listener: UnixListener,
    path: PathBuf,
    _lock: OwnedFd,
}

impl Alone {
    /// `None`: another process listens there. What a dead one left is no obstacle: the lock beside the socket
    /// decides, and the kernel lets go of that.
    ///
    /// # Errors
    /// The lock or the socket cannot be made.
    pub fn listen(path: &Path) -> io::Result<Option<Self>> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        let lock = path.with_added_extension("lock");
        let lock = open(lock, OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Some(Self { listener, path: path.to_owned(), _lock: lock }))
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        // Nobody else listens there while the lock is held.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_listens_at_a_time_and_leavings_are_no_obstacle() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/guard.sock");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let first = Alone::listen(&path).unwrap().unwrap();
        assert!(Alone::listen(&path).unwrap().is_none());
        drop(tokio::net::UnixStream::connect(&path).await.unwrap());
        drop(first);
        assert!(!path.exists());
        assert!(Alone::listen(&path).unwrap().is_some());
    }
}

//! `--state-dir`: what a controller remembers, and the lock that keeps a second one out of it.

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// One controller's state directory. The kernel frees the lock when this is dropped, or when the process
/// ends in whatever way; no stale lock is ever left behind.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    _lock: File,
}

#[derive(Debug, thiserror::Error)]
pub enum StateDirError {
    #[error("cannot prepare the state directory {path} (it must be writable by the controller): {source}")]
    Prepare { path: String, source: io::Error },
    #[error(
        "another controller uses the state directory {path}; stop it, or give this one a --state-dir of its own"
    )]
    InUse { path: String },
    #[error("cannot lock the state directory {path} (it must be on a local file system): {source}")]
    Lock { path: String, source: io::Error },
}

impl StateDir {
    /// Makes the directory if it is missing, and its mode 0700.
    ///
    /// # Errors
    /// It cannot be made or locked, or another process has it.
    pub fn open(path: &Path) -> Result<Self, StateDirError> {
        let text = || path.display().to_string();
        let failed = |source| StateDirError::Prepare { path: text(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(failed)?;
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(false).mode(0o600);
        let lock = options.open(path.join("lock")).map_err(failed)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(Errno::WOULDBLOCK) => Err(StateDirError::InUse { path: text() }),
            Err(errno) => Err(StateDirError::Lock { path: text(), source: errno.into() }),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_controllers_do_not_share_a_directory() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/state");
        let first = StateDir::open(&path).unwrap();
        assert_eq!(fs::metadata(first.path()).unwrap().permissions().mode() & 0o777, 0o700);
        let refused = StateDir::open(&path).unwrap_err();
        assert!(matches!(refused, StateDirError::InUse { .. }), "{refused}");
        assert!(refused.to_string().contains("--state-dir"), "{refused}");
        drop(first);
        StateDir::open(&path).unwrap();
    }
}

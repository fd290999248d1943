//! The last good snapshot on disk: what an agent serves when it restarts and nobody tells it better.
//!
//! The directory is 0700 and the file 0600, because snapshots hold session passwords. The file is whole
//! or not there.

use crate::host::file;
use crate::model::name::Name;
use crate::model::snapshot::Snapshot;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

#[derive(Debug, Clone)]
pub struct LastGood {
    directory: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum LastGoodError {
    #[error("cannot prepare the state directory {path} (it must be writable by the agent): {source}")]
    Directory { path: String, source: io::Error },
    #[error("cannot keep the snapshot in {path}: {source}")]
    Write { path: String, source: io::Error },
    #[error("cannot read {path}: {source}")]
    Read { path: String, source: io::Error },
    #[error("{path} is no snapshot of this version ({source}); remove it to start afresh")]
    Unreadable { path: String, source: serde_json::Error },
    #[error("{path} belongs to node {found}, and this is {expected}; remove it or correct --node")]
    OtherNode { path: String, found: Name, expected: Name },
}

impl LastGood {
    /// # Errors
    /// The directory cannot be made, or its mode not be set to 0700.
    pub fn open(directory: &Path) -> Result<Self, LastGoodError> {
        let failed = |source| LastGoodError::Directory { path: directory.display().to_string(), source };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700)).map_err(failed)?;
        Ok(Self { directory: directory.to_owned() })
    }

    fn path(&self) -> PathBuf {
        self.directory.join("snapshot.json")
    }

    /// # Errors
    /// What the disk says; the snapshot kept before stays.
    pub fn keep(&self, snapshot: &Snapshot) -> Result<(), LastGoodError> {
        let failed = |source| LastGoodError::Write { path: self.path().display().to_string(), source };
        let text = serde_json::to_vec(snapshot).map_err(io::Error::from).map_err(failed)?;
        file::replace(&self.path(), &text, 0o600).map_err(failed)
    }

    /// `None`: there is none yet.
    ///
    /// # Errors
    /// The file is unreadable, no snapshot, or another node's.
    pub fn load(&self, node: &Name) -> Result<Option<Snapshot>, LastGoodError> {
        let path = self.path().display().to_string();
        let text = match std::fs::read(self.path()) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(LastGoodError::Read { path, source }),
        };
        let snapshot: Snapshot = serde_json::from_slice(&text)
            .map_err(|source| LastGoodError::Unreadable { path: path.clone(), source })?;
        if snapshot.node != *node {
            return Err(LastGoodError::OtherNode { path, found: snapshot.node, expected: node.clone() });
        }
        Ok(Some(snapshot))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn what_was_kept_is_what_comes_back() {
        let directory = tempfile::tempdir().unwrap();
        let last_good = LastGood::open(&directory.path().join("state")).unwrap();
        assert!(last_good.load(&name("n1")).unwrap().is_none());
        let snapshot = Snapshot { generation: 7, ..Snapshot::empty(name("n1")) };
        last_good.keep(&snapshot).unwrap();
        assert_eq!(last_good.load(&name("n1")).unwrap(), Some(snapshot));
        let mode = std::fs::metadata(last_good.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn another_nodes_snapshot_and_a_torn_one_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let last_good = LastGood::open(directory.path()).unwrap();
        last_good.keep(&Snapshot::empty(name("n2"))).unwrap();
        assert!(matches!(last_good.load(&name("n1")), Err(LastGoodError::OtherNode { .. })));
        std::fs::write(last_good.path(), b"{\"generation\": 3").unwrap();
        assert!(matches!(last_good.load(&name("n1")), Err(LastGoodError::Unreadable { .. })));
    }
}

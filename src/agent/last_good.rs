//! The last good snapshot on disk: what an agent serves when it restarts and nobody tells it better.
//!
//! With it goes the term of the controller that said it, so that an agent that restarts while nobody leads
//! knows whom it obeyed. The term lies beside the snapshot's own fields: a file without one is a snapshot
//! that no controller said, or an older version wrote.
//!
//! The directory is 0700 and the file 0600, because snapshots hold session passwords. The file is whole
//! or not there.

use crate::host::file;
use crate::model::name::Name;
use crate::model::snapshot::Snapshot;
use crate::model::term::Term;
use serde::{Deserialize, Serialize};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What was obeyed last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    #[serde(default)]
    pub term: Option<Term>,
    #[serde(flatten)]
    pub snapshot: Arc<Snapshot>,
}

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
    pub fn keep(&self, kept: &Kept) -> Result<(), LastGoodError> {
        let failed = |source| LastGoodError::Write { path: self.path().display().to_string(), source };
        let text = serde_json::to_vec(kept).map_err(io::Error::from).map_err(failed)?;
        file::replace(&self.path(), &text, 0o600).map_err(failed)
    }

    /// `None`: there is none yet.
    ///
    /// # Errors
    /// The file is unreadable, no snapshot, or another node's.
    pub fn load(&self, node: &Name) -> Result<Option<Kept>, LastGoodError> {
        let path = self.path().display().to_string();
        let text = match std::fs::read(self.path()) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(LastGoodError::Read { path, source }),
        };
        let kept: Kept = serde_json::from_slice(&text)
            .map_err(|source| LastGoodError::Unreadable { path: path.clone(), source })?;
        if kept.snapshot.node != *node {
            let found = kept.snapshot.node.clone();
            return Err(LastGoodError::OtherNode { path, found, expected: node.clone() });
        }
        Ok(Some(kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn kept(node: &str) -> Kept {
        let snapshot = Snapshot { generation: 7, ..Snapshot::empty(name(node)) };
        Kept { term: None, snapshot: Arc::new(snapshot) }
    }

    #[test]
    fn a_bare_snapshot_of_an_earlier_version_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let last_good = LastGood::open(directory.path()).unwrap();
        let kept = kept("n1");
        std::fs::write(last_good.path(), serde_json::to_vec(&*kept.snapshot).unwrap()).unwrap();
        assert_eq!(last_good.load(&name("n1")).unwrap(), Some(kept));
    }

    #[test]
    fn what_was_kept_is_what_comes_back() {
        let directory = tempfile::tempdir().unwrap();
        let last_good = LastGood::open(&directory.path().join("state")).unwrap();
        assert!(last_good.load(&name("n1")).unwrap().is_none());
        let term = Some(Term { created: 1_800_000_000, transitions: 3 });
        let kept = Kept { term, ..kept("n1") };
        last_good.keep(&kept).unwrap();
        assert_eq!(last_good.load(&name("n1")).unwrap(), Some(kept));
        let mode = std::fs::metadata(last_good.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn another_nodes_snapshot_and_a_torn_one_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let last_good = LastGood::open(directory.path()).unwrap();
        last_good.keep(&kept("n2")).unwrap();
        assert!(matches!(last_good.load(&name("n1")), Err(LastGoodError::OtherNode { .. })));
        std::fs::write(last_good.path(), b"{\"generation\": 3").unwrap();
        assert!(matches!(last_good.load(&name("n1")), Err(LastGoodError::Unreadable { .. })));
    }
}

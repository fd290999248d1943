//! The ledger of addresses on disk: `ledger.json` in the state directory, 0600.
//!
//! It is the only copy. A file that is there and cannot be read is an error and never an empty ledger, because
//! an empty ledger would give every address a second time. That no file is there means that nothing was
//! given out yet.

use super::state_dir::StateDir;
use crate::compile::ipam::Ledger;
use crate::host::file;
use std::io;
use std::path::PathBuf;

/// Has the state directory to itself; holds the ledger as it is on disk.
#[derive(Debug)]
pub struct LedgerFile {
    directory: StateDir,
    kept: Ledger,
}

#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("cannot read the ledger of addresses {path}: {source}; give the controller access to it")]
    Read { path: String, source: io::Error },
    #[error(
        "the ledger of addresses {path} cannot be used: {source}. Nothing is given out without it, so that no \
         address goes to two VIPs. Restore it from a backup. If there is none: write each VIP's address \
         into its spec (`novaedgectl status` of the running agents shows them), and only then remove the file"
    )]
    Broken { path: String, source: serde_json::Error },
    #[error(
        "cannot write the ledger of addresses {path}: {source}; no new address is given out until it can be"
    )]
    Write { path: String, source: io::Error },
}

impl LedgerFile {
    /// # Errors
    /// There is a file, and it cannot be read or is no ledger of this version.
    pub fn open(directory: StateDir) -> Result<Self, LedgerError> {
        let path = path(&directory).display().to_string();
        let kept = match std::fs::read(&path) {
            Ok(text) => {
                serde_json::from_slice(&text).map_err(|source| LedgerError::Broken { path, source })?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ledger::default(),
            Err(source) => return Err(LedgerError::Read { path, source }),
        };
        Ok(Self { directory, kept })
    }

    /// The ledger as it is on disk.
    pub fn kept(&self) -> &Ledger {
        &self.kept
    }

    /// The directory, for what else the controller keeps there.
    pub fn directory(&self) -> &StateDir {
        &self.directory
    }

    /// Returns once the ledger is on the disk, safe from a loss of power; an equal one is not written again.
    ///
    /// # Errors
    /// What the disk says; the ledger kept before stays, and no snapshot may carry what the new one gives.
    pub fn keep(&mut self, ledger: &Ledger) -> Result<(), LedgerError> {
        if *ledger == self.kept {
            return Ok(());
        }
        let path = path(&self.directory);
        let failed = |source| LedgerError::Write { path: path.display().to_string(), source };
        let text = serde_json::to_vec_pretty(ledger).map_err(io::Error::from).map_err(failed)?;
        file::replace(&path, &text, 0o600).map_err(failed)?;
        self.kept = ledger.clone();
        Ok(())
    }
}

fn path(directory: &StateDir) -> PathBuf {
    directory.path().join("ledger.json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::ipam::ledger::Given;
    use crate::model::name::Name;
    use crate::model::net::HostRoute;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    fn open(path: &Path) -> Result<LedgerFile, LedgerError> {
        LedgerFile::open(StateDir::open(path).unwrap())
    }

    fn some() -> Ledger {
        let mut ledger = Ledger::default();
        let name = |text| Name::parse(text).unwrap();
        let given = Given {
            vip: name("web"),
            uid: None,
            pool: name("p"),
            by_value: false,
            allocated_at: 1,
            released_at: None,
        };
        ledger.give(HostRoute::parse("10.0.0.1").unwrap(), given);
        ledger
    }

    #[test]
    fn what_was_kept_is_what_comes_back() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = open(directory.path()).unwrap();
        assert_eq!(*file.kept(), Ledger::default());
        file.keep(&some()).unwrap();
        let mode = std::fs::metadata(path(file.directory())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        drop(file);
        assert_eq!(*open(directory.path()).unwrap().kept(), some());
    }

    #[test]
    fn a_broken_ledger_is_never_an_empty_one() {
        let directory = tempfile::tempdir().unwrap();
        for text in ["", "{", "{}", "[]", r#"{"version": 2, "addresses": []}"#] {
            std::fs::write(directory.path().join("ledger.json"), text).unwrap();
            let refused = open(directory.path()).unwrap_err();
            assert!(matches!(refused, LedgerError::Broken { .. }), "{text}: {refused}");
            assert!(refused.to_string().contains("Restore it from a backup"), "{refused}");
            assert_eq!(std::fs::read_to_string(directory.path().join("ledger.json")).unwrap(), text);
        }
        std::fs::remove_file(directory.path().join("ledger.json")).unwrap();
        std::fs::create_dir(directory.path().join("ledger.json")).unwrap();
        assert!(matches!(open(directory.path()), Err(LedgerError::Read { .. })));
    }

    #[test]
    fn what_cannot_be_written_is_not_kept() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = open(directory.path()).unwrap();
        // The temporary file cannot be made: a directory that is not empty stands in its place.
        std::fs::create_dir_all(directory.path().join(".ledger.json.new/x")).unwrap();
        assert!(matches!(file.keep(&some()), Err(LedgerError::Write { .. })));
        assert_eq!(*file.kept(), Ledger::default());
        std::fs::remove_dir_all(directory.path().join(".ledger.json.new")).unwrap();
        file.keep(&some()).unwrap();
    }
}

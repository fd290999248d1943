//! What a lab keeps on the disk: `/run/novaedge-lab/NAME/`, and the removal of all that a lab leaves.

use crate::Netns;
use crate::frr::Frr;
use crate::topology::Topology;
use crate::tor::Bfd;
use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const ROOT: &str = "/run/novaedge-lab";

/// What another process needs to know of a standing lab.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    pub topology: Topology,
    pub bfd: Option<Bfd>,
}

/// A lab's directory, held by the one process that owns the lab.
#[derive(Debug)]
pub(crate) struct State {
    dir: PathBuf,
    lock_path: PathBuf,
    /// Held open for its lock, which ends with the process whatever it dies of.
    _lock: File,
}

impl State {
    /// Takes the name `name`, and makes its directory anew.
    ///
    /// # Errors
    /// A living process owns a lab of that name, or the directory cannot be made (not root).
    pub(crate) fn take(name: &str) -> Result<Self> {
        std::fs::create_dir_all(ROOT).context("a lab needs root")?;
        let lock_path = Path::new(ROOT).join(format!("{name}.lock"));
        let lock = lock(&lock_path)?.with_context(|| format!("another process owns a lab named {name:?}"))?;
        let dir = directory(name);
        remove_remains(name)?;
        std::fs::create_dir_all(dir.join("logs"))?;
        Ok(Self { dir, lock_path, _lock: lock })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.dir.join("logs")
    }

    pub(crate) fn write(&self, record: &Record) -> Result<()> {
        Ok(std::fs::write(self.dir.join("lab.json"), serde_json::to_vec_pretty(record)?)?)
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // While it is still locked, so that nobody holds a lock on a file that is gone; see `lock`.
        let _ = std::fs::remove_file(&self.lock_path);
    }
}

/// Locks the file at `path`; `None` when somebody else has.
fn lock(path: &Path) -> Result<Option<File>> {
    loop {
        let file = File::create(path)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Ok(None);
        }
        // Its last owner may have removed it between the two.
        if std::fs::metadata(path)
            .is_ok_and(|there| file.metadata().is_ok_and(|ours| ours.ino() == there.ino()))
        {
            return Ok(Some(file));
        }
    }
}

/// The directory of the lab `name`.
pub fn directory(name: &str) -> PathBuf {
    Path::new(ROOT).join(name)
}

/// The record of a standing lab.
///
/// # Errors
/// There is none of that name.
pub fn read(name: &str) -> Result<Record> {
    let path = directory(name).join("lab.json");
    let text = std::fs::read(&path).with_context(|| {
        format!("there is no lab named {name:?} ({}); `lab up` makes one", path.display())
    })?;
    Ok(serde_json::from_slice(&text)?)
}

/// Ends all that runs in the namespaces of the lab `name`, and removes them, FRR's directories and the lab's
/// own: whatever a run left behind, ordered or crashed.
///
/// # Errors
/// Something resists, and then the rest is removed all the same.
pub fn remove_remains(name: &str) -> Result<()> {
    let ended = end_everything(name);
    let dir = directory(name);
    if dir.exists() {
        std::fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    ended
}

/// [`remove_remains`] that leaves the lab's directory, with its logs.
///
/// # Errors
/// As [`remove_remains`].
pub(crate) fn end_everything(name: &str) -> Result<()> {
    // What crashed may have had more nodes than what comes now.
    let largest = Topology::new(name, crate::topology::MOST_NODES)?.with_second_router(true);
    let names = largest.places().into_iter().map(|place| largest.netns(place));
    let ended = names.map(|netns| Netns::remove(&netns).and(Frr::remove_directories(&netns)));
    // All are tried before the first failure is told.
    let outcomes: Vec<_> = ended.collect();
    outcomes.into_iter().collect()
}

/// Removes the lab `name`, unless a living process owns it.
///
/// # Errors
/// One does, or something resists.
pub fn take_down(name: &str) -> Result<()> {
    let _taken = State::take(name)?;
    remove_remains(name)
}

//! The file FRR starts from, so that a restarted FRR announces before anybody has talked to it.
//!
//! FRR's kernel coupling makes this safe: what the file announces goes out only while the kernel holds the
//! address.
//!
//! The file belongs to whom its directory belongs to, which is FRR's user: a daemon that is started with
//! `-f` reads it without root's rights.

use super::render::HEADER;
use crate::host::file;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Makes `path` hold `text`, unless it holds something that is not ours. Returns what keeps it from that.
pub fn keep(path: &Path, text: &str) -> Option<String> {
    let shown = path.display();
    match fs::read_to_string(path) {
        Ok(present) if present == text => return None,
        Ok(present) if !(present.trim().is_empty() || present.starts_with(HEADER)) => {
            return Some(format!(
                "{shown} is the operator's and stays as it is, so a restarted FRR knows our part only when the \
                 agent has told it; empty the file to hand it over to NovaEdge"
            ));
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Some(format!("{shown} cannot be read: {error}"));
        }
        Ok(_) | Err(_) => {}
    }
    let owner = path.parent().and_then(|directory| fs::metadata(directory).ok());
    let owner = owner.map(|directory| (directory.uid(), directory.gid()));
    file::replace_for(path, text.as_bytes(), 0o640, owner)
        .err()
        .map(|error| format!("{shown} cannot be written: {error}"))
}

//! The file FRR starts from, so that a restarted FRR announces before anybody has talked to it.
//!
//! FRR's kernel coupling makes this safe: what the file announces goes out only while the kernel holds the
//! address.

use super::render::HEADER;
use crate::host::file;
use std::fs;
use std::io;
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
    file::replace(path, text.as_bytes(), 0o640)
        .err()
        .map(|error| format!("{shown} cannot be written: {error}"))
}

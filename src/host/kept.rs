//! A value on disk that outlives the process: as JSON, of mode 0600, whole or not there.

use super::file;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone)]
pub struct Kept {
    path: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    #[error("cannot write {path}: {source}")]
    Write { path: String, source: io::Error },
    #[error("cannot read {path}: {source}")]
    Read { path: String, source: io::Error },
    #[error("{path} is not of this version ({source}); remove it to start afresh")]
    Unreadable { path: String, source: serde_json::Error },
}

impl Kept {
    /// The directory must be there when the value is first kept.
    pub fn in_directory(directory: &Path, file: &str) -> Self {
        Self { path: directory.join(file) }
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// # Errors
    /// What the disk says; the value kept before stays.
    pub fn keep(&self, value: &impl Serialize) -> Result<(), KeptError> {
        let failed = |source| KeptError::Write { path: self.shown(), source };
        let text = serde_json::to_string(value).map_err(io::Error::from).map_err(failed)?;
        self.keep_text(&text)
    }

    /// A value that is JSON already.
    ///
    /// # Errors
    /// What the disk says; the value kept before stays.
    pub fn keep_text(&self, text: &str) -> Result<(), KeptError> {
        let failed = |source| KeptError::Write { path: self.shown(), source };
        file::replace(&self.path, text.as_bytes(), 0o600).map_err(failed)
    }

    /// `None`: there is none yet.
    ///
    /// # Errors
    /// The file cannot be read, or is not what was expected.
    pub fn load<T: DeserializeOwned>(&self) -> Result<Option<T>, KeptError> {
        let text = match std::fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(KeptError::Read { path: self.shown(), source }),
        };
        let value = serde_json::from_slice(&text);
        value.map(Some).map_err(|source| KeptError::Unreadable { path: self.shown(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_what_comes_back() {
        let directory = tempfile::tempdir().unwrap();
        let kept = Kept::in_directory(directory.path(), "value.json");
        assert_eq!(kept.load::<Vec<u8>>().unwrap(), None);
        kept.keep(&[1, 2]).unwrap();
        assert_eq!(kept.load::<Vec<u8>>().unwrap(), Some(vec![1, 2]));
    }

    #[test]
    fn a_broken_file_is_said_to_be_broken() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("value.json"), "[1,").unwrap();
        let error = Kept::in_directory(directory.path(), "value.json").load::<Vec<u8>>().unwrap_err();
        assert!(error.to_string().contains("remove it to start afresh"), "{error}");
    }
}

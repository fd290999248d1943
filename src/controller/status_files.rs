//! The status of every object as a file, for estates without an API server:
//! `STATE-DIR/status/KIND/NAME.yaml`, and `…/KIND/NAMESPACE/NAME.yaml` of kinds with namespaces. Each reads as
//! `kubectl get -o yaml` would print the object without its spec.
//!
//! A reader sees a file whole or not at all. Only what has changed is written, and files of objects that are
//! gone are removed. Nothing here is needed after a restart: what a crash damages is written anew. No
//! password gets here, because none is in an [`EstateStatus`].

use super::documents::{Document, documents};
use crate::compile::status::EstateStatus;
use crate::host::file;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Statuses change with every report: the files follow at this pace.
const PACE: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub enum StatusFileError {
    #[error("cannot list {path}: {source}")]
    List { path: String, source: io::Error },
    #[error("cannot write {path}: {source}")]
    Write { path: String, source: io::Error },
    #[error("cannot remove {path}, whose object is gone: {source}")]
    Remove { path: String, source: io::Error },
    #[error("the status of {object} cannot be written as YAML: {source}")]
    Encode { object: String, source: serde_saphyr::ser::Error },
}

/// How many files a round has touched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Touched {
    pub written: usize,
    pub removed: usize,
}

#[derive(Debug)]
pub struct StatusFiles {
    directory: PathBuf,
    /// Files that are there, of whichever controller before.
    present: BTreeSet<PathBuf>,
    /// What the files say; `None`: nobody knows, so each is compared.
    told: Option<Arc<EstateStatus>>,
}

impl StatusFiles {
    /// Looks what an earlier controller has left in `status/` of the state directory.
    ///
    /// # Errors
    /// The directory is there and cannot be read.
    pub fn open(state_dir: &Path) -> Result<Self, StatusFileError> {
        let directory = state_dir.join("status");
        let listed = files_below(&directory);
        let present = listed
            .map_err(|source| StatusFileError::List { path: directory.display().to_string(), source })?;
        Ok(Self { directory, present, told: None })
    }

    /// Makes the files say what the document says.
    ///
    /// # Errors
    /// The first of those that occurred; all other files are as they should be, and the next call tries
    /// again.
    pub fn write(&mut self, status: &Arc<EstateStatus>) -> Result<Touched, StatusFileError> {
        let wanted = documents(status);
        let told = self.told.take();
        let told = told.as_deref().map(documents).unwrap_or_default();
        let mut touched = Touched::default();
        let mut failure = None;
        for (place, document) in &wanted {
            if told.get(place) == Some(document) {
                continue;
            }
            match self.tell(place, document) {
                Ok(written) => touched.written += usize::from(written),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        let gone: Vec<PathBuf> =
            self.present.iter().filter(|place| !wanted.contains_key(*place)).cloned().collect();
        for place in gone {
            match self.remove(&place) {
                Ok(()) => touched.removed += 1,
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        match failure {
            Some(error) => Err(error),
            None => {
                self.told = Some(Arc::clone(status));
                Ok(touched)
            }
        }
    }

    /// Whether the file had to be written.
    fn tell(&mut self, place: &Path, document: &Document<'_>) -> Result<bool, StatusFileError> {
        let text = serde_saphyr::to_string(document).map_err(|source| StatusFileError::Encode {
            object: place.with_extension("").display().to_string(),
            source,
        })?;
        let path = self.directory.join(place);
        if fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
            return Ok(false);
        }
        let failed = |source| StatusFileError::Write { path: path.display().to_string(), source };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        file::publish(&path, text.as_bytes(), 0o644).map_err(failed)?;
        self.present.insert(place.to_owned());
        Ok(true)
    }

    fn remove(&mut self, place: &Path) -> Result<(), StatusFileError> {
        let path = self.directory.join(place);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(StatusFileError::Remove { path: path.display().to_string(), source })
            }
            _ => {
                self.present.remove(place);
                Ok(())
            }
        }
    }
}

/// Follows the newest status until nobody publishes it any more.
pub async fn follow(mut files: StatusFiles, mut newest: watch::Receiver<Option<Arc<EstateStatus>>>) {
    loop {
        let status = newest.borrow_and_update().clone();
        if let Some(status) = status {
            let written = tokio::task::spawn_blocking(move || {
                let outcome = files.write(&status);
                (files, outcome)
            });
            let Ok((back, outcome)) = written.await else { return };
            files = back;
            if let Err(error) = outcome {
                tracing::warn!(%error, "the status files are not up to date");
            }
        }
        tokio::time::sleep(PACE).await;
        if newest.changed().await.is_err() {
            return;
        }
    }
}

/// Paths relative to the directory, which need not exist.
fn files_below(directory: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut unread = vec![PathBuf::new()];
    while let Some(place) = unread.pop() {
        let entries = match fs::read_dir(directory.join(&place)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let inner = place.join(entry.file_name());
            match entry.file_type()?.is_dir() {
                true => unread.push(inner),
                false => drop(found.insert(inner)),
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::gateway::GatewayStatus;
    use crate::api::vip_status::VipStatus;
    use crate::compile::status::VipSummary;
    use crate::model::name::Name;
    use std::collections::BTreeMap;
    use std::os::unix::fs::MetadataExt;

    /// Two VIPs and a gateway; `healthy` is what `web` says.
    fn estate(healthy: &str) -> Arc<EstateStatus> {
        let status = VipStatus { healthy: Some(healthy.to_owned()), ..VipStatus::default() };
        let vip = VipSummary { status, ..VipSummary::default() };
        let name = |text: &str| Name::parse(text).unwrap();
        Arc::new(EstateStatus {
            vips: BTreeMap::from([(name("web"), vip), (name("shop"), VipSummary::default())]),
            gateways: BTreeMap::from([(
                "default/web".to_owned().try_into().unwrap(),
                GatewayStatus::default(),
            )]),
            ..EstateStatus::default()
        })
    }

    fn touched(written: usize, removed: usize) -> Touched {
        Touched { written, removed }
    }

    #[test]
    fn a_file_reads_as_its_object_and_changes_with_it_alone() {
        let state = tempfile::tempdir().unwrap();
        let mut files = StatusFiles::open(state.path()).unwrap();
        assert_eq!(files.write(&estate("2/3")).unwrap(), touched(3, 0));
        let web = state.path().join("status/ProxyVIP/web.yaml");
        let gateway = state.path().join("status/ProxyGateway/default/web.yaml");
        let expected = "apiVersion: novaedge.io/v1alpha1\nkind: ProxyVIP\nmetadata:\n  name: web\nstatus:\n  healthy: 2/3\n";
        assert_eq!(fs::read_to_string(&web).unwrap(), expected);
        assert!(fs::read_to_string(&gateway).unwrap().contains("namespace: default"));
        let inode = |path: &Path| fs::metadata(path).unwrap().ino();
        let before = (inode(&web), inode(&gateway));
        assert_eq!(files.write(&estate("2/3")).unwrap(), touched(0, 0));
        assert_eq!(files.write(&estate("3/3")).unwrap(), touched(1, 0));
        assert!(inode(&web) != before.0 && inode(&gateway) == before.1, "replaced whole, or left alone");
        assert!(fs::read_to_string(&web).unwrap().contains("healthy: 3/3"));
    }

    #[test]
    fn a_restart_goes_on_and_removes_what_is_gone() {
        let state = tempfile::tempdir().unwrap();
        StatusFiles::open(state.path()).unwrap().write(&estate("2/3")).unwrap();
        fs::write(state.path().join("status/ProxyVIP/.web.yaml.new"), "half").unwrap();
        let mut files = StatusFiles::open(state.path()).unwrap();
        let mut estate = Arc::unwrap_or_clone(estate("2/3"));
        estate.vips.remove(&Name::parse("shop").unwrap());
        assert_eq!(files.write(&Arc::new(estate)).unwrap(), touched(0, 2));
        let left: Vec<PathBuf> = files_below(&state.path().join("status")).unwrap().into_iter().collect();
        assert_eq!(left, ["ProxyGateway/default/web.yaml", "ProxyVIP/web.yaml"].map(PathBuf::from));
    }

    #[test]
    fn a_file_that_cannot_be_written_hurts_no_other_and_is_tried_again() {
        let state = tempfile::tempdir().unwrap();
        let mut files = StatusFiles::open(state.path()).unwrap();
        let in_the_way = state.path().join("status/ProxyGateway");
        fs::create_dir_all(in_the_way.parent().unwrap()).unwrap();
        fs::write(&in_the_way, "").unwrap();
        let error = files.write(&estate("2/3")).unwrap_err().to_string();
        assert!(error.starts_with("cannot write") && error.contains("ProxyGateway"), "{error}");
        assert!(state.path().join("status/ProxyVIP/web.yaml").exists());
        fs::remove_file(&in_the_way).unwrap();
        assert_eq!(files.write(&estate("2/3")).unwrap(), touched(1, 0));
    }
}

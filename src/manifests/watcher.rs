//! The kernel's word that a directory changed, and whether somebody is still writing.

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// A directory under watch; dropping it ends the watch.
#[derive(Debug)]
pub struct Watcher {
    open: Arc<Mutex<BTreeSet<PathBuf>>>,
    _kernel: RecommendedWatcher,
}

impl Watcher {
    /// Wakes `touched` on every write into `directory`. `None`: the kernel does not tell (no inotify
    /// instance left, say), which is logged; looking now and then has to do.
    pub fn new(directory: &Path, touched: &Arc<Notify>) -> Option<Self> {
        let open = Arc::<Mutex<BTreeSet<PathBuf>>>::default();
        let (writers, touched) = (Arc::clone(&open), Arc::clone(touched));
        let wake = move |event: notify::Result<Event>| {
            let Ok(event) = event else { return touched.notify_one() };
            if note(&event, &mut writers.lock().unwrap_or_else(PoisonError::into_inner)) {
                touched.notify_one();
            }
        };
        let kernel = notify::recommended_watcher(wake).and_then(|mut kernel| {
            kernel.watch(directory, RecursiveMode::NonRecursive)?;
            Ok(kernel)
        });
        match kernel {
            Ok(kernel) => Some(Self { open, _kernel: kernel }),
            Err(error) => {
                tracing::warn!(%error, "the kernel does not tell about changes of manifests");
                None
            }
        }
    }

    /// Whether every file that somebody began to write since the watch began was closed again.
    pub fn all_closed(&self) -> bool {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// What was begun and not closed, a symbolic link for one, is waited for no longer.
    pub fn forget(&self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Keeps account of files that are being written. Says whether the event is one: our own looks make
/// events too, and must not wake us.
fn note(event: &Event, open: &mut BTreeSet<PathBuf>) -> bool {
    match event.kind {
        EventKind::Create(CreateKind::File) | EventKind::Modify(ModifyKind::Data(_)) => {
            open.extend(event.paths.iter().cloned());
        }
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Remove(_)
        | EventKind::Modify(ModifyKind::Name(RenameMode::From | RenameMode::To)) => {
            open.retain(|path| !event.paths.contains(path));
        }
        EventKind::Access(_) => return false,
        _ => {}
    }
    true
}

#[cfg(test)]
mod tests {
    use super::note;
    use notify::event::{AccessKind, AccessMode, CreateKind, DataChange, ModifyKind, RenameMode};
    use notify::{Event, EventKind};
    use std::collections::BTreeSet;

    #[test]
    fn a_file_is_open_until_it_is_closed_or_moved() {
        let write = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let close = EventKind::Access(AccessKind::Close(AccessMode::Write));
        let look = EventKind::Access(AccessKind::Close(AccessMode::Read));
        let create = EventKind::Create(CreateKind::File);
        let moved = EventKind::Modify(ModifyKind::Name(RenameMode::From));
        let steps = [
            (create, "a", true, 1),
            (write, "a", true, 1),
            (look, "a", false, 1),
            (write, "b", true, 2),
            (close, "a", true, 1),
            (moved, "b", true, 0),
        ];
        let mut open = BTreeSet::new();
        for (kind, path, wakes, left) in steps {
            assert_eq!(note(&Event::new(kind).add_path(path.into()), &mut open), wakes, "{kind:?}");
            assert_eq!(open.len(), left, "{kind:?} {path}");
        }
    }
}

//! What the server last said of each object beside what its author wrote: for those who write something back.

use crate::compile::kind::Id;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    pub uid: String,
    pub resource_version: String,
    /// Of the kinds whose status we write; otherwise null.
    pub status: Value,
}

/// Shared by the stores, which write it, and those who read single objects of it.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Mutex<BTreeMap<Id, Arc<Known>>>>);

impl Board {
    /// A panic elsewhere leaves entries that are still entries.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Id, Arc<Known>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn get(&self, id: &Id) -> Option<Arc<Known>> {
        self.lock().get(id).cloned()
    }

    /// All that pass, in order.
    pub fn all(&self, mut wanted: impl FnMut(&Id) -> bool) -> Vec<(Id, Arc<Known>)> {
        let known = self.lock();
        known.iter().filter(|(id, _)| wanted(id)).map(|(id, known)| (id.clone(), Arc::clone(known))).collect()
    }

    pub(super) fn put(&self, id: Id, known: Known) {
        self.lock().insert(id, Arc::new(known));
    }

    pub(super) fn remove(&self, id: &Id) {
        self.lock().remove(id);
    }
}

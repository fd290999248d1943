//! What leads from what is to what should be.

use std::collections::{BTreeMap, BTreeSet};

/// Removals come apart from the rest, because drivers carry them out first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes<K, V> {
    pub removed: BTreeSet<K>,
    pub added: BTreeMap<K, V>,
    /// There before, with another value; the new one.
    pub changed: BTreeMap<K, V>,
}

impl<K, V> Changes<K, V> {
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty() && self.changed.is_empty()
    }

    /// How many keys are touched.
    pub fn len(&self) -> usize {
        self.removed.len() + self.added.len() + self.changed.len()
    }
}

/// Carrying the changes out on `current` gives `desired`; equal maps give no changes.
pub fn diff<K: Ord + Clone, V: PartialEq + Clone>(
    current: &BTreeMap<K, V>,
    desired: &BTreeMap<K, V>,
) -> Changes<K, V> {
    let gone = current.keys().filter(|key| !desired.contains_key(key));
    let mut changes =
        Changes { removed: gone.cloned().collect(), added: BTreeMap::new(), changed: BTreeMap::new() };
    for (key, value) in desired {
        let into = match current.get(key) {
            Some(present) if present == value => continue,
            Some(_) => &mut changes.changed,
            None => &mut changes.added,
        };
        into.insert(key.clone(), value.clone());
    }
    changes
}

//! A page: a set of entries by key, and the digest that proves two of them equal.
//!
//! A page is made of sheets, so that what many nodes share is kept, digested and compared once. No key is on
//! two sheets of one page.

use crate::model::step::in_step;
use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What an entry costs beside its key and value, as far as bounds are concerned.
pub const OVERHEAD: usize = 64;

/// Proves that two pages have the same entries: the exclusive or of a SHA-256 over each entry, and their
/// number. A change is digested by its own size, whatever the page's. It guards against mistakes, ours and
/// the network's; against forgers there is TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Digest {
    sum: [u8; 32],
    count: u64,
}

impl Digest {
    pub fn add(&mut self, key: &str, value: &[u8]) {
        self.toggle(key, value);
        self.count = self.count.wrapping_add(1);
    }

    pub fn remove(&mut self, key: &str, value: &[u8]) {
        self.toggle(key, value);
        self.count = self.count.wrapping_sub(1);
    }

    fn toggle(&mut self, key: &str, value: &[u8]) {
        let mut hash = Context::new(&SHA256);
        for part in [key.as_bytes(), value] {
            // The length first: no two entries run together to the same bytes.
            hash.update(&(part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        for (sum, byte) in self.sum.iter_mut().zip(hash.finish().as_ref()) {
            *sum ^= byte;
        }
    }

    /// Of both together, when they share no key.
    pub fn and(mut self, other: Self) -> Self {
        self.sum.iter_mut().zip(other.sum).for_each(|(sum, byte)| *sum ^= byte);
        self.count = self.count.wrapping_add(other.count);
        self
    }

    /// As it is sent: 40 bytes.
    pub fn to_bytes(self) -> Bytes {
        Bytes::from([self.sum.as_slice(), &self.count.to_be_bytes()].concat())
    }
}

/// Entries that belong together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    entries: BTreeMap<Arc<str>, Bytes>,
    digest: Digest,
    size: usize,
}

impl Sheet {
    pub fn set(&mut self, key: Arc<str>, value: Bytes) {
        self.remove(&key);
        self.digest.add(&key, &value);
        self.size += cost(&key, &value);
        self.entries.insert(key, value);
    }

    pub fn remove(&mut self, key: &str) {
        if let Some(value) = self.entries.remove(key) {
            self.digest.remove(key, &value);
            self.size -= cost(key, &value);
        }
    }

    pub fn get(&self, key: &str) -> Option<&Bytes> {
        self.entries.get(key)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Bytes)> {
        self.entries.iter()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What it takes to keep, in bytes, roughly.
    pub fn size(&self) -> usize {
        self.size
    }

    pub fn apply(&mut self, change: Change) {
        for key in change.removed {
            self.remove(&key);
        }
        for (key, value) in change.set {
            self.set(key, value);
        }
    }

    /// What leads from here to `to`.
    pub fn change_to(&self, to: &Self) -> Change {
        let mut change = Change::default();
        for (key, old, new) in in_step(&self.entries, &to.entries) {
            match new {
                None => change.removed.push(Arc::clone(key)),
                Some(value) if old != new => drop(change.set.insert(Arc::clone(key), value.clone())),
                Some(_) => {}
            }
        }
        change
    }
}

impl FromIterator<(Arc<str>, Bytes)> for Sheet {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Bytes)>>(entries: I) -> Self {
        let mut sheet = Self::default();
        entries.into_iter().for_each(|(key, value)| sheet.set(key, value));
        sheet
    }
}

pub fn cost(key: &str, value: &[u8]) -> usize {
    key.len() + value.len() + OVERHEAD
}

/// What leads from one page to another. No key is in both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    pub removed: Vec<Arc<str>>,
    pub set: BTreeMap<Arc<str>, Bytes>,
}

impl Change {
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.set.is_empty()
    }
}

/// What is sent as one: sheets by their place. Pages of one stream have the same number of them.
#[derive(Debug, Clone, Default)]
pub struct Page(pub Vec<Arc<Sheet>>);

impl Page {
    pub fn digest(&self) -> Digest {
        self.0.iter().fold(Digest::default(), |digest, sheet| digest.and(sheet.digest()))
    }

    pub fn entries(&self) -> impl Iterator<Item = (&Arc<str>, &Bytes)> {
        self.0.iter().flat_map(|sheet| sheet.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(entries: &[(&str, &str)]) -> Sheet {
        entries
            .iter()
            .map(|(key, value)| (Arc::from(*key), Bytes::copy_from_slice(value.as_bytes())))
            .collect()
    }

    #[test]
    fn the_digest_is_of_the_content_and_not_of_the_way_there() {
        let mut walked = sheet(&[("a", "1"), ("b", "2"), ("c", "3")]);
        walked.remove("b");
        walked.remove("b");
        walked.set("a".into(), Bytes::from_static(b"4"));
        assert_eq!(walked, sheet(&[("c", "3"), ("a", "4")]));
        assert_ne!(walked.digest(), sheet(&[("c", "3"), ("a", "1")]).digest());
        assert_ne!(sheet(&[("ab", "c")]).digest(), sheet(&[("a", "bc")]).digest());
        assert_ne!(Sheet::default().digest().to_bytes(), Bytes::new(), "no entries are not no page");
    }

    #[test]
    fn a_page_has_the_digest_of_its_sheets_together() {
        let apart =
            Page(vec![Arc::new(sheet(&[("a", "1")])), Arc::default(), Arc::new(sheet(&[("b", "2")]))]);
        assert_eq!(apart.digest(), sheet(&[("a", "1"), ("b", "2")]).digest());
    }

    #[test]
    fn a_change_leads_from_the_one_to_the_other() {
        let (from, to) =
            (sheet(&[("a", "1"), ("b", "2"), ("c", "3")]), sheet(&[("b", "2"), ("c", "4"), ("d", "5")]));
        let change = from.change_to(&to);
        assert_eq!((change.removed.len(), change.set.len()), (1, 2));
        let mut changed = from;
        changed.apply(change);
        assert_eq!(changed, to);
        assert!(to.change_to(&changed).is_empty());
    }
}

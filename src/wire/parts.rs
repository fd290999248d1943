//! Pages cut into messages.

use super::page::{Change, Digest, Page, cost};
use super::proto::{self, Part};
use crate::model::term::Term;
use bytes::Bytes;
use std::iter::Peekable;
use std::sync::Arc;

/// A part is closed when it is so long, in bytes; one entry may make it longer.
pub const FULL: usize = 256 << 10;
/// No entry is longer than this, so that every part passes [`super::MESSAGE`].
pub const LONGEST_ENTRY: usize = 3 << 20;

/// What every part of a page repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub schema: u32,
    pub term: Option<Term>,
    pub generation: u64,
}

type Items<'a, T> = Box<dyn Iterator<Item = T> + Send + 'a>;

/// The parts of a page, cut while they are taken: at least one, and the last has the digest.
pub struct Parts<'a> {
    head: Head,
    whole: bool,
    digest: Digest,
    entries: Peekable<Items<'a, (&'a Arc<str>, &'a Bytes)>>,
    removed: Peekable<Items<'a, &'a Arc<str>>>,
    done: bool,
}

impl std::fmt::Debug for Parts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("head", &self.head).field("whole", &self.whole).finish_non_exhaustive()
    }
}

impl<'a> Parts<'a> {
    pub fn whole(head: Head, page: &'a Page) -> Self {
        Self::new(head, true, page.digest(), Box::new(page.entries()), Box::new(std::iter::empty()))
    }

    /// `digest`: of the page that the changes lead to.
    pub fn changes(head: Head, changes: &'a [Arc<Change>], digest: Digest) -> Self {
        let set = changes.iter().flat_map(|change| &change.set);
        let removed = changes.iter().flat_map(|change| &change.removed);
        Self::new(head, false, digest, Box::new(set), Box::new(removed))
    }

    fn new(
        head: Head,
        whole: bool,
        digest: Digest,
        entries: Items<'a, (&'a Arc<str>, &'a Bytes)>,
        removed: Items<'a, &'a Arc<str>>,
    ) -> Self {
        let (entries, removed) = (entries.peekable(), removed.peekable());
        Self { head, whole, digest, entries, removed, done: false }
    }
}

impl Iterator for Parts<'_> {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        if self.done {
            return None;
        }
        let mut part = self.head.part();
        part.whole = self.whole;
        let mut size = 0;
        while let Some(key) = self.removed.next_if(|key| room(size, cost(key, &[]))) {
            size += cost(key, &[]);
            part.removed.push(key.to_string());
        }
        while let Some((key, value)) = self.entries.next_if(|(key, value)| room(size, cost(key, value))) {
            size += cost(key, value);
            part.entries.push(proto::Entry { key: key.to_string(), value: value.clone() });
        }
        if self.entries.peek().is_none() && self.removed.peek().is_none() {
            part.digest = self.digest.to_bytes();
            self.done = true;
        }
        Some(part)
    }
}

fn room(size: usize, more: usize) -> bool {
    size == 0 || size + more <= FULL
}

impl Head {
    /// A part with nothing in it.
    pub fn part(self) -> Part {
        Part {
            schema: self.schema,
            term: self.term.map(|term| proto::Term { created: term.created, transitions: term.transitions }),
            generation: self.generation,
            whole: false,
            entries: Vec::new(),
            removed: Vec::new(),
            digest: Bytes::new(),
        }
    }
}

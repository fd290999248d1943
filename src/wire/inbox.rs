//! The receiving end of a stream of pages: a page is in force when all of it is there and proves itself.

use super::page::{Change, Digest, Sheet, cost};
use super::proto::Part;
use super::{LONGEST_KEY, schema};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The page in force, and the one that is arriving.
#[derive(Debug)]
pub struct Inbox {
    page: Sheet,
    arriving: Option<Arriving>,
    /// Bytes that a page may cost.
    limit: usize,
}

#[derive(Debug, Default)]
struct Arriving {
    whole: bool,
    generation: u64,
    set: BTreeMap<Arc<str>, Bytes>,
    removed: BTreeSet<Arc<str>>,
    size: usize,
}

/// What a part led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// More parts follow.
    More,
    /// The page is in force; this has changed.
    Complete(Change),
    /// What arrived is not what was sent. The page before stays in force; ask for a whole one.
    Mismatch,
}

/// The other side does not keep to the protocol: the stream has to end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("schema {0} was not agreed upon")]
    Schema(u32),
    #[error("a page may cost {limit} bytes, and this one is longer")]
    TooLong { limit: usize },
    #[error("a key may have 1 to {LONGEST_KEY} bytes, and one has {0}")]
    Key(usize),
    #[error("generation {begun} was not finished when {next} began")]
    Unfinished { begun: u64, next: u64 },
}

impl Inbox {
    /// `page`: what is there already; its digest goes into the Hello.
    pub fn new(page: Sheet, limit: usize) -> Self {
        Self { page, arriving: None, limit }
    }

    pub fn page(&self) -> &Sheet {
        &self.page
    }

    /// A new stream begins: what had not arrived completely is forgotten.
    pub fn restart(&mut self) {
        self.arriving = None;
    }

    /// # Errors
    /// The part breaks a bound or the order; nothing has changed, and the stream has to end.
    pub fn take(&mut self, part: Part) -> Result<Step, Broken> {
        let Part { schema, term: _, generation, whole, entries, removed, digest } = part;
        if !schema::SPOKEN.contains(&schema) {
            return Err(Broken::Schema(schema));
        }
        let fresh = || Arriving { whole, generation, ..Arriving::default() };
        let mut arriving = self.arriving.take().unwrap_or_else(fresh);
        if (arriving.generation, arriving.whole) != (generation, whole) {
            return Err(Broken::Unfinished { begun: arriving.generation, next: generation });
        }
        for key in removed {
            arriving.remove(key)?;
        }
        for entry in entries {
            arriving.set(entry.key, entry.value)?;
        }
        if arriving.size > self.limit {
            return Err(Broken::TooLong { limit: self.limit });
        }
        if digest.is_empty() {
            self.arriving = Some(arriving);
            return Ok(Step::More);
        }
        self.complete(arriving, &digest)
    }

    fn complete(&mut self, arriving: Arriving, digest: &Bytes) -> Result<Step, Broken> {
        let Arriving { whole, set, removed, .. } = arriving;
        let change = if whole {
            self.page.change_to(&set.into_iter().collect())
        } else {
            Change { removed: removed.into_iter().collect(), set }
        };
        let (proof, size) = self.after(&change);
        if size > self.limit {
            return Err(Broken::TooLong { limit: self.limit });
        }
        if proof.to_bytes() != digest {
            return Ok(Step::Mismatch);
        }
        self.page.apply(change.clone());
        Ok(Step::Complete(change))
    }

    /// The digest and the cost of the page that `change` leads to.
    fn after(&self, change: &Change) -> (Digest, usize) {
        let (mut digest, mut size) = (self.page.digest(), self.page.size());
        for key in change.removed.iter().chain(change.set.keys()) {
            if let Some(old) = self.page.get(key) {
                digest.remove(key, old);
                size -= cost(key, old);
            }
        }
        for (key, value) in &change.set {
            digest.add(key, value);
            size += cost(key, value);
        }
        (digest, size)
    }
}

impl Arriving {
    fn set(&mut self, key: String, value: Bytes) -> Result<(), Broken> {
        check(&key)?;
        self.size += cost(&key, &value);
        // A message's buffer would live as long as its longest-lived entry.
        self.set.insert(key.into(), Bytes::copy_from_slice(&value));
        Ok(())
    }

    fn remove(&mut self, key: String) -> Result<(), Broken> {
        check(&key)?;
        self.size += cost(&key, &[]);
        self.removed.insert(key.into());
        Ok(())
    }
}

fn check(key: &str) -> Result<(), Broken> {
    if (1..=LONGEST_KEY).contains(&key.len()) { Ok(()) } else { Err(Broken::Key(key.len())) }
}

//! A snapshot as a page, and back.
//!
//! ```text
//! vip/NAME                                                  sheet 0, shared by nodes
//! listener/VIP:PORT  backend/NAMESPACE/NAME                 sheet 1, shared by nodes
//! node  speaker  ospf  leaving/VIP                          sheet 2, the node's own
//! ```
//!
//! The generation is none of it: two controllers count differently, and equal content is to stay equal.

use super::entry::{self, Reader, Rejections, Unusable, rewrite};
use super::page::{Change, Page, Sheet};
use crate::api::condition;
use crate::model::name::{Key, Name};
use crate::model::snapshot::{Serving, Snapshot};
use crate::model::status::Rejected;
use crate::model::vip::Vip;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A whole page, made from nothing.
pub fn page(snapshot: &Snapshot) -> Page {
    Page(vec![
        Arc::new(vips(&snapshot.vips, None)),
        Arc::new(serving(&snapshot.serving, None)),
        Arc::new(own(snapshot)),
    ])
}

type Vips = BTreeMap<Name, Arc<Vip>>;

/// `base`: another map and its sheet, from which only what is different is written anew.
pub fn vips(vips: &Vips, base: Option<(&Vips, &Sheet)>) -> Sheet {
    let nothing = BTreeMap::new();
    let (old, mut sheet) = base.map_or((&nothing, Sheet::default()), |(old, sheet)| (old, sheet.clone()));
    rewrite(&mut sheet, "vip", old, vips);
    sheet
}

/// As [`vips`].
pub fn serving(serving: &Serving, base: Option<(&Serving, &Sheet)>) -> Sheet {
    let nothing = Serving::default();
    let (old, mut sheet) = base.map_or((&nothing, Sheet::default()), |(old, sheet)| (old, sheet.clone()));
    let Serving { listeners, backends } = serving;
    rewrite(&mut sheet, "listener", &old.listeners, listeners);
    rewrite(&mut sheet, "backend", &old.backends, backends);
    sheet
}

/// What only this node has.
pub fn own(snapshot: &Snapshot) -> Sheet {
    let Snapshot { generation: _, node, speaker, ospf, vips: _, serving: _, leaving } = snapshot;
    let mut sheet = Sheet::default();
    entry::write(&mut sheet, "node".into(), node);
    if let Some(speaker) = speaker {
        entry::write(&mut sheet, "speaker".into(), speaker);
    }
    if let Some(ospf) = ospf {
        entry::write(&mut sheet, "ospf".into(), ospf);
    }
    rewrite(&mut sheet, "leaving", &BTreeMap::new(), leaving);
    sheet
}

/// A snapshot that follows its page.
#[derive(Debug)]
pub struct Orders {
    snapshot: Snapshot,
    /// The page says whose it is, and it is this node's.
    addressed: bool,
    rejections: Rejections,
}

impl Orders {
    /// `snapshot`: what [`page`] made the page from.
    pub fn new(snapshot: Snapshot) -> Self {
        Self { snapshot, addressed: true, rejections: Rejections::default() }
    }

    /// Nobody has said anything yet.
    pub fn none(node: Name) -> Self {
        Self { addressed: false, ..Self::new(Snapshot::empty(node)) }
    }

    /// What the page says after `change`; `None` while it is not this node's.
    pub fn follow(&mut self, change: &Change, generation: u64) -> Option<Arc<Snapshot>> {
        let mut reader = Reading { snapshot: &mut self.snapshot, addressed: &mut self.addressed };
        self.rejections.read(change, &mut reader);
        self.snapshot.generation = generation;
        self.addressed.then(|| Arc::new(self.snapshot.clone()))
    }

    /// Key and reason of the entries that are not used.
    pub fn rejections(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rejections.iter()
    }

    /// The same, for the node's status.
    pub fn rejected(&self) -> Vec<Rejected> {
        let rejected = self.rejections().map(|(key, reason)| Rejected {
            object: key.to_owned(),
            field: String::new(),
            reason: condition::Reason::NotSupported.to_string(),
            message: reason.to_owned(),
            place: None,
            notice: false,
        });
        rejected.collect()
    }
}

struct Reading<'a> {
    snapshot: &'a mut Snapshot,
    addressed: &'a mut bool,
}

impl Reader for Reading<'_> {
    fn set(&mut self, kind: &str, name: &str, value: &[u8]) -> Result<(), Unusable> {
        let Snapshot { generation: _, node, speaker, ospf, vips, serving, leaving } = &mut *self.snapshot;
        match kind {
            "node" => {
                let found: Name = entry::read(value)?;
                *self.addressed = found == *node;
                if found != *node {
                    return Err(Unusable::OtherNode { found, expected: node.clone() });
                }
            }
            "speaker" => *speaker = Some(entry::read(value)?),
            "ospf" => *ospf = Some(entry::read(value)?),
            "vip" => drop(Arc::make_mut(vips).insert(entry::parse(name)?, entry::read(value)?)),
            "listener" => {
                let key = entry::parse(name)?;
                Arc::make_mut(serving).listeners.insert(key, entry::read(value)?);
            }
            "backend" => {
                let key = entry::parse(name)?;
                Arc::make_mut(serving).backends.insert(key, entry::read(value)?);
            }
            "leaving" => drop(leaving.insert(entry::parse(name)?, entry::read(value)?)),
            _ => return Err(Unusable::Kind),
        }
        Ok(())
    }

    fn remove(&mut self, kind: &str, name: &str) {
        let Snapshot { generation: _, node: _, speaker, ospf, vips, serving, leaving } = &mut *self.snapshot;
        match kind {
            "node" => *self.addressed = false,
            "speaker" => *speaker = None,
            "ospf" => *ospf = None,
            "vip" => remove(vips, name, |vips| vips),
            "listener" => remove(serving, name, |serving| &mut serving.listeners),
            "backend" => remove::<_, Key, _>(serving, name, |serving| &mut serving.backends),
            "leaving" => drop(Name::parse(name).map(|name| leaving.remove(&name))),
            _ => {}
        }
    }
}

fn remove<T: Clone, K: Ord + TryFrom<String, Error: std::fmt::Display>, V>(
    from: &mut Arc<T>,
    name: &str,
    map: impl for<'a> FnOnce(&'a mut T) -> &'a mut BTreeMap<K, V>,
) {
    if let Ok(key) = entry::parse::<K>(name) {
        map(Arc::make_mut(from)).remove(&key);
    }
}

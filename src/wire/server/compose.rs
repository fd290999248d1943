//! Bulletins made into pages. What nodes share is written once, and from one bulletin to the next only what is
//! different.

use crate::model::name::Name;
use crate::model::snapshot::Snapshot;
use crate::model::term::Term;
use crate::wire::orders;
use crate::wire::outbox::{Message, Outgoing};
use crate::wire::page::{Page, Sheet};
use crate::wire::server::Bulletin;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::yield_now;

/// A bulletin, ready to be sent.
#[derive(Debug, Default)]
pub struct Composed {
    term: Option<Term>,
    nodes: BTreeMap<Name, Composition>,
    /// Nobody has said anything yet.
    is_first: bool,
}

#[derive(Debug, Clone)]
struct Composition {
    snapshot: Arc<Snapshot>,
    page: Page,
}

impl Composed {
    /// Before the first bulletin.
    pub fn nothing() -> Self {
        Self { is_first: true, ..Self::default() }
    }

    pub fn outgoing(&self, node: &Name) -> Outgoing {
        match (self.term, self.nodes.get(node)) {
            _ if self.is_first => Outgoing::Nothing,
            (Some(term), Some(Composition { snapshot, page })) => {
                let (generation, page) = (snapshot.generation, page.clone());
                Outgoing::Page(Message { term: Some(term), generation, page })
            }
            _ => Outgoing::NoOrders,
        }
    }
}

/// Composes the newest bulletin, and the next; never ends.
pub async fn run(mut bulletins: watch::Receiver<Arc<Bulletin>>, composed: watch::Sender<Arc<Composed>>) {
    let mut last = Composed::nothing();
    loop {
        let bulletin = Arc::clone(&bulletins.borrow_and_update());
        let next = compose(&last, &bulletin).await;
        last = Composed { term: next.term, nodes: next.nodes.clone(), is_first: false };
        composed.send_replace(Arc::new(next));
        if bulletins.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

/// Lets others run between nodes: an estate whose nodes share nothing takes a while.
async fn compose(last: &Composed, bulletin: &Bulletin) -> Composed {
    let mut writer = Writer::default();
    let mut nodes = BTreeMap::new();
    for (node, snapshot) in &bulletin.snapshots {
        let before = last.nodes.get(node);
        let composition = match before {
            Some(before) if Arc::ptr_eq(&before.snapshot, snapshot) => before.clone(),
            _ => {
                yield_now().await;
                Composition { snapshot: Arc::clone(snapshot), page: writer.page(before, snapshot) }
            }
        };
        nodes.insert(node.clone(), composition);
    }
    Composed { term: bulletin.term, nodes, is_first: false }
}

/// The sheets of this round by what they are made from, which the bulletin keeps alive.
#[derive(Default)]
struct Writer {
    vips: HashMap<usize, Arc<Sheet>>,
    serving: HashMap<usize, Arc<Sheet>>,
}

impl Writer {
    fn page(&mut self, before: Option<&Composition>, snapshot: &Snapshot) -> Page {
        let old = |sheet: usize| before.map(|before| (&*before.snapshot, &before.page.0[sheet]));
        let vips = once(&mut self.vips, address(&snapshot.vips), || match old(0) {
            Some((old, sheet)) if Arc::ptr_eq(&old.vips, &snapshot.vips) => Arc::clone(sheet),
            Some((old, sheet)) => keep(sheet, orders::vips(&snapshot.vips, Some((&old.vips, sheet)))),
            None => Arc::new(orders::vips(&snapshot.vips, None)),
        });
        let serving = once(&mut self.serving, address(&snapshot.serving), || match old(1) {
            Some((old, sheet)) if Arc::ptr_eq(&old.serving, &snapshot.serving) => Arc::clone(sheet),
            Some((old, sheet)) => {
                keep(sheet, orders::serving(&snapshot.serving, Some((&old.serving, sheet))))
            }
            None => Arc::new(orders::serving(&snapshot.serving, None)),
        });
        let own = orders::own(snapshot);
        let own = old(2).map_or_else(|| Arc::new(own.clone()), |(_, sheet)| keep(sheet, own.clone()));
        Page(vec![vips, serving, own])
    }
}

fn address<T>(shared: &Arc<T>) -> usize {
    Arc::as_ptr(shared).addr()
}

fn once<K: Eq + Hash>(
    known: &mut HashMap<K, Arc<Sheet>>,
    key: K,
    make: impl FnOnce() -> Arc<Sheet>,
) -> Arc<Sheet> {
    Arc::clone(known.entry(key).or_insert_with(make))
}

/// Equal sheets stay one sheet.
fn keep(old: &Arc<Sheet>, new: Sheet) -> Arc<Sheet> {
    if old.digest() == new.digest() { Arc::clone(old) } else { Arc::new(new) }
}

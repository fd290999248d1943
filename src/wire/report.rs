//! A node's status as a page, and back.
//!
//! ```text
//! node                                    what stands alone, counters among it: changes often, and is short
//! vip/NAME  peer/ADDRESS  neighbor/VERSION/INTERFACE/ROUTER-ID  bfd/ADDRESS
//! listener/VIP:PORT  backend/NAMESPACE/NAME
//! refused/ROUTE                           the daemon's words
//! held/ROUTE  announced/ROUTE             that they are there says it all
//! rejected                                all of them
//! ```

use super::entry::{self, Reader, Rejections, Unusable, rewrite};
use super::page::{Change, Page, Sheet};
use crate::model::adjacency::NeighborId;
use crate::model::name::{Key, Name};
use crate::model::net::HostRoute;
use crate::model::observed::{Observed, Served};
use crate::model::status::NodeStatus;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::Arc;

/// A status as it is sent: the newest, and its page.
#[derive(Debug)]
pub struct Written {
    status: Arc<NodeStatus>,
    sheet: Arc<Sheet>,
}

impl Written {
    pub fn new(status: Arc<NodeStatus>) -> Self {
        let nothing = blank(&status);
        let mut sheet = Sheet::default();
        write(&mut sheet, &nothing, &status);
        Self { status, sheet: Arc::new(sheet) }
    }

    /// Writes what is different; says whether anything was.
    pub fn update(&mut self, status: Arc<NodeStatus>) -> bool {
        if *self.status == *status {
            return false;
        }
        let mut sheet = (*self.sheet).clone();
        write(&mut sheet, &self.status, &status);
        *self = Self { status, sheet: Arc::new(sheet) };
        true
    }

    pub fn page(&self) -> Page {
        Page(vec![Arc::clone(&self.sheet)])
    }

    pub fn sheet(&self) -> &Sheet {
        &self.sheet
    }
}

/// The same without anything that has an entry of its own.
fn blank(status: &NodeStatus) -> NodeStatus {
    let NodeStatus { node, version, generation, term, started, wish, routing, served, .. } = status;
    let Observed { daemon, trouble, restarts, .. } = routing;
    // Traffic by address is the node's own business.
    let Served { listeners: _, backends: _, connections, in_flight, traffic: _ } = served;
    NodeStatus {
        node: node.clone(),
        version: version.clone(),
        generation: *generation,
        term: *term,
        started: *started,
        wish: *wish,
        held: BTreeSet::new(),
        vips: BTreeMap::new(),
        routing: Observed {
            daemon: daemon.clone(),
            trouble: trouble.clone(),
            restarts: *restarts,
            ..Observed::default()
        },
        served: Served { connections: *connections, in_flight: *in_flight, ..Served::default() },
        rejected: Vec::new(),
    }
}

fn write(sheet: &mut Sheet, old: &NodeStatus, new: &NodeStatus) {
    entry::write(sheet, "node".into(), &blank(new));
    rewrite(sheet, "vip", &old.vips, &new.vips);
    rewrite(sheet, "peer", &old.routing.peers, &new.routing.peers);
    rewrite(sheet, "neighbor", &old.routing.neighbors, &new.routing.neighbors);
    rewrite(sheet, "bfd", &old.routing.bfd, &new.routing.bfd);
    rewrite(sheet, "refused", &old.routing.refused, &new.routing.refused);
    rewrite(sheet, "listener", &old.served.listeners, &new.served.listeners);
    rewrite(sheet, "backend", &old.served.backends, &new.served.backends);
    rewrite_set(sheet, "held", &old.held, &new.held);
    rewrite_set(sheet, "announced", &old.routing.announced, &new.routing.announced);
    if old.rejected != new.rejected {
        entry::erase(sheet, "rejected");
        entry::write(sheet, "rejected".into(), &new.rejected);
    }
}

fn rewrite_set<K: Ord + Display>(sheet: &mut Sheet, kind: &str, old: &BTreeSet<K>, new: &BTreeSet<K>) {
    old.difference(new).for_each(|gone| entry::erase(sheet, &entry::key(kind, gone)));
    new.difference(old).for_each(|added| entry::write(sheet, entry::key(kind, added), &()));
}

/// A status that follows its page.
#[derive(Debug)]
pub struct Report {
    status: NodeStatus,
    /// The page says whose it is, and it is this node's.
    addressed: bool,
    rejections: Rejections,
}

impl Report {
    /// `status`: what the page was made from.
    pub fn new(status: NodeStatus) -> Self {
        Self { status, addressed: true, rejections: Rejections::default() }
    }

    pub fn none(node: Name) -> Self {
        Self { addressed: false, ..Self::new(NodeStatus::empty(node)) }
    }

    /// What the page says after `change`; `None` while it does not say whose it is.
    pub fn follow(&mut self, change: &Change) -> Option<Arc<NodeStatus>> {
        let mut reader = Reading { status: &mut self.status, addressed: &mut self.addressed };
        self.rejections.read(change, &mut reader);
        self.addressed.then(|| Arc::new(self.status.clone()))
    }

    pub fn rejections(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rejections.iter()
    }
}

struct Reading<'a> {
    status: &'a mut NodeStatus,
    addressed: &'a mut bool,
}

impl Reading<'_> {
    /// What stands alone is taken, what has entries of its own stays.
    fn node(&mut self, value: &[u8]) -> Result<(), Unusable> {
        let mut found: NodeStatus = entry::read(value)?;
        *self.addressed = found.node == self.status.node;
        if !*self.addressed {
            return Err(Unusable::OtherNode { found: found.node, expected: self.status.node.clone() });
        }
        let here = &mut *self.status;
        std::mem::swap(&mut found.held, &mut here.held);
        std::mem::swap(&mut found.vips, &mut here.vips);
        std::mem::swap(&mut found.rejected, &mut here.rejected);
        std::mem::swap(&mut found.routing.peers, &mut here.routing.peers);
        std::mem::swap(&mut found.routing.neighbors, &mut here.routing.neighbors);
        std::mem::swap(&mut found.routing.bfd, &mut here.routing.bfd);
        std::mem::swap(&mut found.routing.announced, &mut here.routing.announced);
        std::mem::swap(&mut found.routing.refused, &mut here.routing.refused);
        std::mem::swap(&mut found.served.listeners, &mut here.served.listeners);
        std::mem::swap(&mut found.served.backends, &mut here.served.backends);
        *here = found;
        Ok(())
    }
}

impl Reader for Reading<'_> {
    fn set(&mut self, kind: &str, name: &str, value: &[u8]) -> Result<(), Unusable> {
        let NodeStatus { held, vips, routing, served, rejected, .. } = &mut *self.status;
        match kind {
            "node" => self.node(value)?,
            "vip" => drop(vips.insert(entry::parse(name)?, entry::read(value)?)),
            "peer" => drop(routing.peers.insert(entry::parse_str(name)?, entry::read(value)?)),
            "neighbor" => drop(routing.neighbors.insert(entry::parse(name)?, entry::read(value)?)),
            "bfd" => drop(routing.bfd.insert(entry::parse_str(name)?, entry::read(value)?)),
            "refused" => drop(routing.refused.insert(entry::parse(name)?, entry::read(value)?)),
            "listener" => drop(served.listeners.insert(entry::parse(name)?, entry::read(value)?)),
            "backend" => drop(served.backends.insert(entry::parse(name)?, entry::read(value)?)),
            "held" => drop(held.insert(entry::parse(name)?)),
            "announced" => drop(routing.announced.insert(entry::parse(name)?)),
            "rejected" => *rejected = entry::read(value)?,
            _ => return Err(Unusable::Kind),
        }
        Ok(())
    }

    fn remove(&mut self, kind: &str, name: &str) {
        let NodeStatus { held, vips, routing, served, rejected, .. } = &mut *self.status;
        match kind {
            "node" => *self.addressed = false,
            "vip" => drop(entry::parse::<Name>(name).map(|name| vips.remove(&name))),
            "peer" => drop(entry::parse_str(name).map(|peer| routing.peers.remove(&peer))),
            "neighbor" => drop(entry::parse(name).map(|id: NeighborId| routing.neighbors.remove(&id))),
            "bfd" => drop(entry::parse_str(name).map(|peer| routing.bfd.remove(&peer))),
            "refused" => drop(entry::parse::<HostRoute>(name).map(|route| routing.refused.remove(&route))),
            "listener" => drop(entry::parse(name).map(|key| served.listeners.remove(&key))),
            "backend" => drop(entry::parse::<Key>(name).map(|key| served.backends.remove(&key))),
            "held" => drop(entry::parse::<HostRoute>(name).map(|route| held.remove(&route))),
            "announced" => {
                drop(entry::parse::<HostRoute>(name).map(|route| routing.announced.remove(&route)));
            }
            "rejected" => rejected.clear(),
            _ => {}
        }
    }
}

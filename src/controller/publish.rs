//! What goes out: snapshots with generations, as few new ones as possible.

use crate::model::name::Name;
use crate::model::net::HostRoute;
use crate::model::snapshot::{Serving, Snapshot};
use crate::model::vip::Vip;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub type Snapshots = BTreeMap<Name, Arc<Snapshot>>;

/// The snapshots to publish: a node's old one where its content is the same, otherwise the new one with the next
/// generation. Bulky parts that are the same stay the same in memory, so that nobody writes or compares them
/// again.
pub fn successors(before: &Snapshots, now: BTreeMap<Name, Snapshot>) -> Snapshots {
    let mut parts = Parts::default();
    let successor = |(node, snapshot): (Name, Snapshot)| {
        let old = before.get(&node);
        (node, successor(old, snapshot, &mut parts))
    };
    now.into_iter().map(successor).collect()
}

fn successor(old: Option<&Arc<Snapshot>>, mut snapshot: Snapshot, parts: &mut Parts) -> Arc<Snapshot> {
    let Some(old) = old else {
        snapshot.generation = 1;
        return Arc::new(snapshot);
    };
    let same_vips = parts.same_vips(&old.vips, &snapshot.vips);
    if same_vips {
        snapshot.vips = old.vips.clone();
    }
    let same_serving = parts.same_serving(&old.serving, &snapshot.serving);
    if same_serving {
        snapshot.serving = old.serving.clone();
    }
    // What is known to differ is not compared again for every node.
    if same_vips && same_serving && old.same_content(&snapshot) {
        return old.clone();
    }
    snapshot.generation = old.generation + 1;
    Arc::new(snapshot)
}

/// Comparisons that have been made: nodes share the parts.
#[derive(Debug, Default)]
struct Parts {
    vips: BTreeMap<(usize, usize), bool>,
    serving: BTreeMap<(usize, usize), bool>,
}

impl Parts {
    fn same_vips(&mut self, a: &Arc<BTreeMap<Name, Arc<Vip>>>, b: &Arc<BTreeMap<Name, Arc<Vip>>>) -> bool {
        *self.vips.entry((Arc::as_ptr(a) as usize, Arc::as_ptr(b) as usize)).or_insert_with(|| a == b)
    }

    fn same_serving(&mut self, a: &Arc<Serving>, b: &Arc<Serving>) -> bool {
        *self.serving.entry((Arc::as_ptr(a) as usize, Arc::as_ptr(b) as usize)).or_insert_with(|| a == b)
    }
}

/// The addresses that nodes have once they follow their snapshots. Those that share their VIPs share the set.
#[derive(Debug, Default)]
pub struct AddressSets(BTreeMap<usize, Arc<BTreeSet<HostRoute>>>);

impl AddressSets {
    pub fn of(&mut self, snapshot: &Snapshot) -> Arc<BTreeSet<HostRoute>> {
        let vips = &snapshot.vips;
        let set = || Arc::new(vips.values().flat_map(|vip| vip.addresses.iter()).collect());
        Arc::clone(self.0.entry(Arc::as_ptr(vips) as usize).or_insert_with(set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn fresh(nodes: &[&str]) -> BTreeMap<Name, Snapshot> {
        nodes.iter().map(|node| (name(node), Snapshot::empty(name(node)))).collect()
    }

    #[test]
    fn equal_content_keeps_its_generation_and_its_place_in_memory() {
        let first = successors(&Snapshots::new(), fresh(&["n1", "n2"]));
        assert_eq!(first[&name("n1")].generation, 1);
        let mut changed = fresh(&["n1", "n2", "n3"]);
        let cause = crate::model::leaving::Cause::Cordon;
        let leaving = crate::model::leaving::Leaving::Granted { cause };
        changed.get_mut(&name("n2")).unwrap().leaving.insert(name("web"), leaving);
        let second = successors(&first, changed);
        assert!(Arc::ptr_eq(&first[&name("n1")], &second[&name("n1")]));
        assert_eq!(second[&name("n2")].generation, 2);
        assert!(Arc::ptr_eq(&first[&name("n2")].vips, &second[&name("n2")].vips));
        assert_eq!(second[&name("n3")].generation, 1);
    }
}

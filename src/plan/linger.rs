//! Addresses of ours that the snapshot no longer has.
//!
//! An address that we hold or announce and that no VIP of the snapshot has belonged to a VIP that was
//! deleted, or to one whose address was edited; [`NodeFacts::lineage`] tells which.
//!
//! * *Kept*: its VIP has other addresses now, and the daemon does not have all of those yet. It is served
//!   and announced like them: the new one is announced before the old one leaves (spec §2.10).
//! * *Retired*: withdrawn first; the address stays, guarded and deaf to new connections, until the daemon
//!   has let go of the route. A daemon that does not answer is not waited for.

use super::facts::NodeFacts;
use crate::model::name::Name;
use crate::model::net::HostRoute;
use crate::model::snapshot::Snapshot;
use crate::model::vip::Vip;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lingering {
    /// With the VIP that they still serve.
    pub kept: BTreeMap<HostRoute, Name>,
    pub retired: BTreeSet<HostRoute>,
}

pub fn lingering(snapshot: &Snapshot, facts: &NodeFacts) -> Lingering {
    let mut found = Lingering::default();
    for route in left_over(snapshot, facts) {
        match facts.lineage.get(&route) {
            Some(name) if is_kept(route, snapshot.vips.get(name), facts) => {
                found.kept.insert(route, name.clone());
            }
            _ => {
                found.retired.insert(route);
            }
        }
    }
    found
}

fn is_kept(route: HostRoute, vip: Option<&Vip>, facts: &NodeFacts) -> bool {
    let successor_missing = |vip: &Vip| vip.addresses.iter().any(|new| !facts.is_announced(new));
    facts.is_announced(route) && vip.is_some_and(successor_missing)
}

fn left_over(snapshot: &Snapshot, facts: &NodeFacts) -> BTreeSet<HostRoute> {
    let ours = facts.held.addresses.union(&facts.observed.announced);
    let current = lineage_of(snapshot);
    ours.copied().filter(|route| !current.contains_key(route)).collect()
}

/// Which VIP has which address.
pub fn lineage_of(snapshot: &Snapshot) -> BTreeMap<HostRoute, Name> {
    let mut lineage = BTreeMap::new();
    for (name, vip) in snapshot.vips.iter() {
        lineage.extend(vip.addresses.iter().map(|route| (route, name.clone())));
    }
    lineage
}

/// What the next decision needs to know: whose the present addresses are, and whose the lingering ones were.
pub fn lineage(snapshot: &Snapshot, facts: &NodeFacts) -> BTreeMap<HostRoute, Name> {
    let known = |route: HostRoute| facts.lineage.get(&route).map(|name| (route, name.clone()));
    let mut lineage: BTreeMap<_, _> = left_over(snapshot, facts).into_iter().filter_map(known).collect();
    lineage.extend(lineage_of(snapshot));
    lineage
}

//! Who leaves: which VIPs, and which addresses.
//!
//! A node that is led asks, and its leader answers VIP by VIP ([`Snapshot::leaving`]): the leader sees how
//! many others there are. A node that nobody leads does what it wishes itself. What the last leader granted
//! for reasons of its own (a cordon) stays granted while nobody leads: a doubt keeps what is.

use super::facts::NodeFacts;
use super::former::{self, Former};
use crate::model::leaving::{Cause, Leaving};
use crate::model::name::Name;
use crate::model::net::HostRoute;
use crate::model::snapshot::Snapshot;
use std::collections::BTreeMap;
use std::time::Duration;

/// What was decided about the VIPs that somebody wishes to leave; about the others there is nothing to decide.
///
/// * `wish`: the node's own, for all its VIPs.
/// * `led`: a leader is heard, and there is still time to wait for its word.
pub fn decisions(snapshot: &Snapshot, wish: Option<Cause>, led: bool) -> BTreeMap<Name, Leaving> {
    let of_one = |name: &Name| match (snapshot.leaving.get(name), wish) {
        // It is granted what it no longer wishes: an answer to an agent of before, or on its way.
        (Some(word), None) if is_own(word.cause()) => None,
        // The leader's word, whatever it is; without one, the wish waits.
        (word, _) if led => word.cloned(),
        // Nobody can hold the node back.
        (_, Some(cause)) => Some(Leaving::Granted { cause }),
        (word, None) => word.cloned(),
    };
    snapshot.vips.keys().filter_map(|name| Some((name.clone(), of_one(name)?))).collect()
}

/// Causes that only the node itself has; all others are its leader's to judge.
fn is_own(cause: Cause) -> bool {
    match cause {
        Cause::Drain | Cause::Terminating => true,
        Cause::Cordon | Cause::NotReady | Cause::OutOfService | Cause::Annotation | Cause::NotSelected => {
            false
        }
    }
}

/// The addresses that are to leave now, each with its VIP's drain period: those of VIPs that were granted to,
/// and those that have left the snapshot, unless they are still needed.
pub fn leavers(snapshot: &Snapshot, facts: &NodeFacts) -> BTreeMap<HostRoute, Duration> {
    let mut leavers = BTreeMap::new();
    for vip in snapshot.vips.iter().filter(|(name, _)| facts.is_granted(name)).map(|(_, vip)| vip) {
        leavers.extend(vip.addresses.iter().map(|route| (route, vip.drain_period)));
    }
    let gone =
        facts.former.iter().filter(|(route, former)| !former::is_kept(**route, former, snapshot, facts));
    leavers.extend(gone.map(|(route, former)| (*route, drain_period(former, snapshot))));
    leavers
}

fn drain_period(former: &Former, snapshot: &Snapshot) -> Duration {
    snapshot.vips.get(&former.name).map_or(&former.vip, |vip| vip).drain_period
}

//! Addresses that have left the snapshot, and are not released yet.
//!
//! An address leaves the snapshot because its VIP was deleted, or chose another address. The node then
//! still has it: clients are connected to it, routers send to it. So its last known VIP is remembered, with
//! everything that serving it takes, until the address has left in the order of [`super::leave`].
//!
//! * Of a **deleted** VIP, each address leaves at once.
//! * Of an **edited** one, the old address is *kept*, served and announced like the new one, until the daemon
//!   has that; then it leaves (spec §2.10).
//! * An address that is **back** in the snapshot, with its VIP or with another, is remembered no longer: it
//!   stays as it is, without a withdrawal or a release in between.
//!
//! An address of ours that nobody remembers (its VIP was deleted while no agent ran) has no VIP to be served
//! by: it is withdrawn first, and stays, guarded and deaf to new connections, until the daemon has let go.

use super::facts::NodeFacts;
use super::leave::Leave;
use crate::model::bgp::{Audience, Speaker};
use crate::model::http::WeightedBackend;
use crate::model::listener::{Listener, ListenerKey, Serves};
use crate::model::name::{Key, Name};
use crate::model::net::{HostRoute, Port};
use crate::model::ospf;
use crate::model::snapshot::{Serving, Snapshot};
use crate::model::vip::{Reach, Vip};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The VIP that an address belonged to, as it was last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Former {
    pub name: Name,
    pub vip: Vip,
    /// Its listeners, and the backends behind them.
    pub serving: Serving,
    /// With the peers that it is announced to, and no others.
    pub speaker: Option<Speaker>,
    /// Where it is announced by OSPF.
    pub ospf: Option<ospf::Speaker>,
}

/// By address; none of them is in the snapshot.
pub type Formers = BTreeMap<HostRoute, Arc<Former>>;

/// What is remembered once `after` is in force instead of `before`.
pub fn remember(mut formers: Formers, before: &Snapshot, after: &Snapshot) -> Formers {
    let current: BTreeSet<HostRoute> = after.vips.values().flat_map(|vip| vip.addresses.iter()).collect();
    for (name, vip) in before.vips.iter() {
        if after.vips.get(name).is_some_and(|now| now.addresses == vip.addresses) {
            continue;
        }
        let former = Arc::new(last_known(name, vip, before));
        // Also those of earlier edits: the VIP is known as it was last.
        formers.values_mut().filter(|known| known.name == *name).for_each(|known| *known = former.clone());
        formers.extend(vip.addresses.iter().map(|route| (route, former.clone())));
    }
    formers.retain(|route, _| !current.contains(route));
    formers
}

/// Those of [`NodeFacts::former`] that the node or its daemon still has; the others are done with.
pub fn still_here(facts: &NodeFacts) -> Formers {
    let is_here = |route: HostRoute| facts.is_held(route) || facts.is_announced(route);
    let mut formers = facts.former.clone();
    formers.retain(|route, _| is_here(*route) || facts.step(*route).is_under_way());
    formers
}

/// Whether the address of an edited VIP is still needed: it is announced, and its successor is not. A
/// departure that has begun is not called off for it.
pub(super) fn is_kept(route: HostRoute, former: &Former, snapshot: &Snapshot, facts: &NodeFacts) -> bool {
    let successor_missing = |vip: &Vip| vip.addresses.iter().any(|new| !facts.is_announced(new));
    facts.step(route) == Leave::Staying
        && facts.may_be_announced(route)
        && !facts.is_granted(&former.name)
        && snapshot.vips.get(&former.name).is_some_and(|vip| successor_missing(vip))
}

fn last_known(name: &Name, vip: &Vip, snapshot: &Snapshot) -> Former {
    let (speaker, ospf) = match &vip.reach {
        Reach::Bgp(reach) => (with_peers(snapshot.speaker.clone(), &reach.audience), None),
        Reach::Ospf(_) => (None, snapshot.ospf.clone()),
    };
    Former { name: name.clone(), vip: vip.clone(), serving: share(name, &snapshot.serving), speaker, ospf }
}

fn with_peers(speaker: Option<Speaker>, audience: &Audience) -> Option<Speaker> {
    let mut speaker = speaker?;
    speaker.peers.retain(|address, _| audience.has(*address));
    Some(speaker)
}

fn share(name: &Name, serving: &Serving) -> Serving {
    let listeners: BTreeMap<ListenerKey, Arc<Listener>> =
        serving.listeners.range(ports(name)).map(|(key, listener)| (key.clone(), listener.clone())).collect();
    let used: BTreeSet<&Key> =
        listeners.values().flat_map(|listener| backends(listener)).map(|share| &share.backend).collect();
    let known = |key: &Key| Some((key.clone(), serving.backends.get(key)?.clone()));
    let backends = used.into_iter().filter_map(known).collect();
    Serving { backends, listeners }
}

/// The keys of all listeners that a VIP can have.
pub(super) fn ports(name: &Name) -> std::ops::RangeInclusive<ListenerKey> {
    let key = |port| ListenerKey { vip: name.clone(), port };
    key(Port::MIN)..=key(Port::MAX)
}

fn backends(listener: &Listener) -> Vec<&WeightedBackend> {
    match &listener.serves {
        Serves::Http(hosts) => {
            hosts.iter().flat_map(|host| &host.rules).flat_map(|rule| &rule.backends).collect()
        }
        Serves::Tcp(backends) => backends.iter().collect(),
    }
}

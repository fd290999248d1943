//! The snapshot, together with what has left it and not yet the node: what the plans are made from.

use super::facts::NodeFacts;
use super::former::{Former, ports};
use super::leave::Leave;
use crate::model::bgp::Speaker;
use crate::model::listener::Listener;
use crate::model::name::Name;
use crate::model::net::HostRoute;
use crate::model::ospf;
use crate::model::snapshot::{Serving, Snapshot};
use crate::model::vip::{Reach, Vip};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Whole<'a> {
    /// Those of the snapshot, and deleted ones that still have an address here.
    pub vips: BTreeMap<&'a Name, &'a Vip>,
    pub serving: Cow<'a, Serving>,
    pub speaker: Option<Cow<'a, Speaker>>,
    pub ospf: Option<Cow<'a, ospf::Speaker>>,
    /// Every address that a VIP has here, or had, and which VIP.
    pub bearers: BTreeMap<HostRoute, &'a Name>,
}

impl<'a> Whole<'a> {
    pub fn of(snapshot: &'a Snapshot, facts: &'a NodeFacts) -> Self {
        let mut whole = Self {
            vips: snapshot.vips.iter().map(|(name, vip)| (name, &**vip)).collect(),
            serving: Cow::Borrowed(&snapshot.serving),
            speaker: snapshot.speaker.as_ref().map(Cow::Borrowed),
            ospf: snapshot.ospf.as_ref().map(Cow::Borrowed),
            bearers: bearers_of(snapshot),
        };
        for (route, former) in &facts.former {
            if whole.bearers.contains_key(route) {
                continue;
            }
            whole.bearers.insert(*route, &former.name);
            if snapshot.vips.contains_key(&former.name) {
                whole.add_address(*route, &former.name);
            } else {
                whole.add_deleted(*route, former);
            }
            if facts.step(*route) < Leave::Released {
                whole.add_peers(former);
                whole.add_interfaces(former);
            }
        }
        whole
    }

    /// An edited VIP's listeners answer at its old address too.
    fn add_address(&mut self, route: HostRoute, name: &Name) {
        for (_, listener) in self.serving.to_mut().listeners.range_mut(ports(name)) {
            Arc::make_mut(listener).addresses.insert(route.address());
        }
    }

    fn add_deleted(&mut self, route: HostRoute, former: &'a Former) {
        let Former { name, vip, serving, speaker: _, ospf: _ } = former;
        self.vips.entry(name).or_insert(vip);
        let whole = self.serving.to_mut();
        for (key, listener) in &serving.listeners {
            let Listener { addresses, serves } = &**listener;
            if addresses.contains(&route.address()) {
                let nowhere = || Arc::new(Listener { addresses: BTreeSet::new(), serves: serves.clone() });
                let listener = whole.listeners.entry(key.clone()).or_insert_with(nowhere);
                Arc::make_mut(listener).addresses.insert(route.address());
            }
        }
        for (key, backend) in &serving.backends {
            whole.backends.entry(key.clone()).or_insert_with(|| backend.clone());
        }
    }

    /// The sessions that will carry its withdrawal. The snapshot's word about a peer counts, if it has one.
    fn add_peers(&mut self, former: &Former) {
        let Some(known) = &former.speaker else { return };
        let Some(speaker) = &mut self.speaker else {
            self.speaker = Some(Cow::Owned(known.clone()));
            return;
        };
        for (address, peer) in &known.peers {
            if !speaker.peers.contains_key(address) {
                speaker.to_mut().peers.insert(*address, peer.clone());
            }
        }
    }

    /// The adjacencies that will carry its withdrawal. In everything else the snapshot's word counts, if it has
    /// one.
    fn add_interfaces(&mut self, former: &Former) {
        let Some(known) = &former.ospf else { return };
        match &mut self.ospf {
            None => self.ospf = Some(Cow::Owned(known.clone())),
            Some(ospf) => ospf.to_mut().interfaces.join(&known.interfaces),
        }
    }

    /// Whether any address that is reached so is at such a step; also where none is reached so.
    pub fn any(&self, facts: &NodeFacts, so: fn(&Reach) -> bool, which: fn(Leave) -> bool) -> bool {
        let mut routes = self.vips().filter(|(_, _, vip)| so(&vip.reach)).map(|(route, ..)| route).peekable();
        routes.peek().is_none() || routes.any(|route| which(facts.step(route)))
    }

    /// Whose address it is, and how that VIP looks.
    pub fn vips(&self) -> impl Iterator<Item = (HostRoute, &'a Name, &'a Vip)> {
        self.bearers.iter().map(|(route, name)| (*route, *name, self.vips[name]))
    }
}

fn bearers_of(snapshot: &Snapshot) -> BTreeMap<HostRoute, &Name> {
    let all = snapshot.vips.iter();
    all.flat_map(|(name, vip)| vip.addresses.iter().map(move |route| (route, name))).collect()
}

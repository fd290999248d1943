//! What all nodes together make of the world, and each node's snapshot of it.
//!
//! Nodes that serve the same VIPs share the bulk of their snapshots, so that an estate of many nodes costs
//! hardly more than one node.

use super::accepted::Accepted;
use super::backend::{self, Upstream, Upstreams};
use super::groups::Presence;
use super::listeners::{self, Merged};
use super::rejection::Rejection;
use super::scene::{Given, Scene, Site};
use super::vip::Draft;
use super::vips::{self, Vips};
use super::{attach, gateway, later};
use crate::model::leaving::Leaving;
use crate::model::listener::{Listener, Serves};
use crate::model::name::{Key, Name};
use crate::model::net::Port;
use crate::model::snapshot::{Serving, Snapshot};
use crate::model::vip::{Reach, Vip};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Debug)]
pub struct Estate {
    nodes: Vec<Name>,
    vips: Vips,
    /// The ports of each VIP that a gateway listens on.
    used_ports: BTreeMap<Name, BTreeSet<Port>>,
    merged: Merged,
    upstreams: Upstreams,
    asn_indices: BTreeMap<Name, String>,
    pub rejections: Vec<Rejection>,
}

/// What becomes of nodes' wishes to leave: by node, by VIP.
pub type Departures = BTreeMap<Name, BTreeMap<Name, Leaving>>;

impl Estate {
    pub fn compile(given: &Given) -> Self {
        let scene = Scene::new(given);
        let mut rejections = Vec::new();
        let vips = vips::compile(&scene, &mut rejections);
        let upstreams = backend::compile(&scene, &mut rejections);
        let offers = gateway::offers(&scene, &vips, &mut rejections);
        let attached = attach::attach(offers, &upstreams, &scene, &mut rejections);
        let merged = listeners::merge(attached, &vips, &scene, &mut rejections);
        later::refuse(&scene, &mut rejections);
        rejections.sort();
        let mut used_ports: BTreeMap<Name, BTreeSet<Port>> = BTreeMap::new();
        for key in merged.listeners.keys() {
            used_ports.entry(key.vip.clone()).or_default().insert(key.port);
        }
        let index = |site: &Site| Some((site.name.clone(), site.asn_index?.to_owned()));
        let asn_indices = scene.sites.iter().filter_map(index).collect();
        let nodes = given.nodes.iter().cloned().collect();
        Self { nodes, vips, used_ports, merged, upstreams, asn_indices, rejections }
    }

    /// The VIPs that are in use.
    pub fn vips(&self) -> impl Iterator<Item = (&Name, &Draft)> {
        self.vips.used.iter().map(|(name, used)| (name, &*used.version.draft))
    }

    /// Whether any gateway listens on the VIP.
    pub fn is_listened_on(&self, vip: &Name) -> bool {
        self.used_ports.contains_key(vip)
    }

    /// The pool that the VIP takes an address from.
    pub fn pool_of(&self, vip: &Name) -> Option<Name> {
        let reference = self.vips.used.get(vip)?.version.in_use.spec.pool_ref.as_ref()?;
        Name::parse(reference.name.clone()).ok()
    }

    /// The nodes that have the VIP; `false`: the node is no candidate any more.
    pub fn nodes_of(&self, vip: &Name) -> impl Iterator<Item = (&Name, bool)> {
        let group = self.vips.used.get(vip).map(|used| &self.vips.groups[used.group]);
        let at = group.into_iter().flat_map(|group| &group.at);
        self.nodes.iter().zip(at).filter_map(move |(node, presence)| match presence {
            Presence::Absent => None,
            Presence::Whole(_) => Some((node, true)),
            Presence::Rest(_, rest) => rest.contains(vip).then_some((node, false)),
        })
    }

    /// What is in use now.
    pub fn accepted(&self) -> Accepted {
        let vips = self.vips.used.iter().map(|(name, used)| (name.clone(), used.version.in_use.clone()));
        let passwords = self.vips.used.values().flat_map(|used| used.version.draft.shape.passwords());
        Accepted {
            vips: vips.collect(),
            passwords: passwords.map(|(key, password)| (key.clone(), password.clone())).collect(),
            asn_indices: self.asn_indices.clone(),
            listeners: self.merged.holders.clone(),
        }
    }

    /// Every node's snapshot, of generation 0: whoever publishes it counts.
    pub fn snapshots(&self, departures: &Departures) -> BTreeMap<Name, Snapshot> {
        let local = self.upstreams.iter().filter(|(_, upstream)| upstream.differs_by_node());
        let local: Vec<(&Key, &Upstream)> = local.collect();
        let mut shared = BTreeMap::new();
        let mut snapshots = BTreeMap::new();
        for (site, (node, speakers)) in self.nodes.iter().zip(&self.vips.speakers).enumerate() {
            let present = self.present(site);
            let (vips, serving) =
                shared.entry(likeness(&present)).or_insert_with(|| self.share(&present, node));
            let snapshot = Snapshot {
                generation: 0,
                node: node.clone(),
                speaker: speakers.bgp.clone(),
                ospf: speakers.ospf.clone(),
                vips: vips.clone(),
                serving: with_its_own(serving, &local, node),
                leaving: departures.get(node).cloned().unwrap_or_default(),
            };
            snapshots.insert(node.clone(), snapshot);
        }
        snapshots
    }

    /// By the group's place.
    fn present(&self, site: usize) -> BTreeMap<usize, &Presence> {
        let at = self.vips.groups.iter().map(|group| &group.at[site]).enumerate();
        at.filter(|(_, presence)| **presence != Presence::Absent).collect()
    }

    /// What equal nodes share.
    fn share(
        &self,
        present: &BTreeMap<usize, &Presence>,
        node: &Name,
    ) -> (Arc<BTreeMap<Name, Vip>>, Arc<Serving>) {
        let vips = self.vips.used.iter().filter_map(|(name, used)| {
            let reach = match present.get(&used.group)? {
                Presence::Absent => return None,
                Presence::Whole(reach) => reach,
                Presence::Rest(reach, rest) => rest.contains(name).then_some(reach)?,
            };
            Some((name.clone(), self.vip(name, &used.version.draft, (**reach).clone())))
        });
        let vips: BTreeMap<Name, Vip> = vips.collect();
        let listeners = self.merged.listeners.iter().filter(|(key, _)| vips.contains_key(&key.vip));
        let listeners: BTreeMap<_, _> =
            listeners.map(|(key, listener)| (key.clone(), listener.clone())).collect();
        let used = in_use(listeners.values());
        let used = used.into_iter().filter_map(|key| Some((key.clone(), self.upstreams.get(key)?.at(node))));
        let backends = used.collect();
        (Arc::new(vips), Arc::new(Serving { listeners, backends }))
    }

    fn vip(&self, name: &Name, draft: &Draft, reach: Reach) -> Vip {
        Vip {
            addresses: draft.addresses,
            ports: draft.ports.clone(),
            reach,
            used_ports: self.used_ports.get(name).cloned().unwrap_or_default(),
            min_healthy_nodes: draft.min_healthy_nodes,
            withdraw_when_no_backends: draft.withdraw_when_no_backends,
            drain_period: draft.drain_period,
            needs: draft.needs.clone(),
        }
    }
}

/// The node's own endpoints where nodes use different ones.
fn with_its_own(shared: &Arc<Serving>, local: &[(&Key, &Upstream)], node: &Name) -> Arc<Serving> {
    let mut own = local.iter().filter(|(key, _)| shared.backends.contains_key(*key)).peekable();
    if own.peek().is_none() {
        return shared.clone();
    }
    let mut serving = Serving::clone(shared);
    serving.backends.extend(own.map(|(key, upstream)| ((*key).clone(), upstream.at(node))));
    Arc::new(serving)
}

/// Nodes that are alike serve the same VIPs over the same peers.
fn likeness(present: &BTreeMap<usize, &Presence>) -> impl Ord + use<> {
    let part = |(group, presence): (&usize, &&Presence)| match presence {
        Presence::Absent => (*group, 0, BTreeSet::new()),
        // Equal routes of a group are one.
        Presence::Whole(route) => (*group, Arc::as_ptr(route) as usize, BTreeSet::new()),
        Presence::Rest(route, rest) => (*group, Arc::as_ptr(route) as usize, rest.clone()),
    };
    present.iter().map(part).collect::<Vec<_>>()
}

/// The backends that some listener sends to.
fn in_use<'a>(listeners: impl Iterator<Item = &'a Listener>) -> BTreeSet<&'a Key> {
    let mut used = BTreeSet::new();
    for listener in listeners {
        match &listener.serves {
            Serves::Http(hosts) => {
                let rules = hosts.iter().flat_map(|host| &host.rules);
                used.extend(rules.flat_map(|rule| &rule.backends).map(|share| &share.backend));
            }
            Serves::Tcp(shares) => used.extend(shares.iter().map(|share| &share.backend)),
        }
    }
    used
}

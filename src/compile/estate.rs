//! What all nodes together make of the world, and each node's snapshot of it.
//!
//! Nodes that serve the same VIPs share the bulk of their snapshots, so that an estate of many nodes costs
//! hardly more than one node.

use super::accepted::Accepted;
use super::backend::{self, Upstream, Upstreams};
use super::groups::Presence;
use super::listeners::{self, Merged};
use super::memo::{Memo, Same};
use super::rejection::Rejection;
use super::scene::{Given, Scene, Site};
use super::vip::{Draft, Terms};
use super::vips::{self, Vips};
use super::{attach, gateway, later, route};
use crate::model::leaving::Leaving;
use crate::model::listener::{Listener, ListenerKey, Serves};
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
    /// The VIPs of each group, in the order of their names, with their models.
    members: Vec<Vec<(Name, Arc<Models>)>>,
    merged: Merged,
    upstreams: Upstreams,
    asn_indices: BTreeMap<Name, String>,
    pub rejections: Vec<Rejection>,
}

/// What becomes of nodes' wishes to leave: by node, by VIP.
pub type Departures = BTreeMap<Name, BTreeMap<Name, Leaving>>;

/// A VIP as nodes serve it, by each of its group's ways to be reached.
type Models = Vec<Arc<Vip>>;

/// All that [`models`] reads.
#[derive(Debug, PartialEq)]
struct Served {
    draft: Same<Draft>,
    reaches: Arc<[Arc<Reach>]>,
    used_ports: BTreeSet<Port>,
}

/// What was made of each object the last time (see [`super::memo`]): it changes what a compile costs, and
/// never what it says.
#[derive(Debug, Default)]
pub struct Memory {
    vips: vips::Memory,
    backends: backend::Memory,
    gateways: gateway::Memory,
    routes: route::Memory,
    ports: listeners::Memory,
    models: Memo<Name, Served, Models>,
}

impl Estate {
    /// `memory`: of the compile before, of whatever world.
    pub fn compile(given: &Given, memory: &mut Memory) -> Self {
        let scene = Scene::new(given);
        let mut rejections = Vec::new();
        let vips = vips::compile(&scene, &mut memory.vips, &mut rejections);
        let upstreams = backend::compile(&scene, &mut memory.backends, &mut rejections);
        let offers = gateway::offers(&scene, &vips, &mut memory.gateways, &mut rejections);
        let routes = route::routes(&scene, &upstreams, &mut memory.routes, &mut rejections);
        let attached = attach::attach(offers, routes);
        let merged = listeners::merge(attached, &vips, &scene, &mut memory.ports, &mut rejections);
        later::refuse(&scene, &mut rejections);
        rejections.sort();
        let members = members(&vips, &merged, &mut memory.models);
        let index = |site: &Site| Some((site.name.clone(), site.asn_index?.to_owned()));
        let asn_indices = scene.sites.iter().filter_map(index).collect();
        let nodes = given.nodes.iter().cloned().collect();
        Self { nodes, vips, members, merged, upstreams, asn_indices, rejections }
    }

    /// The VIPs that are in use.
    pub fn vips(&self) -> impl Iterator<Item = (&Name, &Draft)> {
        self.vips.used.iter().map(|(name, used)| (name, &*used.version.draft))
    }

    pub fn uses(&self, vip: &Name) -> bool {
        self.vips.used.contains_key(vip)
    }

    /// Whether any gateway listens on the VIP.
    pub fn is_listened_on(&self, vip: &Name) -> bool {
        ports_of(&self.merged, vip).next().is_some()
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

    /// Whether any node serves what it is no candidate for.
    pub fn has_lingerers(&self) -> bool {
        let mut everywhere = self.vips.groups.iter().flat_map(|group| &group.at);
        everywhere.any(|presence| matches!(presence, Presence::Rest(..)))
    }

    /// What is in use now.
    pub fn accepted(&self) -> Accepted {
        let vips = self.vips.used.iter().map(|(name, used)| (name.clone(), used.version.in_use.clone()));
        let shapes = self.vips.used.values().map(|used| &used.version.draft.shape);
        let shapes: BTreeMap<_, _> = shapes.map(|shape| (Arc::as_ptr(shape), shape)).collect();
        let passwords = shapes.into_values().flat_map(|shape| shape.passwords());
        Accepted {
            vips: vips.collect(),
            passwords: passwords.map(|(key, password)| (key.clone(), password.clone())).collect(),
            asn_indices: self.asn_indices.clone(),
            listeners: self.merged.holders.clone(),
        }
    }

    /// Every node's snapshot, of generation 0: whoever publishes it counts.
    pub fn snapshots(&self, departures: &Departures) -> BTreeMap<Name, Snapshot> {
        let usable = self.upstreams.iter().filter_map(|(key, read)| Some((key, read.upstream.as_ref()?)));
        let local: Vec<(&Key, &Upstream)> =
            usable.filter(|(_, upstream)| upstream.differs_by_node()).collect();
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
    ) -> (Arc<BTreeMap<Name, Arc<Vip>>>, Arc<Serving>) {
        let vips: BTreeMap<Name, Arc<Vip>> =
            present.iter().flat_map(|(group, presence)| self.served(*group, presence)).collect();
        let listeners = vips.keys().flat_map(|vip| ports_of(&self.merged, vip));
        let listeners: BTreeMap<_, _> =
            listeners.map(|(key, listener)| (key.clone(), Arc::clone(listener))).collect();
        let upstream = |key: &Key| Some(self.upstreams.get(key)?.upstream.as_ref()?.at(node));
        let used = in_use(listeners.values().map(|listener| &**listener));
        let backends = used.into_iter().filter_map(|key| Some((key.clone(), upstream(key)?))).collect();
        (Arc::new(vips), Arc::new(Serving { listeners, backends }))
    }

    /// The VIPs of the group that are served so.
    fn served(&self, group: usize, presence: &Presence) -> impl Iterator<Item = (Name, Arc<Vip>)> {
        let (reach, rest) = match presence {
            Presence::Absent => (None, None),
            Presence::Whole(reach) => (Some(reach), None),
            Presence::Rest(reach, rest) => (Some(reach), Some(rest)),
        };
        let reaches = &self.vips.groups[group].reaches;
        let way = reach.and_then(|reach| reaches.iter().position(|known| Arc::ptr_eq(known, reach)));
        let members =
            self.members[group].iter().filter(move |(name, _)| rest.is_none_or(|rest| rest.contains(name)));
        members.filter_map(move |(name, models)| Some((name.clone(), Arc::clone(models.get(way?)?))))
    }
}

/// The ports of the VIP that a gateway listens on.
fn ports_of<'a>(
    merged: &'a Merged,
    vip: &Name,
) -> impl Iterator<Item = (&'a ListenerKey, &'a Arc<Listener>)> {
    let at = |port| ListenerKey { vip: vip.clone(), port };
    merged.listeners.range(at(Port::MIN)..=at(Port::MAX))
}

fn members(
    vips: &Vips,
    merged: &Merged,
    memory: &mut Memo<Name, Served, Models>,
) -> Vec<Vec<(Name, Arc<Models>)>> {
    let mut listeners = merged.listeners.keys().peekable();
    let served = vips.used.iter().map(|(name, used)| {
        while listeners.next_if(|key| key.vip < *name).is_some() {}
        let used_ports = std::iter::from_fn(|| Some(listeners.next_if(|key| key.vip == *name)?.port));
        let served = Served {
            draft: Same::of(&used.version.draft),
            reaches: Arc::clone(&vips.groups[used.group].reaches),
            used_ports: used_ports.collect(),
        };
        (name.clone(), served)
    });
    let made = memory.of_each(served, models);
    let mut members: Vec<_> = vips.groups.iter().map(|_| Vec::new()).collect();
    for (used, made) in vips.used.values().zip(made) {
        members[used.group].push((made.key.clone(), Arc::clone(&made.output)));
    }
    members
}

/// A stage of the compiler (see [`super::memo`]).
fn models(_: &Name, Served { draft, reaches, used_ports }: &Served) -> Models {
    let Terms {
        ports,
        allowed_namespaces: _,
        min_healthy_nodes,
        withdraw_when_no_backends,
        drain_on: _,
        drain_period,
        needs,
    } = &*draft.terms;
    let model = |reach: &Arc<Reach>| Vip {
        addresses: draft.addresses,
        ports: ports.clone(),
        reach: Reach::clone(reach),
        used_ports: used_ports.clone(),
        min_healthy_nodes: *min_healthy_nodes,
        withdraw_when_no_backends: *withdraw_when_no_backends,
        drain_period: *drain_period,
        needs: needs.clone(),
    };
    reaches.iter().map(|reach| Arc::new(model(reach))).collect()
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

/// The backends that some listener sends to, in order.
fn in_use<'a>(listeners: impl Iterator<Item = &'a Listener>) -> Vec<&'a Key> {
    let mut used = Vec::new();
    for listener in listeners {
        match &listener.serves {
            Serves::Http(hosts) => {
                let rules = hosts.iter().flat_map(|host| &host.rules);
                used.extend(rules.flat_map(|rule| &rule.backends).map(|share| &share.backend));
            }
            Serves::Tcp(shares) => used.extend(shares.iter().map(|share| &share.backend)),
        }
    }
    used.sort_unstable();
    used.dedup();
    used
}

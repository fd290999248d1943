//! Where the compiler stands: the world, the node that it compiles for, and what that node did before.

use super::resources::Resources;
use super::selector::{Labels, Selector};
use crate::model::name::Name;
use crate::model::snapshot::Snapshot;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;

#[derive(Debug)]
pub struct Here<'a> {
    pub world: &'a Resources,
    pub node: &'a Name,
    /// Empty for a node without an object.
    pub labels: Labels,
    pub annotations: Labels,
    pub previous: Option<&'a Snapshot>,
    /// The nodes' own.
    addresses: BTreeMap<IpAddr, &'a Name>,
}

impl<'a> Here<'a> {
    pub fn new(world: &'a Resources, node: &'a Name, previous: Option<&'a Snapshot>) -> Self {
        let object = world.nodes.get(node);
        let annotations = object.and_then(|object| object.metadata.annotations.clone()).unwrap_or_default();
        let labels = object.map(labels).unwrap_or_default();
        Self { world, node, labels, annotations, previous, addresses: addresses(world) }
    }

    pub fn is_selected(&self, selector: &Selector) -> bool {
        selector.matches(&self.labels)
    }

    /// The node whose own address this is.
    pub fn node_with(&self, address: IpAddr) -> Option<&'a Name> {
        self.addresses.get(&address).copied()
    }

    /// Whether this node, and no other, is known to be selected. Without a Node object nobody can know.
    pub fn is_the_only_one(&self, selector: &Selector) -> bool {
        let selected = self.world.nodes.iter().filter(|(_, node)| selector.matches(&labels(node)));
        selected.map(|(name, _)| name).eq([self.node])
    }
}

fn addresses(world: &Resources) -> BTreeMap<IpAddr, &Name> {
    let mut addresses = BTreeMap::new();
    for (name, node) in &world.nodes {
        let own = node.status.as_ref().and_then(|status| status.addresses.as_ref());
        let parsed = own.into_iter().flatten().filter_map(|own| own.address.parse().ok());
        addresses.extend(parsed.map(|address| (address, name)));
    }
    addresses
}

fn labels(node: &Node) -> Labels {
    node.metadata.labels.clone().unwrap_or_default()
}

/// Who was there first: by creation time; of equals, the one in service; then by name. Sorts the senior
/// to the front.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seniority<Id> {
    created: Option<Timestamp>,
    serving: Reverse<bool>,
    pub id: Id,
}

impl<Id> Seniority<Id> {
    pub fn new(metadata: &ObjectMeta, serving: bool, id: Id) -> Self {
        let created = metadata.creation_timestamp.as_ref().map(|time| time.0);
        Self { created, serving: Reverse(serving), id }
    }
}

//! Where the compiler stands: the world, what is in use of it, and the nodes that it compiles for.

use super::accepted::Accepted;
use super::resources::Resources;
use super::selector::Labels;
use crate::model::name::Name;
use crate::model::vip::Addresses;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// The annotation of a Node that `localASBase` counts from.
pub const ASN_INDEX: &str = "novaedge.io/asn-index";

/// Addresses that VIPs have been given from pools.
pub type Allocations = BTreeMap<Name, Addresses>;

/// What [`Estate::compile`](super::Estate::compile) is asked to compile.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    pub world: &'a Resources,
    pub accepted: &'a Accepted,
    /// `None`: nobody here gives addresses out.
    pub pools: Option<&'a Allocations>,
    /// Those that have an agent or a Node object.
    pub nodes: &'a BTreeSet<Name>,
    /// The VIPs that a node still serves, of which it may be no candidate any more.
    pub serving: &'a BTreeMap<Name, BTreeSet<Name>>,
}

#[derive(Debug)]
pub struct Scene<'a> {
    pub world: &'a Resources,
    pub accepted: &'a Accepted,
    pub pools: Option<&'a Allocations>,
    pub sites: Vec<Site<'a>>,
    /// The nodes' own.
    addresses: BTreeMap<IpAddr, &'a Name>,
}

/// A node, as far as the compiler cares.
#[derive(Debug)]
pub struct Site<'a> {
    pub name: &'a Name,
    /// Empty for a node without an object.
    pub labels: &'a Labels,
    pub asn_index: Option<&'a str>,
    /// The Node has lost the annotation since.
    pub index_is_remembered: bool,
    pub serving: &'a BTreeSet<Name>,
}

static NO_LABELS: Labels = Labels::new();
static NOTHING: BTreeSet<Name> = BTreeSet::new();

impl<'a> Scene<'a> {
    pub fn new(given: &Given<'a>) -> Self {
        let Given { world, accepted, pools, nodes, serving } = *given;
        let site = |name: &'a Name| {
            let object = world.nodes.get(name);
            let annotations = object.and_then(|object| object.metadata.annotations.as_ref());
            let written = annotations.and_then(|annotations| annotations.get(ASN_INDEX));
            let remembered = accepted.asn_indices.get(name);
            Site {
                name,
                labels: object.map_or(&NO_LABELS, |object| labels(object)),
                asn_index: written.or(remembered).map(String::as_str),
                index_is_remembered: written.is_none() && remembered.is_some(),
                serving: serving.get(name).unwrap_or(&NOTHING),
            }
        };
        Self { world, accepted, pools, sites: nodes.iter().map(site).collect(), addresses: addresses(world) }
    }

    /// The node whose own address this is.
    pub fn node_with(&self, address: IpAddr) -> Option<&'a Name> {
        self.addresses.get(&address).copied()
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

pub(super) fn labels(node: &Node) -> &Labels {
    node.metadata.labels.as_ref().unwrap_or(&NO_LABELS)
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

    /// The same of one that is in service, or is not.
    pub fn serving(self, serving: bool) -> Self {
        Self { serving: Reverse(serving), ..self }
    }
}

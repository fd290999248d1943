//! One node's model at a generation: everything that its agent needs to know, and nothing else.

use super::backend::Backend;
use super::bgp::Speaker;
use super::listener::{Listener, ListenerKey};
use super::name::{Key, Name};
use super::vip::Vip;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Rises with every change of content; equal content keeps its generation.
    pub generation: u64,
    pub node: Name,
    /// The one BGP speaker of the node, present while any VIP routes by BGP.
    pub speaker: Option<Speaker>,
    pub vips: BTreeMap<Name, Vip>,
    #[serde(flatten)]
    pub serving: Serving,
}

/// The proxy's share of the snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serving {
    pub listeners: BTreeMap<ListenerKey, Listener>,
    pub backends: BTreeMap<Key, Backend>,
}

impl Snapshot {
    /// Nothing to serve: what a node starts from.
    pub fn empty(node: Name) -> Self {
        Self { generation: 0, node, speaker: None, vips: BTreeMap::new(), serving: Serving::default() }
    }

    /// Whether both describe the same world, whatever their generation.
    pub fn same_content(&self, other: &Self) -> bool {
        self.node == other.node
            && self.speaker == other.speaker
            && self.vips == other.vips
            && self.serving == other.serving
    }
}

//! One node's model at a generation: everything that its agent needs to know, and nothing else.

use super::backend::Backend;
use super::bgp::{Password, Speaker};
use super::leaving::Leaving;
use super::listener::{Listener, ListenerKey};
use super::name::{Key, Name};
use super::ospf;
use super::vip::Vip;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Rises with every change of content; equal content keeps its generation.
    pub generation: u64,
    pub node: Name,
    /// The one BGP speaker of the node, present while any VIP routes by BGP.
    pub speaker: Option<Speaker>,
    /// The one OSPF speaker, present while any VIP routes by OSPF.
    #[serde(default)]
    pub ospf: Option<ospf::Speaker>,
    /// Shared by all nodes that serve the same VIPs, as is `serving`.
    pub vips: Arc<BTreeMap<Name, Arc<Vip>>>,
    #[serde(flatten)]
    pub serving: Arc<Serving>,
    /// Of the VIPs that this node is to leave, or wishes to.
    #[serde(default)]
    pub leaving: BTreeMap<Name, Leaving>,
}

/// The proxy's share of the snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serving {
    pub listeners: BTreeMap<ListenerKey, Arc<Listener>>,
    pub backends: BTreeMap<Key, Arc<Backend>>,
}

impl Snapshot {
    /// Nothing to serve: what a node starts from.
    pub fn empty(node: Name) -> Self {
        Self {
            generation: 0,
            node,
            speaker: None,
            ospf: None,
            vips: Arc::default(),
            serving: Arc::default(),
            leaving: BTreeMap::new(),
        }
    }

    /// The same for people to see: each password and key is the word `redacted`.
    pub fn redacted(&self) -> Self {
        let mut shown = self.clone();
        let peers = shown.speaker.iter_mut().flat_map(|speaker| speaker.peers.values_mut());
        for password in peers.filter_map(|peer| peer.password.as_mut()) {
            *password = Password::redacted();
        }
        if let Some(ospf) = &mut shown.ospf {
            ospf.authentication = ospf.authentication.redacted();
        }
        shown
    }

    /// Whether both describe the same world, whatever their generation.
    pub fn same_content(&self, other: &Self) -> bool {
        let Self { generation: _, node, speaker, ospf, vips, serving, leaving } = other;
        self.node == *node
            && self.speaker == *speaker
            && self.ospf == *ospf
            && self.vips == *vips
            && self.serving == *serving
            && self.leaving == *leaving
    }
}

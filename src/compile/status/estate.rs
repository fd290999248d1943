//! The estate in one document: what `novaedgectl status` shows, and what the status of each object is
//! written from.

use crate::api::backend::BackendStatus;
use crate::api::gateway::GatewayStatus;
use crate::api::policy::PolicyStatus;
use crate::api::pool::PoolStatus;
use crate::api::route::RouteStatus;
use crate::api::template::TemplateStatus;
use crate::api::vip_status::VipStatus;
use crate::model::leaving::{Cause, Leaving};
use crate::model::name::{Key, Name};
use crate::model::status::Rejected;
use crate::model::term::Term;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EstateStatus {
    /// Of the controller that says this; `None`: it does not lead.
    pub term: Option<Term>,
    pub nodes: BTreeMap<Name, NodeSummary>,
    pub vips: BTreeMap<Name, VipSummary>,
    pub gateways: BTreeMap<Key, GatewayStatus>,
    pub routes: BTreeMap<Key, RouteStatus>,
    pub backends: BTreeMap<Key, BackendStatus>,
    pub policies: BTreeMap<Key, PolicyStatus>,
    pub pools: BTreeMap<Name, PoolStatus>,
    pub templates: BTreeMap<Name, TemplateStatus>,
    /// What is not used, or otherwise than it was written.
    pub rejected: Vec<Rejected>,
}

/// A VIP's status, and what the reader of a table does not have its spec at hand for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VipSummary {
    /// Of the object that this is about, where it has one: another one of its name is another VIP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    pub mode: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<Name>,
    pub min_healthy_nodes: u32,
    /// Of the nodes that are to leave the VIP, or wish to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub leaving: BTreeMap<Name, Leaving>,
    pub status: VipStatus,
}

/// A node as the controller sees it: that it has an object, an agent that speaks, or both.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeSummary {
    /// Its agent listens to this controller, and reports to it.
    pub alive: bool,
    /// Unix seconds of the last change of `alive`; `None`: no agent has ever spoken from there.
    pub since: Option<u64>,
    /// The agent's.
    pub version: Option<String>,
    /// Of the newest snapshot that the agent has taken.
    pub generation: Option<u64>,
    /// What the node wishes for all its VIPs.
    pub wish: Option<Cause>,
    /// The routing daemon and its version, like `frr 10.5.1`.
    pub daemon: Option<String>,
    pub vips: Count,
    pub peers: Count,
    pub bfd: Count,
    pub endpoints: Count,
    /// Of clients that are open, and requests or byte streams in flight.
    pub connections: u64,
    pub in_flight: u64,
    /// What is wrong with the node itself, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<String>,
}

/// So many are well (announced, up, healthy), of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub good: usize,
    pub all: usize,
}

impl Count {
    pub fn of<T>(items: impl IntoIterator<Item = T>, is_good: impl Fn(&T) -> bool) -> Self {
        let mut count = Self::default();
        for item in items {
            count.all += 1;
            count.good += usize::from(is_good(&item));
        }
        count
    }

    pub fn is_whole(self) -> bool {
        self.good == self.all
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("{}/{}", self.good, self.all))
    }
}

//! What a `ProxyVIP` reports: who serves it, and why the others do not.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who serves the VIP, and why the others do not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VipStatus {
    /// The addresses in use, written or allocated, with their prefix length.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// The IPv4 address that a pool gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocated_address: Option<String>,
    /// The IPv6 address that a pool gave.
    #[serde(rename = "allocatedIPv6Address", default, skip_serializing_if = "Option::is_none")]
    pub allocated_ipv6_address: Option<String>,
    /// L2ARP: the owner. Otherwise the first of the announcing nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_node: Option<String>,
    /// The nodes that announce the VIP now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub announcing_nodes: Vec<String>,
    /// How many nodes can serve the VIP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy_nodes: Option<i32>,
    /// Healthy of eligible nodes, like 2/3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy: Option<String>,
    /// Every candidate node's share; of more than 64 candidates, of those that lack something.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub nodes: Vec<VipNode>,
    /// The worst state of the BFD sessions: Up, Init, Down or AdminDown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bfd_session_state: Option<String>,
    /// Accepted, AddressAllocated, Ready, Degraded, Conflicted, NoListeners, DaemonUntested.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// One node's share of a VIP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VipNode {
    /// The node.
    pub name: String,
    /// Idle, Preparing, Ready, Announced, Draining or Withdrawn.
    pub state: String,
    /// Why the VIP is not announced there, in one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The routing daemon and its version, like frr 10.5.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daemon: Option<String>,
    /// The routing peers as the node sees them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<VipPeer>,
    /// Since when the node is in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
}

/// One routing peer as a node sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VipPeer {
    /// The peer's address.
    pub address: String,
    /// The BGP or OSPF state, like Established or Full.
    pub state: String,
    /// The state of the BFD session with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bfd_state: Option<String>,
}

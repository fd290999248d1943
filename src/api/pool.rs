//! `ProxyIPPool`: addresses to give out.

use super::duration::Duration;
use super::yes;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A set of addresses that VIPs without an address of their own take one from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "novaedge.io",
    version = "v1alpha1",
    kind = "ProxyIPPool",
    plural = "proxyippools",
    shortname = "pip",
    category = "novaedge",
    status = "PoolStatus",
    derive = "PartialEq",
    doc = "A ProxyIPPool is a set of addresses that VIPs without an address of their own take one from.",
    printcolumn(name = "Total", type_ = "integer", json_path = ".status.total"),
    printcolumn(name = "Allocated", type_ = "integer", json_path = ".status.allocated"),
    printcolumn(name = "Available", type_ = "integer", json_path = ".status.available"),
    printcolumn(name = "Auto-Assign", type_ = "boolean", json_path = ".spec.autoAssign"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("(has(self.cidrs) && size(self.cidrs) > 0) || (has(self.addresses) && size(self.addresses) > 0)")
        .message("give at least one of cidrs and addresses")
)]
pub struct PoolSpec {
    /// Whole blocks, like 10.200.0.0/24 or 2001:db8::/112. Network and broadcast addresses of IPv4 blocks
    /// shorter than /31 and the IPv6 subnet-router anycast address are left out; /31, /32, /127 and /128
    /// are used whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cidrs: Vec<String>,
    /// Single addresses (10.200.1.10, 10.200.1.10/32, 2001:db8::10/128) and ranges
    /// (10.200.1.10-10.200.1.20).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// Whether VIPs may take any address. With false, an address is given only to a VIP that asks for it
    /// by value.
    #[serde(default = "yes")]
    pub auto_assign: bool,
    /// A freed address is not handed to somebody else before this, so that caches in routers and clients
    /// expire.
    #[serde(default = "reclaim_delay")]
    pub reclaim_delay: Duration,
}

fn reclaim_delay() -> Duration {
    Duration::from_secs(30)
}

/// What the pool has given out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PoolStatus {
    /// Usable addresses; saturates for huge IPv6 blocks.
    #[serde(default)]
    pub total: i64,
    /// Addresses that VIPs have.
    #[serde(default)]
    pub allocated: i64,
    /// Addresses that can be given out now.
    #[serde(default)]
    pub available: i64,
    /// Who has which address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allocations: Vec<PoolAllocation>,
    /// Addresses that VIPs have given back, until somebody else may have them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub released: Vec<PoolRelease>,
    /// Ready: the pool can be read and used. Overlaps: another pool has some of the same addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// One address that a VIP has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PoolAllocation {
    /// The address, without a prefix length.
    pub address: String,
    /// The ProxyVIP that has it.
    pub vip_ref: String,
    /// Since when.
    pub allocated_at: Time,
    /// The ProxyVIP's own spec writes the address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_value: bool,
}

/// One address that is nobody's yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PoolRelease {
    /// The address, without a prefix length.
    pub address: String,
    /// The ProxyVIP that had it, and gets it back if it returns in time.
    pub vip_ref: String,
    /// Since when it had it.
    pub allocated_at: Time,
    /// Since when it has it no more.
    pub released_at: Time,
}

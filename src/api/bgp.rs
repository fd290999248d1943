//! The `bgpConfig` block of a VIP: with whom and how it is announced.

use super::duration::Seconds;
use super::reference::SecretKeyRef;
use super::yes;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the VIP is announced by BGP. VIPs that name the same peer share one session and must agree
/// about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("has(self.localAS) != has(self.localASBase)")
        .message("give exactly one of localAS (all nodes share it) and localASBase (one AS per node)")
)]
pub struct BgpConfig {
    /// The AS number of every node.
    #[serde(rename = "localAS", default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub local_as: Option<u32>,
    /// For one AS per node: a node's AS is this plus the value of its annotation novaedge.io/asn-index.
    #[serde(rename = "localASBase", default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub local_as_base: Option<u32>,
    /// The BGP identifier, an IPv4 address. Used as written only when exactly one node is selected;
    /// otherwise, and when absent, each node uses its own address.
    #[serde(rename = "routerID", default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$"))]
    pub router_id: Option<String>,
    /// The routers to announce to. Without any, the operator's own sessions in the routing daemon are used
    /// and only the VIPs' prefixes are added there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub peers: Vec<BgpPeer>,
    /// Communities on the announcement: A:B (RFC 1997), A:B:C (large, RFC 8092) or a well-known name like
    /// no-export.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub communities: Vec<String>,
    /// LOCAL_PREF. Sent to peers of our own AS only (RFC 4271 §5.1.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_preference: Option<u32>,
    /// MULTI_EXIT_DISC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub med: Option<u32>,
    /// How many times the own AS is prepended to the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 10))]
    pub as_path_prepend: Option<u8>,
    /// Whether peers keep the routes while the routing daemon restarts (RFC 4724).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graceful_restart: Option<GracefulRestart>,
}

/// One BGP neighbour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("!(has(self.ebgpMultihop) && has(self.ttlSecurity))")
        .message("ebgpMultihop and ttlSecurity exclude each other (RFC 5082 expects a TTL of 255)")
)]
pub struct BgpPeer {
    /// The neighbour's IPv4 or IPv6 address.
    #[schemars(length(min = 2, max = 45))]
    pub address: String,
    /// The neighbour's AS number.
    #[schemars(range(min = 1))]
    pub r#as: u32,
    /// The neighbour's TCP port.
    #[serde(default = "bgp_port")]
    #[schemars(range(min = 1))]
    pub port: u16,
    /// The Secret with the session's TCP-MD5 password (RFC 2385). While it is missing, the session is not
    /// configured at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_secret_ref: Option<SecretKeyRef>,
    /// How long the neighbour may be silent, in seconds (90) or as a duration (90s). Default 9s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_time: Option<Seconds>,
    /// How often we say that we are alive; at most a third of holdTime, which is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keepalive_time: Option<Seconds>,
    /// Hops to a neighbour of another AS that is not on the segment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub ebgp_multihop: Option<u8>,
    /// Accept only packets that travelled at most this many hops (GTSM, RFC 5082).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 254))]
    pub ttl_security: Option<u8>,
    /// The address that the session, and its BFD session, is opened from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_address: Option<String>,
    /// The nodes that have this session; absent: all nodes of the VIP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_selector: Option<LabelSelector>,
}

fn bgp_port() -> u16 {
    179
}

/// Graceful restart (RFC 4724), for a restart of the routing daemon alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GracefulRestart {
    /// Whether it is offered to the peers. Writing the block asks for it.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// How long peers keep the routes, in seconds (120) or as a duration (2m); at most 4095s.
    #[serde(default = "restart_time")]
    pub restart_time: Seconds,
}

fn restart_time() -> Seconds {
    Seconds::new(120)
}

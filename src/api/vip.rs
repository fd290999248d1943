//! `ProxyVIP`: a stable address, and how it reaches the world.

use super::bfd::BfdConfig;
use super::bgp::BgpConfig;
use super::duration::Duration;
use super::ospf::OspfConfig;
use super::reference::NameRef;
use super::vip_status::VipStatus;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

// No field of this level has a default in the schema: a default would stand in the template's way.
/// A virtual IP. Every field that is absent comes from the template, if one is named.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "novaedge.io",
    version = "v1alpha1",
    kind = "ProxyVIP",
    plural = "proxyvips",
    shortname = "pvip",
    category = "novaedge",
    status = "VipStatus",
    derive = "PartialEq",
    doc = "A ProxyVIP is a stable address that nodes announce while they can serve it.",
    printcolumn(name = "Address", type_ = "string", json_path = ".status.addresses"),
    printcolumn(name = "Mode", type_ = "string", json_path = ".spec.mode"),
    printcolumn(name = "Active Node", type_ = "string", json_path = ".status.activeNode"),
    printcolumn(name = "Announcing", type_ = "string", json_path = ".status.announcingNodes"),
    printcolumn(name = "Healthy", type_ = "string", json_path = ".status.healthy"),
    printcolumn(name = "BFD", type_ = "string", json_path = ".status.bfdSessionState"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].status"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("has(self.mode) || has(self.templateRef)")
        .message("mode is required: L2ARP, BGP or OSPF (or a templateRef to a template that has it)"),
    validation = Rule::new("has(self.address) || has(self.ipv6Address) || has(self.poolRef) || has(self.templateRef)")
        .message("give address, ipv6Address or a poolRef to take an address from"),
    validation = Rule::new("!has(self.mode) || self.mode != 'BGP' || has(self.bgpConfig) || has(self.templateRef)")
        .message("mode BGP needs bgpConfig"),
    validation = Rule::new("!has(self.mode) || self.mode != 'OSPF' || has(self.ospfConfig) || has(self.templateRef)")
        .message("mode OSPF needs ospfConfig"),
    validation = Rule::new("!has(self.mode) || self.mode == 'L2ARP' || !(has(self.interface) || has(self.l2))")
        .message("interface and l2 belong to mode L2ARP"),
    validation = Rule::new("!has(self.addressFamily) || self.addressFamily != 'ipv4' || !has(self.ipv6Address)")
        .message("addressFamily ipv4 takes no ipv6Address; write dual to have both"),
    validation = Rule::new("!has(self.addressFamily) || self.addressFamily != 'dual' || (has(self.address) && has(self.ipv6Address)) || has(self.poolRef) || has(self.templateRef)")
        .message("addressFamily dual needs address and ipv6Address, or a poolRef for what is missing")
)]
pub struct VipSpec {
    /// How the address reaches the world. Required here or in the template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The ProxyVIPTemplate that every absent field of this spec is taken from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_ref: Option<NameRef>,
    /// The address, IPv4 or IPv6, with or without /32 or /128. A shorter prefix is refused: a VIP is a
    /// host route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 49))]
    #[x_kube(validation = Rule::new("!self.contains('/') || (self.contains(':') ? self.endsWith('/128') : self.endsWith('/32'))").message("a VIP is a host route: write /32 (IPv4) or /128 (IPv6), or no prefix length"))]
    pub address: Option<String>,
    /// The second address of a dual-stack VIP, or the only one of an IPv6 VIP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 49))]
    #[x_kube(validation = Rule::new("self.contains(':') && (!self.contains('/') || self.endsWith('/128'))").message("ipv6Address is an IPv6 host: write it with /128 or without a prefix length"))]
    pub ipv6_address: Option<String>,
    /// Which families the VIP has. Default: what the given addresses say, else ipv4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_family: Option<AddressFamily>,
    /// The ports that the VIP serves; nothing else of a node is reachable through it. Once a gateway or
    /// Service uses the VIP, all of them must be listening on a node before that node announces.
    #[schemars(length(min = 1), inner(range(min = 1)), extend("x-kubernetes-list-type" = "set"))]
    pub ports: Vec<u16>,
    /// The pool that gives the address, or both addresses, that are not written here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool_ref: Option<NameRef>,
    /// The nodes that may serve the VIP. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_selector: Option<LabelSelector>,
    /// When the VIP counts as degraded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_policy: Option<HealthPolicy>,
    /// The namespaces whose gateways and Services may use the VIP. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_namespaces: Option<Vec<String>>,
    /// Whether connections survive a change of the announcing nodes. Default: Auto.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_keeping: Option<FlowKeeping>,
    /// L2ARP only: the interface that answers for the address. Default: the one whose connected prefix
    /// contains it, else the default route's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 15))]
    pub interface: Option<String>,
    /// L2ARP only: how fast and how safe ownership moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub l2: Option<L2Config>,
    /// What makes a node leave, and how slowly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain: Option<Drain>,
    /// Whether a node withholds the VIP while no backend behind any of its listeners is healthy there.
    /// Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdraw_when_no_backends: Option<bool>,
    /// How BGP announces the VIP. Required for mode BGP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bgp_config: Option<BgpConfig>,
    /// How OSPF announces the VIP. Required for mode OSPF.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ospf_config: Option<OspfConfig>,
    /// Fast failure detection towards the routing peers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bfd: Option<BfdConfig>,
}

/// How the address reaches the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Mode {
    /// One node answers ARP and neighbour discovery for it.
    L2ARP,
    /// All eligible nodes announce it; the routers balance.
    #[serde(rename = "BGP")]
    Bgp,
    /// As BGP, for networks that route by OSPF.
    #[serde(rename = "OSPF")]
    Ospf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AddressFamily {
    Ipv4,
    Ipv6,
    Dual,
}

/// When the VIP counts as degraded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HealthPolicy {
    /// With fewer healthy nodes the VIP is Degraded, and nobody leaves voluntarily. Whoever is left
    /// keeps announcing.
    #[serde(default = "min_healthy_nodes")]
    #[schemars(range(min = 1))]
    pub min_healthy_nodes: u32,
}

fn min_healthy_nodes() -> u32 {
    1
}

/// Whether connections survive a change of the announcing nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FlowKeeping {
    /// Nodes hand segments of connections that they do not know to the node that owns them.
    #[default]
    Auto,
    Off,
}

/// How fast and how safe L2 ownership moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct L2Config {
    /// How long a silent owner keeps its right to the address: Default 1.5s, Fast 0.5s.
    #[serde(default)]
    pub profile: L2Profile,
    /// What an owner does that hears neither a leading controller nor a majority of its peers.
    #[serde(default)]
    pub on_isolation: OnIsolation,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum L2Profile {
    #[default]
    Default,
    Fast,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnIsolation {
    /// Gives up the address, so that there are never two owners.
    #[default]
    Fence,
    /// Keeps it; for estates of two nodes that prefer two owners over none.
    Keep,
}

/// What makes a node leave, and how slowly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Drain {
    /// What counts as a node's wish to leave. Write the field's name in quotes: "on" without them is the
    /// value true to YAML 1.1, and so to kubectl.
    #[serde(default = "all_triggers")]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub on: Vec<DrainTrigger>,
    /// How long a leaving node asks its peers to prefer others before it withdraws.
    #[serde(default = "drain_period")]
    pub period: Duration,
}

fn all_triggers() -> Vec<DrainTrigger> {
    vec![DrainTrigger::Cordon, DrainTrigger::NotReady, DrainTrigger::OutOfService, DrainTrigger::Annotation]
}

fn drain_period() -> Duration {
    Duration::from_secs(10)
}

impl Default for Drain {
    fn default() -> Self {
        Self { on: all_triggers(), period: drain_period() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DrainTrigger {
    /// spec.unschedulable of the Node.
    Cordon,
    /// The Node's Ready condition, while its agent still reports that it serves.
    NotReady,
    /// The taint node.kubernetes.io/out-of-service.
    OutOfService,
    /// The annotation novaedge.io/drain: "true" on the Node.
    Annotation,
}

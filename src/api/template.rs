//! `ProxyVIPTemplate`: what the VIPs of one estate share.

use super::bfd::BfdConfig;
use super::bgp::BgpConfig;
use super::ospf::OspfConfig;
use super::reference::NameRef;
use super::vip::{AddressFamily, Drain, FlowKeeping, HealthPolicy, L2Config, Mode, VipSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Marks the template that Services use which name none, as with storage classes.
pub const DEFAULT_TEMPLATE_ANNOTATION: &str = "novaedge.io/is-default-template";

/// A ProxyVIP's spec without what makes a VIP one of its own: its addresses and ports.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "novaedge.io",
    version = "v1alpha1",
    kind = "ProxyVIPTemplate",
    plural = "proxyviptemplates",
    shortname = "pvt",
    category = "novaedge",
    status = "TemplateStatus",
    derive = "PartialEq",
    doc = "A ProxyVIPTemplate holds what the VIPs of one estate share: peers, timers, BFD.",
    printcolumn(name = "Mode", type_ = "string", json_path = ".spec.mode"),
    printcolumn(name = "Pool", type_ = "string", json_path = ".spec.poolRef.name"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TemplateSpec {
    /// How the address reaches the world.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Which families a VIP has. Default: what its addresses say, else ipv4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_family: Option<AddressFamily>,
    /// The pool that gives the address, or both addresses, that a VIP does not write.
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

/// Whether the template can be used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateStatus {
    /// Accepted: the template can be used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

impl VipSpec {
    /// This spec with every absent top-level field taken from `template`. Blocks are taken whole,
    /// never merged field by field.
    #[must_use]
    pub fn inherit(self, template: &TemplateSpec) -> Self {
        let TemplateSpec {
            mode,
            address_family,
            pool_ref,
            node_selector,
            health_policy,
            allowed_namespaces,
            flow_keeping,
            interface,
            l2,
            drain,
            withdraw_when_no_backends,
            bgp_config,
            ospf_config,
            bfd,
        } = template.clone();
        Self {
            template_ref: self.template_ref,
            address: self.address,
            ipv6_address: self.ipv6_address,
            ports: self.ports,
            mode: self.mode.or(mode),
            address_family: self.address_family.or(address_family),
            pool_ref: self.pool_ref.or(pool_ref),
            node_selector: self.node_selector.or(node_selector),
            health_policy: self.health_policy.or(health_policy),
            allowed_namespaces: self.allowed_namespaces.or(allowed_namespaces),
            flow_keeping: self.flow_keeping.or(flow_keeping),
            interface: self.interface.or(interface),
            l2: self.l2.or(l2),
            drain: self.drain.or(drain),
            withdraw_when_no_backends: self.withdraw_when_no_backends.or(withdraw_when_no_backends),
            bgp_config: self.bgp_config.or(bgp_config),
            ospf_config: self.ospf_config.or(ospf_config),
            bfd: self.bfd.or(bfd),
        }
    }
}

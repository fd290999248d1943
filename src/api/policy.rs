//! `ProxyPolicy`: who may, how often, and under which headers.

use super::policy_rule::{BasicAuth, Cors, ForwardAuth, IpList, Jwt, RateLimit, SecurityHeaders};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One rule for everything that passes a gateway, a route or a backend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "novaedge.io",
    version = "v1alpha1",
    kind = "ProxyPolicy",
    plural = "proxypolicies",
    shortname = "ppol",
    category = "novaedge",
    namespaced,
    status = "PolicyStatus",
    derive = "PartialEq",
    doc = "A ProxyPolicy is one rule for everything that passes a gateway, a route or a backend.",
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.type"),
    printcolumn(name = "Target Kind", type_ = "string", json_path = ".spec.targetRef.kind"),
    printcolumn(name = "Target", type_ = "string", json_path = ".spec.targetRef.name"),
    printcolumn(
        name = "Accepted",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Accepted')].status"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("(self.type == 'RateLimit') == has(self.rateLimit)")
        .message("type RateLimit goes with the block rateLimit, and no other type does"),
    validation = Rule::new("(self.type == 'IPAllowList') == has(self.ipAllowList)")
        .message("type IPAllowList goes with the block ipAllowList, and no other type does"),
    validation = Rule::new("(self.type == 'IPDenyList') == has(self.ipDenyList)")
        .message("type IPDenyList goes with the block ipDenyList, and no other type does"),
    validation = Rule::new("(self.type == 'CORS') == has(self.cors)")
        .message("type CORS goes with the block cors, and no other type does"),
    validation = Rule::new("(self.type == 'JWT') == has(self.jwt)")
        .message("type JWT goes with the block jwt, and no other type does"),
    validation = Rule::new("(self.type == 'BasicAuth') == has(self.basicAuth)")
        .message("type BasicAuth goes with the block basicAuth, and no other type does"),
    validation = Rule::new("(self.type == 'ForwardAuth') == has(self.forwardAuth)")
        .message("type ForwardAuth goes with the block forwardAuth, and no other type does"),
    validation = Rule::new("(self.type == 'SecurityHeaders') == has(self.securityHeaders)")
        .message("type SecurityHeaders goes with the block securityHeaders, and no other type does")
)]
pub struct PolicySpec {
    /// What the policy holds for; in its own namespace.
    pub target_ref: TargetRef,
    /// What kind of rule; the block of that name says the rest.
    pub r#type: PolicyType,
    /// How often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// Only these clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_allow_list: Option<IpList>,
    /// Not these clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_deny_list: Option<IpList>,
    /// Which other sites' pages may ask (Fetch standard, CORS protocol).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cors: Option<Cors>,
    /// Only with a signed token (RFC 7519).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt: Option<Jwt>,
    /// Only with name and password (RFC 7617).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// Only what another service lets in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward_auth: Option<ForwardAuth>,
    /// Headers that tell browsers to be careful.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_headers: Option<SecurityHeaders>,
}

/// What the policy holds for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetRef {
    /// The target's kind.
    pub kind: TargetKind,
    /// The target's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum TargetKind {
    ProxyGateway,
    ProxyRoute,
    ProxyBackend,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum PolicyType {
    RateLimit,
    #[serde(rename = "IPAllowList")]
    IpAllowList,
    #[serde(rename = "IPDenyList")]
    IpDenyList,
    #[serde(rename = "CORS")]
    Cors,
    #[serde(rename = "JWT")]
    Jwt,
    BasicAuth,
    ForwardAuth,
    SecurityHeaders,
}

/// What became of the policy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyStatus {
    /// Accepted: the policy holds. ResolvedRefs: what it refers to exists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

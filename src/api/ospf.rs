//! The `ospfConfig` block of a VIP.

use super::reference::SecretKeyRef;
use super::secret::InlineSecret;
use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::net::Ipv4Addr;

/// How the VIP is announced by OSPF: OSPFv2 (RFC 2328) for IPv4, OSPFv3 (RFC 5340) for IPv6.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("!has(self.deadInterval) || !has(self.helloInterval) || self.deadInterval > self.helloInterval")
        .message("deadInterval must be larger than helloInterval (customarily four times)"),
    validation = Rule::new("!(has(self.authKey) && has(self.authKeySecretRef))")
        .message("give one of authKey and authKeySecretRef"),
    validation = Rule::new("(has(self.authType) && self.authType != 'none') == (has(self.authKey) || has(self.authKeySecretRef))")
        .message("authType simple and md5 need authKey or authKeySecretRef; authType none takes neither"),
    validation = Rule::new("!has(self.authKey) || !has(self.authType) || self.authType != 'md5' || size(self.authKey) <= 16")
        .message("an md5 authKey is at most 16 bytes long (RFC 2328 appendix D.4.3)"),
    validation = Rule::new("!has(self.authKey) || !has(self.authType) || self.authType != 'simple' || size(self.authKey) <= 8")
        .message("a simple authKey is at most 8 bytes long (RFC 2328 appendix D.4.2)")
)]
pub struct OspfConfig {
    /// The OSPF router id, an IPv4 address. Used as written only when exactly one node is selected;
    /// otherwise, and when absent, each node uses its own.
    #[serde(rename = "routerID", default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$"))]
    pub router_id: Option<String>,
    /// The area, as a number (0) or a dotted quad (0.0.0.0).
    #[serde(rename = "areaID")]
    pub area_id: AreaId,
    /// The cost of the VIP's host route.
    #[serde(default = "cost")]
    #[schemars(range(min = 1))]
    pub cost: u16,
    /// Seconds between hello packets; all routers of a segment must agree.
    #[serde(default = "hello_interval")]
    #[schemars(range(min = 1))]
    pub hello_interval: u16,
    /// Seconds of silence after which a neighbour counts as down.
    #[serde(default = "dead_interval")]
    #[schemars(range(min = 1))]
    pub dead_interval: u16,
    /// How packets are authenticated.
    #[serde(default)]
    pub auth_type: OspfAuth,
    /// The key itself; better kept in a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub auth_key: Option<InlineSecret>,
    /// The Secret with the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_key_secret_ref: Option<SecretKeyRef>,
    /// Whether neighbours keep the routes while the routing daemon restarts (RFC 3623, RFC 5187).
    #[serde(default)]
    pub graceful_restart: bool,
    /// The interfaces to speak OSPF on; absent: the one with the default route.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(length(min = 1, max = 15)))]
    pub interfaces: Vec<String>,
}

fn cost() -> u16 {
    10
}

fn hello_interval() -> u16 {
    10
}

fn dead_interval() -> u16 {
    40
}

/// How OSPF packets are authenticated (RFC 2328 appendix D).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OspfAuth {
    #[default]
    None,
    Simple,
    Md5,
}

/// An OSPF area. Reads a number or a dotted quad, prints as a dotted quad.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AreaId(u32);

impl AreaId {
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for AreaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Ipv4Addr::from(self.0), f)
    }
}

impl fmt::Debug for AreaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for AreaId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AreaId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberOrQuad)
    }
}

struct NumberOrQuad;

impl Visitor<'_> for NumberOrQuad {
    type Value = AreaId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an OSPF area like 0 or 0.0.0.0")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<AreaId, E> {
        u32::try_from(number).map(AreaId).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<AreaId, E> {
        u32::try_from(number).map(AreaId).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<AreaId, E> {
        let quad = text.parse::<Ipv4Addr>().map(u32::from).ok();
        quad.or_else(|| text.parse().ok())
            .map(AreaId)
            .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

impl JsonSchema for AreaId {
    fn schema_name() -> Cow<'static, str> {
        "AreaId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-kubernetes-int-or-string": true,
            "pattern": r"^([0-9]+|[0-9]{1,3}(\.[0-9]{1,3}){3})$",
        })
    }
}

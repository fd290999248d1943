//! `ProxyGateway`: what listens on a VIP.

use super::duration::Duration;
use super::listener::{Listener, RedirectScheme};
use super::size::Size;
use super::status_range::StatusRange;
use super::yes;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Listeners on one VIP, and what holds for all their traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "novaedge.io",
    version = "v1alpha1",
    kind = "ProxyGateway",
    plural = "proxygateways",
    shortname = "pgw",
    category = "novaedge",
    namespaced,
    status = "GatewayStatus",
    derive = "PartialEq",
    doc = "A ProxyGateway listens on the ports of a VIP and hands what arrives to its routes.",
    printcolumn(name = "VIP", type_ = "string", json_path = ".spec.vipRef"),
    printcolumn(name = "Address", type_ = "string", json_path = ".status.addresses"),
    printcolumn(
        name = "Accepted",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Accepted')].status"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GatewaySpec {
    /// The ProxyVIP to listen on.
    #[schemars(length(min = 1, max = 253))]
    pub vip_ref: String,
    /// What is accepted, port by port. Listeners of all gateways on one VIP share its ports: HTTP and HTTPS
    /// listeners of the same port merge by hostname; any other clash leaves the oldest in place.
    #[schemars(
        length(min = 1, max = 64),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub listeners: Vec<Listener>,
    /// Sends plaintext HTTP requests of all listeners elsewhere, usually to HTTPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_scheme: Option<RedirectScheme>,
    /// Compresses responses for clients that accept it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
    /// Writes a line per request or connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_log: Option<AccessLog>,
    /// Bodies for errors that the proxy itself answers with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub custom_error_pages: Vec<ErrorPage>,
}

/// Compresses responses for clients that accept it (RFC 9110 §8.4.1, §12.5.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Compression {
    /// Whether it is on. Writing the block asks for it.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// In the order of our preference.
    #[serde(default = "all_algorithms")]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub algorithms: Vec<Algorithm>,
    /// Smaller bodies are sent as they are.
    #[serde(default = "min_size")]
    pub min_size: Size,
    /// The effort, in the algorithm's own scale: gzip 1..9, br 0..11, zstd 1..19. Default: a fast one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 19))]
    pub level: Option<u8>,
    /// Media types that are left alone, like image/*. What is compressed already is left alone anyway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude_types: Vec<String>,
}

fn all_algorithms() -> Vec<Algorithm> {
    vec![Algorithm::Zstd, Algorithm::Br, Algorithm::Gzip]
}

fn min_size() -> Size {
    Size::bytes(1024)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    Gzip,
    Br,
    Zstd,
}

/// A line per request (HTTP) or connection (TCP, TLS, UDP).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessLog {
    /// Whether it is on. Writing the block asks for it.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// How a line looks.
    #[serde(default)]
    pub format: LogFormat,
    /// The file on the node that lines are appended to. Default: the agent's standard output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^/.+$"))]
    pub path: Option<String>,
    /// Share of the requests that are logged, in percent; errors (5xx) always are.
    #[serde(default = "all_percent")]
    #[schemars(range(min = 1, max = 100))]
    pub sample_percent: u8,
    /// Requests that were answered faster, and without an error, are not logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_duration: Option<Duration>,
}

fn all_percent() -> u8 {
    100
}

/// How a line of the access log looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Json,
    /// Apache's and nginx's "combined".
    Combined,
}

/// The body for errors that the proxy itself answers with; a backend's own errors pass unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ErrorPage {
    /// Status codes (503) and ranges (500-599).
    #[schemars(length(min = 1))]
    pub statuses: Vec<StatusRange>,
    /// The media type of the body.
    #[serde(default = "html")]
    pub content_type: String,
    /// The body itself.
    #[schemars(length(max = 65536))]
    pub body: String,
}

fn html() -> String {
    "text/html; charset=utf-8".to_owned()
}

/// What became of the gateway.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayStatus {
    /// The VIP's addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// Every listener's own state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub listeners: Vec<ListenerStatus>,
    /// Accepted: the gateway can be used. Programmed: nodes listen for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// What became of one listener.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListenerStatus {
    /// The listener.
    pub name: String,
    /// How many routes it serves.
    #[serde(default)]
    pub attached_routes: i32,
    /// Accepted, Conflicted, ResolvedRefs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

//! `ProxyRoute`: which requests go where.

use super::duration::Duration;
use super::route_filter::{Filter, Mirror};
use super::size::Size;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rules that send requests of some hostnames to backends, with Gateway API's meaning and precedence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "novaedge.io",
    version = "v1alpha1",
    kind = "ProxyRoute",
    plural = "proxyroutes",
    shortname = "prt",
    category = "novaedge",
    namespaced,
    status = "RouteStatus",
    derive = "PartialEq",
    doc = "A ProxyRoute sends what a gateway accepts to backends, by hostname, path, method, headers and query.",
    printcolumn(name = "Hostnames", type_ = "string", json_path = ".spec.hostnames"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RouteSpec {
    /// Hostnames, like www.example.com or *.example.com. Default: all that the listener answers to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub hostnames: Vec<String>,
    /// The gateways, or single listeners, that the route belongs to. Default: every HTTP and HTTPS listener
    /// of the gateways in its own namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub parent_refs: Vec<ParentRef>,
    /// What goes where. Precedence: longest hostname, exact path, longest path prefix, regular expression,
    /// method, most headers, most query parameters, oldest route, name.
    #[schemars(length(min = 1, max = 64))]
    pub rules: Vec<RouteRule>,
}

/// A gateway, or one of its listeners.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ParentRef {
    /// The ProxyGateway's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The ProxyGateway's namespace. Default: the route's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Only the listener of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section_name: Option<String>,
    /// Only listeners of this port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
}

/// What is matched, changed on the way, and where it goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("size(self.backendRefs) > 0 || (has(self.filters) && self.filters.exists(f, f.type == 'RequestRedirect'))")
        .message("a rule needs backendRefs, or a filter of type RequestRedirect")
)]
pub struct RouteRule {
    /// Any one of them must match. Default: every request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub matches: Vec<Match>,
    /// What is changed on the way, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub filters: Vec<Filter>,
    /// Where requests go, by weight.
    #[schemars(length(max = 16))]
    pub backend_refs: Vec<BackendRef>,
    /// When a failed request is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// From the request's last byte of headers to the response's first. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// Sends a copy of each request elsewhere; the answer to the copy is thrown away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<Mirror>,
    /// Larger request bodies are answered with 413, like 10Mi. Default: the listener's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_request_body_size: Option<Size>,
}

/// All of it must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Match {
    /// The path. Default: every path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathMatch>,
    /// Headers that must be there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub headers: Vec<ValueMatch>,
    /// Query parameters that must be there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub query_params: Vec<ValueMatch>,
    /// The method. Default: every method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
}

/// A path and how it is compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("(has(self.type) && self.type == 'RegularExpression') || !has(self.value) || self.value.startsWith('/')")
        .message("a path begins with /")
)]
pub struct PathMatch {
    /// PathPrefix compares whole elements: /api matches /api/x, never /apiary.
    #[serde(default)]
    pub r#type: PathMatchType,
    /// What it is compared with.
    #[serde(default = "root")]
    #[schemars(length(max = 1024))]
    pub value: String,
}

fn root() -> String {
    "/".to_owned()
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PathMatchType {
    Exact,
    #[default]
    PathPrefix,
    RegularExpression,
}

/// A header or query parameter and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ValueMatch {
    /// How the value is compared.
    #[serde(default)]
    pub r#type: ValueMatchType,
    /// The header's name, whatever its case, or the parameter's.
    #[schemars(length(min = 1, max = 256))]
    pub name: String,
    /// What it is compared with.
    #[schemars(length(max = 4096))]
    pub value: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ValueMatchType {
    #[default]
    Exact,
    RegularExpression,
}

/// A request method (RFC 9110 §9, RFC 5789).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Connect,
    Options,
    Trace,
    Patch,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
            Self::Patch => "PATCH",
        }
    }
}

/// A backend and its share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackendRef {
    /// The ProxyBackend's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The ProxyBackend's namespace. Default: the route's. Another one must allow it by the annotation
    /// novaedge.io/allow-from on the backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its share relative to the others; 0 gets no traffic.
    #[serde(default = "one")]
    #[schemars(range(max = 1_000_000))]
    pub weight: u32,
}

fn one() -> u32 {
    1
}

/// When a failed request is tried again. Only requests whose body was not yet consumed are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retry {
    /// Tries after the first one.
    #[serde(default = "max_retries")]
    #[schemars(range(max = 10))]
    pub max_retries: u32,
    /// What counts as a failure. Default: connection-failure and refused-stream, which no backend has seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retry_on: Vec<RetryOn>,
    /// How long one try may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_try_timeout: Option<Duration>,
    /// The pause before the first retry, doubled (with jitter) before each further one. Default: 25ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff_base: Option<Duration>,
    /// Retries under way may be at most this share of all requests, 0.2 = 20 %.
    #[serde(default = "retry_budget")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub retry_budget: f64,
    /// The methods that may be tried again. Default: the idempotent ones (RFC 9110 §9.2.2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retry_methods: Vec<Method>,
}

fn max_retries() -> u32 {
    3
}

fn retry_budget() -> f64 {
    0.2
}

/// What counts as a failure worth another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("enum" = ["5xx", "gateway-error", "connection-failure", "connect-failure", "reset", "refused-stream", "retriable-4xx"]))]
#[serde(rename_all = "kebab-case")]
pub enum RetryOn {
    #[serde(rename = "5xx")]
    ServerError,
    GatewayError,
    #[serde(alias = "connect-failure")]
    ConnectionFailure,
    Reset,
    RefusedStream,
    #[serde(rename = "retriable-4xx")]
    Retriable4xx,
}

/// What became of the route.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteStatus {
    /// What each gateway made of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<RouteParentStatus>,
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// What one gateway made of the route.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteParentStatus {
    /// The gateway.
    pub parent_ref: ParentRef,
    /// Accepted, ResolvedRefs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

//! `ProxyBackend`: where requests and connections go.

use super::backend_tuning::{
    BackendTls, CircuitBreaker, ConnectionPool, HealthCheck, SessionAffinity, UpstreamProxyProtocol,
};
use super::duration::Duration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A group of endpoints that serve the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "novaedge.io",
    version = "v1alpha1",
    kind = "ProxyBackend",
    plural = "proxybackends",
    shortname = "pbk",
    category = "novaedge",
    namespaced,
    status = "BackendStatus",
    derive = "PartialEq",
    doc = "A ProxyBackend is a group of endpoints that serve the same, with the rules for choosing and checking them.",
    printcolumn(name = "Service", type_ = "string", json_path = ".spec.serviceRef.name"),
    printcolumn(name = "LB Policy", type_ = "string", json_path = ".spec.lbPolicy"),
    printcolumn(name = "Healthy", type_ = "string", json_path = ".status.healthy"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("has(self.serviceRef) != (has(self.endpoints) && size(self.endpoints) > 0)")
        .message("give exactly one of serviceRef and endpoints")
)]
pub struct BackendSpec {
    /// The Service whose ready endpoints are used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_ref: Option<ServiceRef>,
    /// The endpoints themselves, where no Service knows them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<Endpoint>,
    /// Cluster: every node uses all endpoints. Local: a node uses, and counts as healthy, only its own.
    #[serde(default)]
    pub traffic_policy: TrafficPolicy,
    /// How an endpoint is chosen.
    #[serde(default)]
    pub lb_policy: LbPolicy,
    /// How long opening a connection to an endpoint may take.
    #[serde(default = "connect_timeout")]
    pub connect_timeout: Duration,
    /// How long an unused upstream connection is kept; for TCP and UDP, how long a quiet flow is.
    #[serde(default = "idle_timeout")]
    pub idle_timeout: Duration,
    /// What the endpoints speak.
    #[serde(default)]
    pub protocol: BackendProtocol,
    /// TLS towards the endpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<BackendTls>,
    /// How many connections are kept, and for how long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_pool: Option<ConnectionPool>,
    /// Keeps a client on one endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_affinity: Option<SessionAffinity>,
    /// How long an endpoint that became healthy takes to get its full share, like 30s. Default: no time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_start: Option<Duration>,
    /// Tells the endpoints who the client is, by a PROXY protocol header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_proxy_protocol: Option<UpstreamProxyProtocol>,
    /// Asks the endpoints whether they are well. Without it, they are while connections to them succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// Stops sending to endpoints that fail, and bounds what may be under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circuit_breaker: Option<CircuitBreaker>,
}

fn connect_timeout() -> Duration {
    Duration::from_secs(2)
}

fn idle_timeout() -> Duration {
    Duration::from_secs(60)
}

/// A port of a Service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceRef {
    /// The Service's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The Service's namespace. Default: the backend's. Another one must allow it by the annotation
    /// novaedge.io/allow-from on the Service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The Service's port.
    #[schemars(range(min = 1))]
    pub port: u16,
}

/// One endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Endpoint {
    /// Its IPv4 or IPv6 address.
    #[schemars(length(min = 2, max = 45))]
    pub address: String,
    /// Its port.
    #[schemars(range(min = 1))]
    pub port: u16,
    /// Its share relative to the others; 0 gets no traffic.
    #[serde(default = "one")]
    #[schemars(range(max = 1_000_000))]
    pub weight: u32,
    /// The node it runs on, for trafficPolicy Local.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_name: Option<String>,
}

fn one() -> u32 {
    1
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TrafficPolicy {
    #[default]
    Cluster,
    Local,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LbPolicy {
    /// In turn, by weight.
    #[default]
    RoundRobin,
    /// The endpoint with the fewest requests under way.
    LeastConn,
    /// The better of two random endpoints, by requests under way.
    P2C,
    /// The better of two random endpoints, by recent latency and requests under way.
    #[serde(rename = "EWMA")]
    Ewma,
    /// Consistent hashing on a ring.
    RingHash,
    /// Consistent hashing by Maglev's table.
    Maglev,
    /// By the client's address.
    SourceHash,
    /// By the session of sessionAffinity.
    Sticky,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum BackendProtocol {
    /// HTTP/1.1.
    #[default]
    #[serde(rename = "HTTP")]
    Http,
    /// HTTP/2 or HTTP/1.1 over TLS.
    #[serde(rename = "HTTPS")]
    Https,
    /// HTTP/2 without TLS, by prior knowledge (RFC 9113 §3.3).
    H2C,
    /// gRPC: HTTP/2, over TLS when tls is given.
    #[serde(rename = "gRPC")]
    Grpc,
    #[serde(rename = "TCP")]
    Tcp,
    #[serde(rename = "UDP")]
    Udp,
}

/// How the endpoints are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackendStatus {
    /// Healthy of all endpoints, like 3/4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy: Option<String>,
    /// Accepted: the backend can be used. ResolvedRefs: what it refers to exists and allows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

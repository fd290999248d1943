//! The blocks of a backend: TLS, pooling, affinity, health checks, circuit breaking.

use super::duration::Duration;
use super::listener::TlsVersion;
use super::reference::SecretRef;
use super::status_range::StatusRange;
use super::yes;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// TLS towards the endpoints.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackendTls {
    /// The name that the endpoints' certificates must carry, also sent as SNI. Default: the request's host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// The Secret whose key ca.crt holds the authorities to trust. Default: the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_secret_ref: Option<SecretRef>,
    /// The Secret (kubernetes.io/tls) with the certificate that we show to the endpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate_ref: Option<SecretRef>,
    /// The oldest version that is spoken.
    #[serde(default)]
    pub min_version: TlsVersion,
    /// Accept any certificate. The traffic is then encrypted, to whomever.
    #[serde(default)]
    pub insecure_skip_verify: bool,
}

/// How many upstream connections are kept, and for how long.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConnectionPool {
    /// Unused connections kept per endpoint and node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_idle_per_endpoint: Option<u32>,
    /// Requests after which a connection is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_requests_per_connection: Option<u32>,
    /// The age at which a connection is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_lifetime: Option<Duration>,
}

/// Keeps a client on one endpoint while it is healthy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("self.type != 'Header' || has(self.name)")
        .message("type Header needs the header's name")
)]
pub struct SessionAffinity {
    /// What the client is recognized by.
    pub r#type: AffinityType,
    /// The cookie's name (default NOVAEDGE), or the header's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The path that the cookie is for. Default: /.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How long the cookie lives. Default: until the browser is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AffinityType {
    Cookie,
    Header,
    ClientIP,
}

/// A PROXY protocol header at the start of every upstream connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpstreamProxyProtocol {
    /// Whether the header is sent. Writing the block asks for it.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// 1: text, TCP only. 2: binary.
    #[serde(default = "version_two")]
    #[schemars(extend("enum" = [1, 2]))]
    pub version: u8,
}

fn version_two() -> u8 {
    2
}

/// An active check of each endpoint. Without httpPath it is a TCP connection that opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("!(has(self.tcp) && self.tcp && has(self.httpPath))")
        .message("give httpPath for a check by HTTP or tcp: true for a check by connection, not both"),
    validation = Rule::new("!has(self.expectedStatuses) || has(self.httpPath)")
        .message("expectedStatuses belongs to a check by HTTP; give httpPath"),
    validation = Rule::new("!has(self.timeout) || !has(self.interval) || duration(self.timeout) <= duration(self.interval)")
        .message("timeout must not be longer than interval")
)]
pub struct HealthCheck {
    /// From the start of one check to the start of the next.
    #[serde(default = "interval")]
    pub interval: Duration,
    /// A check that takes longer has failed.
    #[serde(default = "timeout")]
    pub timeout: Duration,
    /// Good checks in a row after which an unhealthy endpoint is used again.
    #[serde(default = "healthy_threshold")]
    #[schemars(range(min = 1))]
    pub healthy_threshold: u32,
    /// Failed checks in a row after which a healthy endpoint is no longer used.
    #[serde(default = "unhealthy_threshold")]
    #[schemars(range(min = 1))]
    pub unhealthy_threshold: u32,
    /// The path that is asked for by GET.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^/\S*$"))]
    pub http_path: Option<String>,
    /// The statuses of a good answer: codes (200) and ranges (200-299). Default: 200-299.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected_statuses: Vec<StatusRange>,
    /// Check by opening a connection only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<bool>,
}

fn interval() -> Duration {
    Duration::from_secs(10)
}

fn timeout() -> Duration {
    Duration::from_secs(5)
}

fn healthy_threshold() -> u32 {
    2
}

fn unhealthy_threshold() -> u32 {
    3
}

/// Stops sending to endpoints that fail, and bounds what may be under way on a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CircuitBreaker {
    /// Failures in a row (5xx, no answer, no connection) after which an endpoint is ejected.
    #[serde(default = "consecutive_failures")]
    #[schemars(range(min = 1))]
    pub consecutive_failures: u32,
    /// How often ejected endpoints are looked at for their return.
    #[serde(default = "interval")]
    pub interval: Duration,
    /// How long an endpoint is ejected, times the number of its ejections.
    #[serde(default = "base_ejection_time")]
    pub base_ejection_time: Duration,
    /// At most this share of the endpoints is ejected at a time.
    #[serde(default = "max_ejection_percent")]
    #[schemars(range(max = 100))]
    pub max_ejection_percent: u8,
    /// Connections open to all endpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connections: Option<u32>,
    /// Requests that wait for a connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_pending_requests: Option<u32>,
    /// Requests under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_requests: Option<u32>,
    /// Retries under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u32>,
}

fn consecutive_failures() -> u32 {
    5
}

fn base_ejection_time() -> Duration {
    Duration::from_secs(30)
}

fn max_ejection_percent() -> u8 {
    50
}

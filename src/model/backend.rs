//! Upstream groups: where requests and connections go. Never a routing daemon.

use super::name::Name;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    pub address: SocketAddr,
    /// Share relative to its siblings; 0 gets no traffic.
    pub weight: u32,
    /// The node it runs on, for `trafficPolicy: Local`.
    pub node: Option<Name>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LbPolicy {
    RoundRobin,
    /// Power of two choices by outstanding requests.
    P2c,
    /// Power of two choices by peak-EWMA latency × outstanding requests.
    Ewma,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UpstreamProtocol {
    Http1,
    /// HTTP/2 over cleartext with prior knowledge (RFC 9113 §3.3).
    H2c,
    Tcp,
}

/// An active check of each endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    pub interval: Duration,
    pub timeout: Duration,
    pub healthy_threshold: u32,
    pub unhealthy_threshold: u32,
    pub probe: Probe,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Probe {
    /// A TCP connection that opens.
    Connect,
    /// `GET path` that answers with one of the statuses (inclusive ranges).
    Http { path: String, expected: Vec<(NonZeroU16, NonZeroU16)> },
}

/// A backend as this node uses it: with `trafficPolicy: Local`, `endpoints` holds the node's own only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backend {
    pub endpoints: Vec<Endpoint>,
    pub policy: LbPolicy,
    pub protocol: UpstreamProtocol,
    pub connect_timeout: Duration,
    /// A kept upstream connection unused for so long is closed; on TCP listeners, a quiet pair of
    /// connections too.
    pub idle_timeout: Duration,
    /// `None`: endpoints count as healthy until a connection to them fails.
    pub health_check: Option<HealthCheck>,
}

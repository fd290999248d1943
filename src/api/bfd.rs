//! The `bfd` block of a VIP: how fast a silent peer is noticed.

use super::duration::Duration;
use super::yes;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Bidirectional Forwarding Detection (RFC 5880) towards the VIP's routing peers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("!(has(self.echoMode) && self.echoMode && has(self.multihop) && self.multihop)")
        .message("echoMode works over a single hop only (RFC 5883); switch off echoMode or multihop")
)]
pub struct BfdConfig {
    /// Whether sessions are kept. Writing the block asks for them.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// How many packets in a row may be missing before the peer counts as down.
    #[serde(default = "detect_multiplier")]
    #[schemars(range(min = 1))]
    pub detect_multiplier: u8,
    /// The interval at which we would like to send, 10ms to 60s.
    #[serde(default = "interval")]
    #[x_kube(validation = Rule::new("duration(self) >= duration('10ms') && duration(self) <= duration('60s')").message("a BFD interval is 10ms to 60s"))]
    pub desired_min_tx_interval: Duration,
    /// The shortest interval at which we are willing to receive, 10ms to 60s.
    #[serde(default = "interval")]
    #[x_kube(validation = Rule::new("duration(self) >= duration('10ms') && duration(self) <= duration('60s')").message("a BFD interval is 10ms to 60s"))]
    pub required_min_rx_interval: Duration,
    /// Send echo packets that the peer's forwarding plane loops back (RFC 5880 §6.4).
    #[serde(default)]
    pub echo_mode: bool,
    /// The peer is more than one hop away (RFC 5883).
    #[serde(default)]
    pub multihop: bool,
}

fn detect_multiplier() -> u8 {
    3
}

fn interval() -> Duration {
    Duration::from_millis(300)
}

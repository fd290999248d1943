//! The parts of FRR's JSON that we read.

pub mod ospf;

use crate::model::net::HostRoute;
use crate::model::observed::{BfdObserved, BfdState, PeerObserved, PeerState};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// `show bgp summary json`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    ipv4_unicast: Option<FamilySummary>,
    ipv6_unicast: Option<FamilySummary>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FamilySummary {
    table_version: u64,
    #[serde(default)]
    peers: BTreeMap<String, PeerSummary>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PeerSummary {
    remote_as: u32,
    local_as: u32,
    peer_uptime_msec: u64,
    pub pfx_rcd: u64,
    #[serde(default)]
    pub pfx_snt: u64,
    state: String,
    connections_dropped: u64,
}

impl Summary {
    /// The counters that rise with every change of a best path; `None` when bgpd does not print both.
    pub fn table_versions(&self) -> Option<(u64, u64)> {
        Some((self.ipv4_unicast.as_ref()?.table_version, self.ipv6_unicast.as_ref()?.table_version))
    }

    pub fn peers(&self) -> impl Iterator<Item = (&String, &PeerSummary)> {
        [&self.ipv4_unicast, &self.ipv6_unicast].into_iter().flatten().flat_map(|family| &family.peers)
    }
}

impl PeerSummary {
    pub fn observed(&self, detail: Option<&NeighborDetail>) -> PeerObserved {
        let state = state(&self.state);
        let up = state == PeerState::Established;
        PeerObserved {
            asn: self.remote_as,
            local_asn: self.local_as,
            state,
            uptime_seconds: if up { self.peer_uptime_msec / 1000 } else { 0 },
            prefixes_sent: self.pfx_snt,
            prefixes_received: self.pfx_rcd,
            flaps: self.connections_dropped,
            last_error: detail.filter(|_| !up).and_then(NeighborDetail::last_error),
        }
    }
}

/// FRR also prints `Clearing`, `Deleted` and `Idle (Admin)`: nothing is spoken in any of them.
fn state(name: &str) -> PeerState {
    match name {
        "Established" => PeerState::Established,
        "OpenConfirm" => PeerState::OpenConfirm,
        "OpenSent" => PeerState::OpenSent,
        "Active" => PeerState::Active,
        "Connect" => PeerState::Connect,
        _ => PeerState::Idle,
    }
}

/// One neighbour of `show bgp neighbors json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NeighborDetail {
    last_reset_due_to: Option<String>,
    last_notification_reason: Option<String>,
}

impl NeighborDetail {
    fn last_error(&self) -> Option<String> {
        match (&self.last_reset_due_to, &self.last_notification_reason) {
            (Some(reset), Some(notification)) => Some(format!("{reset}: {notification}")),
            (Some(one), None) | (None, Some(one)) => Some(one.clone()),
            (None, None) => None,
        }
    }
}

/// `show bgp ipv4 unicast json`
#[derive(Debug, Default, Deserialize)]
pub struct Table {
    #[serde(default)]
    routes: BTreeMap<String, Vec<Path>>,
}

#[derive(Debug, Deserialize)]
struct Path {
    #[serde(default)]
    valid: bool,
    #[serde(default)]
    bestpath: bool,
    #[serde(rename = "peerId")]
    peer: Option<String>,
}

impl Table {
    /// Host routes whose best path is our speaker's own.
    pub fn originated(&self) -> impl Iterator<Item = HostRoute> {
        let own = |path: &Path| path.valid && path.bestpath && path.peer.as_deref() == Some("(unspec)");
        self.routes
            .iter()
            .filter(move |(_, paths)| paths.iter().any(own))
            .filter_map(|(prefix, _)| HostRoute::parse(prefix).ok())
    }
}

/// One session of `show bfd peers json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BfdSession {
    peer: String,
    local: Option<IpAddr>,
    interface: Option<String>,
    multihop: bool,
    status: String,
    uptime: Option<u64>,
    diagnostic: Option<String>,
    remote_diagnostic: Option<String>,
    transmit_interval: u32,
    receive_interval: u32,
    #[serde(default)]
    remote_receive_interval: u32,
    #[serde(default)]
    remote_transmit_interval: u32,
    echo_transmit_interval: Option<u32>,
    detect_multiplier: u8,
    #[serde(default)]
    remote_detect_multiplier: u8,
}

impl BfdSession {
    /// The peer has taken its side down on purpose.
    pub fn is_shut_by_peer(&self) -> bool {
        self.remote_diagnostic.as_deref() == Some("administratively down")
    }

    pub fn observed(self) -> Option<(IpAddr, BfdObserved)> {
        let peer = self.peer.parse().ok()?;
        let observed = BfdObserved {
            state: match self.status.as_str() {
                "up" => BfdState::Up,
                "init" => BfdState::Init,
                "shutdown" => BfdState::AdminDown,
                _ => BfdState::Down,
            },
            local: self.local,
            interface: self.interface,
            multihop: self.multihop,
            uptime_seconds: self.uptime.unwrap_or(0),
            diagnostic: self.diagnostic.filter(|diagnostic| diagnostic != "ok"),
            // RFC 5880 §6.8.2: each side sends no faster than the other is willing to hear.
            transmit_interval_ms: self.transmit_interval.max(self.remote_receive_interval),
            receive_interval_ms: self.receive_interval.max(self.remote_transmit_interval),
            detect_multiplier: self.detect_multiplier,
            remote_detect_multiplier: self.remote_detect_multiplier,
            echo_interval_ms: self.echo_transmit_interval.filter(|interval| *interval > 0),
        };
        Some((peer, observed))
    }
}

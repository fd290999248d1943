//! What the outside says. Drivers fill these; nothing here is a wish.

use super::adjacency::{Neighbor, NeighborId};
use super::listener::ListenerKey;
use super::name::Key;
use super::net::HostRoute;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Which routing daemon, as it names itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonVersion {
    /// `frr`, `bird` or `gobgp`.
    pub name: String,
    /// As the daemon prints it, e.g. `8.4.4`.
    pub version: String,
}

/// What the routing daemon has and does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// `None`: it does not answer; see `trouble`.
    pub daemon: Option<DaemonVersion>,
    pub peers: BTreeMap<IpAddr, PeerObserved>,
    /// OSPF neighbours.
    #[serde(default)]
    pub neighbors: BTreeMap<NeighborId, Neighbor>,
    /// Host routes of ours that the daemon holds as valid paths (and so sends to peers that are up).
    pub announced: BTreeSet<HostRoute>,
    /// BFD sessions by peer address.
    pub bfd: BTreeMap<IpAddr, BfdObserved>,
    /// What keeps the daemon from doing all of the plan, in its own words where it has some.
    pub trouble: Option<String>,
    /// Host routes that the daemon refused, with its words.
    pub refused: BTreeMap<HostRoute, String>,
    /// Times since the agent's start that a daemon was found restarted and was set up again.
    pub restarts: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerObserved {
    pub asn: u32,
    pub local_asn: u32,
    pub state: PeerState,
    /// Seconds in `Established`; 0 otherwise.
    pub uptime_seconds: u64,
    pub prefixes_sent: u64,
    pub prefixes_received: u64,
    /// Sessions lost since the daemon's start.
    pub flaps: u64,
    pub last_error: Option<String>,
}

/// RFC 4271 §8.2.2, by the names that FRR and BIRD print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PeerState {
    Idle,
    Connect,
    Active,
    OpenSent,
    OpenConfirm,
    Established,
}

impl fmt::Display for PeerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BfdObserved {
    pub state: BfdState,
    pub local: Option<IpAddr>,
    pub interface: Option<String>,
    pub multihop: bool,
    pub uptime_seconds: u64,
    pub diagnostic: Option<String>,
    /// Negotiated transmit interval in ms, and the remote's detection multiplier.
    pub transmit_interval_ms: u32,
    pub receive_interval_ms: u32,
    pub detect_multiplier: u8,
    pub remote_detect_multiplier: u8,
    /// `None`: no echo packets are sent.
    pub echo_interval_ms: Option<u32>,
}

/// RFC 5880 §4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum BfdState {
    AdminDown,
    Down,
    Init,
    Up,
}

impl fmt::Display for BfdState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// An address of the node itself, by which others on the link reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OwnAddress {
    /// The kernel's index of the interface.
    pub interface: u32,
    pub address: IpAddr,
    pub prefix_len: u8,
}

/// What the kernel holds for us.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Addresses of ours that are alive now.
    pub addresses: BTreeSet<HostRoute>,
    /// The node's own addresses, of global scope and not on the loopback device.
    #[serde(default)]
    pub own: BTreeSet<OwnAddress>,
    /// Addresses that the kernel refused, with its words.
    pub refused: BTreeMap<HostRoute, String>,
    /// What keeps the driver from working at all.
    pub trouble: Option<String>,
}

/// The exposure table: which addresses only their served ports can reach.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guarded {
    pub addresses: BTreeSet<IpAddr>,
    pub trouble: Option<String>,
}

/// What the proxy has bound and what it thinks of its upstreams.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    pub listeners: BTreeMap<ListenerKey, ListenerState>,
    pub backends: BTreeMap<Key, BackendHealth>,
    /// Client connections that are open, and requests or byte streams in flight.
    pub connections: u64,
    pub in_flight: u64,
    /// The same by VIP address, where there are any.
    #[serde(default)]
    pub traffic: BTreeMap<IpAddr, Traffic>,
}

/// What clients have open at one address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    pub connections: u64,
    pub in_flight: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state")]
pub enum ListenerState {
    Bound,
    /// Another process has the port; `holder` names it when it can be found.
    PortInUse {
        holder: Option<String>,
    },
    Failed {
        error: String,
    },
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackendHealth {
    pub endpoints: BTreeMap<SocketAddr, EndpointHealth>,
}

impl BackendHealth {
    pub fn healthy(&self) -> usize {
        self.endpoints.values().filter(|health| **health == EndpointHealth::Healthy).count()
    }

    /// Nobody knows yet: no endpoint is healthy, and some have not been asked.
    pub fn unknown(&self) -> bool {
        self.healthy() == 0 && self.endpoints.values().any(|health| *health == EndpointHealth::Unknown)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EndpointHealth {
    Unknown,
    Healthy,
    Unhealthy,
}

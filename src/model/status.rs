//! How a node is doing, as `novaedge-agent status` prints it and a controller will collect it.

use super::adjacency::{NeighborId, NeighborState};
use super::leaving::{Cause, Hold};
use super::name::Name;
use super::net::{HostRoute, Port};
use super::observed::{Observed, Served};
use super::ospf::Version;
use super::term::Term;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// ```text
/// Idle ──▶ Preparing ──▶ Ready ──▶ Announced ──▶ Draining ──▶ Withdrawn
///            ▲             │           │
///            └─────────────┴───────────┘  (a reason appears)
/// ```
///
/// * `Idle`: no snapshot yet.
/// * `Preparing`: something is missing; the reasons say what.
/// * `Ready`: this node can serve the VIP, and the route is on its way.
/// * `Announced`: the daemon has the prefix and at least one peer is up, or one neighbour Full.
/// * `Draining`: still served, new traffic is being sent elsewhere.
/// * `Withdrawn`: the route is gone for a voluntary reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Phase {
    Idle,
    Preparing,
    Ready,
    Announced,
    Draining,
    Withdrawn,
}

/// Why a VIP is withheld here, or announced with a flaw. [`Reason::name`] is the machine's word for it
/// (CamelCase, as in Kubernetes conditions), `Display` the sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason")]
pub enum Reason {
    #[error("no complete snapshot has been read yet")]
    NoSnapshot,
    #[error("port {port} is held by {}; stop it there or give the VIP another port", .holder.as_deref().unwrap_or("another process"))]
    PortInUse { port: Port, holder: Option<String> },
    #[error("port {port} is not bound yet")]
    PortNotBound { port: Port },
    #[error("port {port} cannot be bound: {error}")]
    PortFailed { port: Port, error: String },
    #[error("the address {address} is not on this node yet{}", .error.as_ref().map(|e| format!(": {e}")).unwrap_or_default())]
    AddressNotHeld { address: HostRoute, error: Option<String> },
    #[error("the exposure rules are not in force: {error}")]
    NotGuarded { error: String },
    #[error("{}", .error.as_deref().unwrap_or("the routing daemon does not answer"))]
    DaemonNotAnswering { error: Option<String> },
    #[error("the routing daemon refused {address}: {error}")]
    DaemonRefused { address: HostRoute, error: String },
    #[error("{daemon} does not carry out {field}: {why}")]
    DaemonCannot { daemon: String, field: String, why: String },
    #[error("the routing daemon has not taken {address} yet")]
    NotInDaemon { address: HostRoute },
    #[error("no healthy backend behind port {port}")]
    NoHealthyBackend { port: Port },
    #[error("the backends behind port {port} have not been checked yet")]
    BackendsUnchecked { port: Port },
    #[error("no peer is up")]
    NoPeerUp,
    #[error("peer {peer} is down{}", .error.as_ref().map(|e| format!(": {e}")).unwrap_or_default())]
    PeerDown { peer: IpAddr, error: Option<String> },
    #[error(
        "no OSPF{version} neighbour is Full; compare area, timers, authentication and MTU with the router's"
    )]
    NoNeighborFull { version: Version },
    #[error("neighbour {neighbor} is in {state}{}", if *.state < NeighborState::ExStart { "" } else { "; if it stays so, compare the MTUs" })]
    NeighborNotFull { neighbor: NeighborId, state: NeighborState },
    #[error("no interface to speak OSPF on: the node has no default route; write ospfConfig.interfaces")]
    NoInterface,
    #[error("no gateway or Service listens on this VIP; it is announced so that it can be tried")]
    NoListeners,
    #[error("the node is leaving: {cause}")]
    Leaving { cause: Cause },
    #[error("the node may not leave yet, although {cause}: {by}")]
    Held { cause: Cause, by: Hold },
}

impl Reason {
    /// The CamelCase word of conditions, metrics and `-o json`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoSnapshot => "NoSnapshot",
            Self::PortInUse { .. } => "PortInUse",
            Self::PortNotBound { .. } => "PortNotBound",
            Self::PortFailed { .. } => "PortFailed",
            Self::AddressNotHeld { .. } => "AddressNotHeld",
            Self::NotGuarded { .. } => "NotGuarded",
            Self::DaemonNotAnswering { .. } => "DaemonNotAnswering",
            Self::DaemonRefused { .. } => "DaemonRefused",
            Self::DaemonCannot { .. } => "DaemonCannot",
            Self::NotInDaemon { .. } => "NotInDaemon",
            Self::NoHealthyBackend { .. } => "NoHealthyBackend",
            Self::BackendsUnchecked { .. } => "BackendsUnchecked",
            Self::NoPeerUp => "NoPeerUp",
            Self::PeerDown { .. } => "PeerDown",
            Self::NoNeighborFull { .. } => "NoNeighborFull",
            Self::NeighborNotFull { .. } => "NeighborNotFull",
            Self::NoInterface => "NoInterface",
            Self::NoListeners => "NoListeners",
            Self::Leaving { .. } => "Leaving",
            Self::Held { .. } => "Held",
        }
    }
}

/// One VIP on this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VipStatus {
    pub addresses: Vec<HostRoute>,
    pub mode: String,
    pub phase: Phase,
    /// In the order in which they matter; empty when all is well.
    pub reasons: Vec<Explained>,
    /// Unix seconds of the last change of phase.
    pub since: u64,
    pub ports: Vec<Port>,
}

/// A reason with its words, so that readers of JSON need no table of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explained {
    pub reason: String,
    pub message: String,
}

impl From<&Reason> for Explained {
    fn from(reason: &Reason) -> Self {
        Self { reason: reason.name().to_owned(), message: reason.to_string() }
    }
}

/// An object, or a part of one, that is not used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rejected {
    /// `ProxyVIP web-vip-bgp`.
    pub object: String,
    /// `spec.address`; empty for the whole object.
    pub field: String,
    pub reason: String,
    pub message: String,
    /// `FILE:LINE`, where the object came from a file.
    pub place: Option<String>,
    /// The object is used; the message says what is different from what was written.
    #[serde(default)]
    pub notice: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeStatus {
    pub node: Name,
    pub version: String,
    pub generation: u64,
    /// Of the controller that is obeyed; `None`: nobody has said anything yet, or nobody leads.
    #[serde(default)]
    pub term: Option<Term>,
    /// Unix seconds of the agent's start.
    pub started: u64,
    /// What the node itself wishes for all its VIPs.
    #[serde(default)]
    pub wish: Option<Cause>,
    /// Addresses of ours that are on the node or in its daemon, of whichever VIP they are or were.
    #[serde(default)]
    pub held: BTreeSet<HostRoute>,
    pub vips: BTreeMap<Name, VipStatus>,
    pub routing: Observed,
    pub served: Served,
    pub rejected: Vec<Rejected>,
}

impl NodeStatus {
    /// Of a node that has said nothing yet.
    pub fn empty(node: Name) -> Self {
        Self {
            node,
            version: String::new(),
            generation: 0,
            term: None,
            started: 0,
            wish: None,
            held: BTreeSet::new(),
            vips: BTreeMap::new(),
            routing: Observed::default(),
            served: Served::default(),
            rejected: Vec::new(),
        }
    }
}

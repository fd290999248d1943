//! Truth and local facts in, what to do out. Pure: no IO, no clock, no memory.
//!
//! [`desired`] looks at the whole [`Snapshot`] and the whole of what the node sees, every time, and says
//! what each driver should have. After any restart the same call heals. The plans below are whole
//! truths: what is not in them should not be there.

use crate::model::bgp::Asn;
use crate::model::bgp::{GracefulRestart, PathAttributes, Peer};
use crate::model::net::{HostRoute, Port, Transport};
use crate::model::observed::{Guarded, Held, Observed, Served};
use crate::model::snapshot::Serving;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// How long the kernel keeps an address that its agent stopped refreshing (spec §2.12).
pub const LIFETIME: Duration = Duration::from_secs(3);

/// What a node sees of itself when it decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFacts {
    pub held: Held,
    pub guarded: Guarded,
    pub observed: Observed,
    pub served: Served,
    /// The router id that this node uses unless a VIP gives one.
    pub router_id: Ipv4Addr,
    pub leave: Leave,
}

/// Steps of a departure (spec §2.5), each a superset of the one before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leave {
    #[default]
    Staying,
    /// Everything is served and announced; kept connections are asked to end.
    Finishing,
    /// New SYNs are dropped, so that their retransmissions meet the new set of nodes.
    Muted,
    /// Announced with the graceful-shutdown community (RFC 8326), still muted.
    Yielding,
    /// No longer announced; what is in flight is finished.
    Withdrawn,
    /// The addresses go.
    Released,
}

/// What `l2` should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkPlan {
    pub addresses: BTreeSet<HostRoute>,
    pub lifetime: Duration,
}

/// What `netfilter` should let through to our addresses: these services and ICMP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExposurePlan {
    pub addresses: BTreeSet<IpAddr>,
    pub services: BTreeSet<(IpAddr, Transport, Port)>,
    /// New TCP connections to these are dropped without an answer.
    pub muted: BTreeSet<IpAddr>,
}

/// What the routing daemon should have of ours. Without a speaker: nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoutingPlan {
    pub speaker: Option<SpeakerPlan>,
    pub announcements: BTreeMap<HostRoute, Announcement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeakerPlan {
    pub asn: Asn,
    pub router_id: Ipv4Addr,
    pub graceful_restart: Option<GracefulRestart>,
    pub peers: BTreeMap<IpAddr, Peer>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// `communities` includes graceful-shutdown while the VIP drains.
    pub attributes: PathAttributes,
    pub peers: BTreeSet<IpAddr>,
}

/// What the proxy should serve.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxyPlan {
    pub serving: Serving,
    /// Every response asks its connection to end; HTTP/2 connections get a GOAWAY.
    pub lame_duck: bool,
}

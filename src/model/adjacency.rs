//! OSPF neighbours as the daemon sees them (RFC 2328 §10).

use super::net::InterfaceName;
use super::ospf::Version;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

/// Who it is: a router, on one of our interfaces. Prints and parses as `v2/eth0/10.0.0.254`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NeighborId {
    pub version: Version,
    pub interface: InterfaceName,
    pub router_id: Ipv4Addr,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no neighbour; write VERSION/INTERFACE/ROUTER-ID, as v2/eth0/10.0.0.254")]
pub struct InvalidNeighborId(pub String);

impl TryFrom<String> for NeighborId {
    type Error = InvalidNeighborId;
    fn try_from(text: String) -> Result<Self, InvalidNeighborId> {
        let read = || {
            let (version, rest) = text.split_once('/')?;
            let (interface, router_id) = rest.split_once('/')?;
            let version = match version {
                "v2" => Version::V2,
                "v3" => Version::V3,
                _ => return None,
            };
            let interface = InterfaceName::parse(interface).ok()?;
            Some(Self { version, interface, router_id: router_id.parse().ok()? })
        };
        read().ok_or(InvalidNeighborId(text))
    }
}

impl From<NeighborId> for String {
    fn from(id: NeighborId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for NeighborId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.version, self.interface, self.router_id)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbor {
    /// `None`: the daemon does not say.
    pub address: Option<IpAddr>,
    pub state: NeighborState,
    /// Its part on the segment; `None` where none is chosen.
    pub role: Option<Role>,
    pub priority: u8,
    /// Seconds in the present state.
    pub uptime_seconds: u64,
    /// After so many seconds of silence from now it counts as down.
    pub dead_time_seconds: u64,
}

/// RFC 2328 §10.1, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NeighborState {
    Down,
    Attempt,
    Init,
    /// Where two routers of a segment that are both not designated stay.
    #[serde(rename = "2-Way")]
    TwoWay,
    ExStart,
    Exchange,
    Loading,
    Full,
}

impl fmt::Display for NeighborState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TwoWay => f.pad("2-Way"),
            other => f.pad(&format!("{other:?}")),
        }
    }
}

/// RFC 2328 §9.1, as `show ip ospf neighbor` has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    #[serde(rename = "DR")]
    Designated,
    Backup,
    #[serde(rename = "DROther")]
    Other,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Designated => "DR",
            Self::Backup => "Backup",
            Self::Other => "DROther",
        })
    }
}

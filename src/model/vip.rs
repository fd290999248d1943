//! A virtual IP as one node serves it.

use super::bgp::BgpRoute;
use super::capability::Field;
use super::net::{HostRoute, Port};
use super::ospf;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// The VIP's addresses: one of each family at most, one at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<HostRoute>", into = "Vec<HostRoute>")]
pub struct Addresses {
    ipv4: Option<HostRoute>,
    ipv6: Option<HostRoute>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a VIP has one IPv4 address, one IPv6 address, or one of each")]
pub struct InvalidAddresses;

impl Addresses {
    pub fn new(routes: impl IntoIterator<Item = HostRoute>) -> Result<Self, InvalidAddresses> {
        let mut found = Self { ipv4: None, ipv6: None };
        for route in routes {
            let slot = if route.address().is_ipv4() { &mut found.ipv4 } else { &mut found.ipv6 };
            if slot.replace(route).is_some() {
                return Err(InvalidAddresses);
            }
        }
        if found.ipv4.is_none() && found.ipv6.is_none() { Err(InvalidAddresses) } else { Ok(found) }
    }

    pub fn iter(&self) -> impl Iterator<Item = HostRoute> {
        self.ipv4.into_iter().chain(self.ipv6)
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        self.iter().any(|route| route.address() == address)
    }

    pub fn ipv4(&self) -> Option<Ipv4Addr> {
        match self.ipv4?.address() {
            IpAddr::V4(v4) => Some(v4),
            IpAddr::V6(_) => None,
        }
    }

    pub fn ipv6(&self) -> Option<Ipv6Addr> {
        match self.ipv6?.address() {
            IpAddr::V6(v6) => Some(v6),
            IpAddr::V4(_) => None,
        }
    }
}

impl TryFrom<Vec<HostRoute>> for Addresses {
    type Error = InvalidAddresses;
    fn try_from(routes: Vec<HostRoute>) -> Result<Self, InvalidAddresses> {
        Self::new(routes)
    }
}

impl From<Addresses> for Vec<HostRoute> {
    fn from(addresses: Addresses) -> Self {
        addresses.iter().collect()
    }
}

/// How the address gets to the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode")]
pub enum Reach {
    #[serde(rename = "BGP")]
    Bgp(BgpRoute),
    #[serde(rename = "OSPF")]
    Ospf(ospf::Route),
}

impl Reach {
    /// The mode's name as written in `spec.mode`.
    pub fn mode(&self) -> &'static str {
        match self {
            Self::Bgp(_) => "BGP",
            Self::Ospf(_) => "OSPF",
        }
    }
}

/// A VIP that this node is a candidate for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vip {
    pub addresses: Addresses,
    pub ports: BTreeSet<Port>,
    pub reach: Reach,
    /// Ports that a gateway listens on; empty: nothing uses the VIP yet, and it is announced as soon
    /// as the address is held and the daemon answers.
    pub used_ports: BTreeSet<Port>,
    pub min_healthy_nodes: u32,
    pub withdraw_when_no_backends: bool,
    pub drain_period: Duration,
    /// What not every routing daemon carries out.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub needs: BTreeSet<Field>,
}

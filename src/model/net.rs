//! Addresses, ports, interfaces.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;

/// A port, 1..=65535.
pub type Port = NonZeroU16;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    Ipv4,
    Ipv6,
}

impl Family {
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::Ipv4 } else { Self::Ipv6 }
    }
}

/// A network interface: 1 to 15 letters, digits and `. _ - @ :`, which every kernel and every daemon takes as
/// one word.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InterfaceName(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no interface name; write one like eth0, at most 15 letters, digits and '.', '_', '-', '@', ':'"
)]
pub struct InvalidInterfaceName(pub String);

impl InterfaceName {
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidInterfaceName> {
        let text = text.into();
        let usable = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@' | b':');
        let is_name = (1..=15).contains(&text.len())
            && text.bytes().all(usable)
            && !matches!(text.as_str(), "." | "..");
        // To BIRD, a minus in front says "all but".
        let is_name = is_name && !text.starts_with('-');
        if is_name { Ok(Self(text)) } else { Err(InvalidInterfaceName(text)) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for InterfaceName {
    type Error = InvalidInterfaceName;
    fn try_from(text: String) -> Result<Self, InvalidInterfaceName> {
        Self::parse(text)
    }
}

impl From<InterfaceName> for String {
    fn from(name: InterfaceName) -> Self {
        name.0
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The one prefix kind that NovaEdge announces: an IPv4 /32 or an IPv6 /128 of a unicast address.
/// Prints and parses with its length: `10.200.0.20/32`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostRoute(IpAddr);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHostRoute {
    #[error("{0:?} is not an IP address; write one like 10.200.0.20, 10.200.0.20/32 or 2001:db8::50/128")]
    Unreadable(String),
    #[error("{0} is a network, and a VIP is a host route: write {1}")]
    TooShort(IpNet, IpNet),
    #[error("{0} cannot be a VIP: it is not a unicast address that others can reach")]
    NotUnicast(IpAddr),
}

impl HostRoute {
    pub fn new(address: IpAddr) -> Result<Self, InvalidHostRoute> {
        let reachable = match address {
            IpAddr::V4(v4) => {
                !(v4.is_unspecified()
                    || v4.is_loopback()
                    || v4.is_multicast()
                    || v4.is_broadcast()
                    || v4.is_link_local()
                    || v4.octets()[0] == 0
                    || v4.octets()[0] >= 240)
            }
            IpAddr::V6(v6) => {
                !(v6.is_unspecified()
                    || v6.is_loopback()
                    || v6.is_multicast()
                    || v6.is_unicast_link_local()
                    || v6.to_ipv4_mapped().is_some())
            }
        };
        if reachable { Ok(Self(address)) } else { Err(InvalidHostRoute::NotUnicast(address)) }
    }

    /// Reads `ADDRESS`, `ADDRESS/32` or `ADDRESS/128`.
    pub fn parse(text: &str) -> Result<Self, InvalidHostRoute> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Self::new(address);
        }
        let net: IpNet = text.parse().map_err(|_| InvalidHostRoute::Unreadable(text.to_owned()))?;
        if net.prefix_len() != net.max_prefix_len() {
            return Err(InvalidHostRoute::TooShort(net, IpNet::from(net.addr())));
        }
        Self::new(net.addr())
    }

    pub fn address(self) -> IpAddr {
        self.0
    }

    pub fn family(self) -> Family {
        Family::of(self.0)
    }
}

impl TryFrom<String> for HostRoute {
    type Error = InvalidHostRoute;
    fn try_from(text: String) -> Result<Self, InvalidHostRoute> {
        Self::parse(&text)
    }
}

impl From<HostRoute> for String {
    fn from(route: HostRoute) -> Self {
        route.to_string()
    }
}

impl fmt::Display for HostRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&IpNet::from(self.0), f)
    }
}

impl fmt::Debug for HostRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A transport protocol with ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    Tcp,
    Udp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

//! OSPF nouns (RFC 2328, RFC 5340).

use super::bfd::BfdProfile;
use super::net::{Family, InterfaceName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;

/// OSPFv2 carries IPv4, OSPFv3 carries IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Version {
    V2,
    V3,
}

impl Version {
    pub fn of(family: Family) -> Self {
        match family {
            Family::Ipv4 => Self::V2,
            Family::Ipv6 => Self::V3,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V2 => "v2",
            Self::V3 => "v3",
        })
    }
}

/// An area, as routing daemons print it: a dotted quad.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AreaId(Ipv4Addr);

impl AreaId {
    pub fn new(number: u32) -> Self {
        Self(number.into())
    }
}

impl fmt::Display for AreaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for AreaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a host route costs beyond the way to the node: 1 to 65534, and [`Self::LEAVING`] above all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Cost(u16);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cost is 1 to 65534, not {0}: 65535 is what the routes of a leaving node cost")]
pub struct InvalidCost(pub u16);

impl Cost {
    /// "Prefer any other path, this one is about to go": what RFC 8326 is to BGP.
    pub const LEAVING: Self = Self(u16::MAX);

    pub fn new(cost: u16) -> Result<Self, InvalidCost> {
        if (1..u16::MAX).contains(&cost) { Ok(Self(cost)) } else { Err(InvalidCost(cost)) }
    }

    pub fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for Cost {
    type Error = InvalidCost;
    fn try_from(cost: u16) -> Result<Self, InvalidCost> {
        Self::new(cost)
    }
}

impl From<Cost> for u16 {
    fn from(cost: Cost) -> Self {
        cost.0
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Hello and dead interval in seconds; all routers of a segment agree about them (RFC 2328 §9.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timers {
    pub hello_seconds: u16,
    pub dead_seconds: u16,
}

/// A key of at most `LONGEST` visible ASCII characters, no blanks, no newline, so that it is one word of a
/// daemon's configuration and nothing else. `Debug` never shows it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AuthKey<const LONGEST: usize>(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the key must be 1 to {longest} visible ASCII characters without blanks, line breaks, quotes or '!', '#' (a routing daemon reads it as one word)"
)]
pub struct InvalidAuthKey {
    longest: usize,
}

impl<const LONGEST: usize> AuthKey<LONGEST> {
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidAuthKey> {
        let text = text.into();
        let usable = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'!' | b'#' | b'`' | b'\\');
        if (1..=LONGEST).contains(&text.len()) && text.bytes().all(usable) {
            Ok(Self(text))
        } else {
            Err(InvalidAuthKey { longest: LONGEST })
        }
    }

    /// What people see in its place.
    pub fn redacted() -> Self {
        Self("redacted".chars().take(LONGEST).collect())
    }

    /// The secret itself, for the one line of configuration that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl<const LONGEST: usize> TryFrom<String> for AuthKey<LONGEST> {
    type Error = InvalidAuthKey;
    fn try_from(text: String) -> Result<Self, InvalidAuthKey> {
        Self::parse(text)
    }
}

impl<const LONGEST: usize> From<AuthKey<LONGEST>> for String {
    fn from(key: AuthKey<LONGEST>) -> Self {
        key.0
    }
}

impl<const LONGEST: usize> fmt::Debug for AuthKey<LONGEST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// How packets prove whose they are. A Secret that gives no key gives no `Authentication` at all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", content = "key", rename_all = "lowercase")]
pub enum Authentication {
    None,
    /// RFC 2328 appendix D.4.2; OSPFv3 has nothing like it.
    Simple(AuthKey<8>),
    /// RFC 2328 appendix D.4.3; in OSPFv3 the trailer of RFC 7166. The key's id is 1.
    Md5(AuthKey<16>),
}

impl Authentication {
    /// The same for people to see.
    pub fn redacted(&self) -> Self {
        match self {
            Self::None => Self::None,
            Self::Simple(_) => Self::Simple(AuthKey::redacted()),
            Self::Md5(_) => Self::Md5(AuthKey::redacted()),
        }
    }
}

/// The speaker that VIPs ask for. One speaker runs on a node, in one area: a node in two would be a border
/// router, which carries traffic between them. `compile` has made sure that the VIPs of one snapshot agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speaker {
    /// `None`: the node takes its own primary IPv4 address (or a hash of its name without one).
    pub router_id: Option<Ipv4Addr>,
    pub area: AreaId,
    pub timers: Timers,
    pub authentication: Authentication,
    /// RFC 3623, RFC 5187.
    pub graceful_restart: bool,
    pub bfd: Option<BfdProfile>,
    pub interfaces: Interfaces,
}

/// Where it is spoken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interfaces {
    /// On the one with the default route, whichever that is.
    pub uplink: bool,
    pub named: BTreeSet<InterfaceName>,
}

impl Interfaces {
    /// On all of both.
    pub fn join(&mut self, other: &Self) {
        self.uplink |= other.uplink;
        self.named.extend(other.named.iter().cloned());
    }
}

/// What OSPF does for one VIP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    pub cost: Cost,
}

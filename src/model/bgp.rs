//! BGP nouns (RFC 4271, RFC 1997, RFC 8092, RFC 2385, RFC 5082).

use super::bfd::BfdProfile;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::num::{NonZeroU8, NonZeroU16, NonZeroU32};

/// An autonomous system number, 1..=4294967295 (RFC 6793).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Asn(NonZeroU32);

impl Asn {
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    pub fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for Asn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Asn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AS{}", self.0)
    }
}

/// A community: standard (RFC 1997), large (RFC 8092) or well-known by name.
///
/// Prints in the spelling that routing daemons share: `64501:100`, `64501:1:2`, `no-export`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Community {
    Standard(u16, u16),
    Large(u32, u32, u32),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a community; write A:B (0..65535 each), A:B:C (0..4294967295 each), or one of {names}", names = WELL_KNOWN.map(|(name, ..)| name).join(", "))]
pub struct InvalidCommunity(pub String);

/// The IANA registry "BGP Well-known Communities", by the names that operators use.
const WELL_KNOWN: [(&str, u16, u16); 7] = [
    ("graceful-shutdown", 0xffff, 0),
    ("accept-own", 0xffff, 1),
    ("blackhole", 0xffff, 666),
    ("no-export", 0xffff, 0xff01),
    ("no-advertise", 0xffff, 0xff02),
    ("local-AS", 0xffff, 0xff03),
    ("no-peer", 0xffff, 0xff04),
];

impl Community {
    /// RFC 8326: "prefer any other path, this one is about to go".
    pub const GRACEFUL_SHUTDOWN: Self = Self::Standard(0xffff, 0);

    pub fn parse(text: &str) -> Result<Self, InvalidCommunity> {
        if let Some((_, high, low)) = WELL_KNOWN.iter().find(|(name, ..)| name.eq_ignore_ascii_case(text)) {
            return Ok(Self::Standard(*high, *low));
        }
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let parts: Vec<&str> = text.split(':').collect();
        let parsed = match parts.as_slice() {
            [a, b] if plain(a) && plain(b) => {
                a.parse().ok().zip(b.parse().ok()).map(|(a, b)| Self::Standard(a, b))
            }
            [a, b, c] if plain(a) && plain(b) && plain(c) => match (a.parse(), b.parse(), c.parse()) {
                (Ok(a), Ok(b), Ok(c)) => Some(Self::Large(a, b, c)),
                _ => None,
            },
            _ => None,
        };
        parsed.ok_or_else(|| InvalidCommunity(text.to_owned()))
    }

    pub fn well_known_name(self) -> Option<&'static str> {
        let Self::Standard(a, b) = self else { return None };
        WELL_KNOWN.iter().find(|(_, high, low)| (*high, *low) == (a, b)).map(|(name, ..)| *name)
    }
}

impl TryFrom<String> for Community {
    type Error = InvalidCommunity;
    fn try_from(text: String) -> Result<Self, InvalidCommunity> {
        Self::parse(&text)
    }
}

impl From<Community> for String {
    fn from(community: Community) -> Self {
        community.to_string()
    }
}

impl fmt::Display for Community {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.well_known_name(), self) {
            (Some(name), _) => f.write_str(name),
            (None, Self::Standard(a, b)) => write!(f, "{a}:{b}"),
            (None, Self::Large(a, b, c)) => write!(f, "{a}:{b}:{c}"),
        }
    }
}

impl fmt::Debug for Community {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A TCP-MD5 session password (RFC 2385): 1 to 80 visible ASCII characters, no blanks, no newline,
/// so that it is one word of a daemon's configuration and nothing else. `Debug` and `Display` never show it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Password(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the password must be 1 to 80 visible ASCII characters without blanks, line breaks, quotes or '!', '#' (a routing daemon reads it as one word)"
)]
pub struct InvalidPassword;

impl Password {
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidPassword> {
        let text = text.into();
        let usable = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'!' | b'#' | b'`' | b'\\');
        if (1..=80).contains(&text.len()) && text.bytes().all(usable) {
            Ok(Self(text))
        } else {
            Err(InvalidPassword)
        }
    }

    /// What people see in its place.
    pub fn redacted() -> Self {
        Self("redacted".to_owned())
    }

    /// The secret itself, for the one line of configuration that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Password {
    type Error = InvalidPassword;
    fn try_from(text: String) -> Result<Self, InvalidPassword> {
        Self::parse(text)
    }
}

impl From<Password> for String {
    fn from(password: Password) -> Self {
        password.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// Hold and keepalive time in seconds, always both, always written explicitly into the daemon.
/// RFC 4271 §4.2: hold is 0 or at least 3; keepalive is at most a third of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timers {
    pub hold_seconds: u16,
    pub keepalive_seconds: u16,
}

impl Default for Timers {
    /// 9 s and 3 s: without BFD a dead node is noticed in seconds, not in RFC 4271's minutes.
    fn default() -> Self {
        Self { hold_seconds: 9, keepalive_seconds: 3 }
    }
}

/// One BGP neighbour as this node speaks to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    pub address: IpAddr,
    pub asn: Asn,
    pub port: NonZeroU16,
    pub password: Option<Password>,
    pub timers: Timers,
    /// Hops allowed to an eBGP peer that is not on the segment; `None`: directly connected.
    pub multihop: Option<NonZeroU8>,
    /// RFC 5082 (GTSM): accept only packets that came over at most this many hops.
    pub ttl_security: Option<NonZeroU8>,
    pub source: Option<IpAddr>,
    pub bfd: Option<BfdProfile>,
}

/// The speaker that a VIP asks for. One speaker runs on a node: `compile` has made sure that the
/// VIPs of one snapshot agree about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speaker {
    pub asn: Asn,
    /// `None`: the node takes its own primary IPv4 address (or a hash of its name without one).
    pub router_id: Option<Ipv4Addr>,
    pub graceful_restart: Option<GracefulRestart>,
    pub peers: BTreeMap<IpAddr, Peer>,
}

/// RFC 4724.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GracefulRestart {
    pub restart_seconds: u16,
}

/// What an announcement carries besides its prefix. Equal attributes are one *class*: routing daemons
/// get one policy per class, never one per prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PathAttributes {
    pub communities: BTreeSet<Community>,
    /// Sent to iBGP peers only (RFC 4271 §5.1.5).
    pub local_preference: Option<u32>,
    pub med: Option<u32>,
    /// How many times the own AS is prepended, 0..=10.
    pub prepend: u8,
}

/// What BGP does for one VIP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BgpRoute {
    pub attributes: PathAttributes,
    pub audience: Audience,
}

/// Over which sessions an announcement goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Audience {
    /// Those with these peers, by the address in [`Speaker::peers`].
    Peers(BTreeSet<IpAddr>),
    /// Those that the operator has in the daemon, whichever they are (attach mode).
    Operators,
}

impl Audience {
    pub fn has(&self, peer: IpAddr) -> bool {
        match self {
            Self::Peers(peers) => peers.contains(&peer),
            Self::Operators => false,
        }
    }
}

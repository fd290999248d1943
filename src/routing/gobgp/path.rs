//! A route as gobgpd takes and tells it: in BGP's own encoding (RFC 4271 §4.3, RFC 4760 §3, RFC 8092 §3). Pure.

use super::proto::{Family, Path};
use crate::model::bgp::{Community, PathAttributes};
use crate::model::net::{self, HostRoute};
use bytes::Bytes;
use std::net::IpAddr;

/// Our paths carry this identifier (RFC 7911), by which they are told from the operator's; `nova`. It is gobgpd's
/// own affair: a session sees it only where ADD-PATH was negotiated, as some number.
pub const IDENTIFIER: u32 = u32::from_be_bytes(*b"nova");

pub const IPV4: Family = Family { afi: 1, safi: 1 };
pub const IPV6: Family = Family { afi: 2, safi: 1 };

const ORIGIN: u8 = 1;
const AS_PATH: u8 = 2;
const NEXT_HOP: u8 = 3;
const MULTI_EXIT_DISC: u8 = 4;
const LOCAL_PREF: u8 = 5;
const COMMUNITIES: u8 = 8;
const MP_REACH_NLRI: u8 = 14;
const LARGE_COMMUNITY: u8 = 32;

const OPTIONAL: u8 = 0x80;
const TRANSITIVE: u8 = 0x40;
const EXTENDED_LENGTH: u8 = 0x10;
const AS_SEQUENCE: u8 = 2;

/// What a path of ours says besides its prefix. `attributes.prepend` is 0: a policy does it, or `as_path`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    pub attributes: PathAttributes,
    pub as_path: Vec<u32>,
}

pub fn family(route: HostRoute) -> Family {
    match route.family() {
        net::Family::Ipv4 => IPV4,
        net::Family::Ipv6 => IPV6,
    }
}

/// The path; the next hop is each session's own address.
pub fn announcement(route: HostRoute, said: &Said) -> Path {
    let Said { attributes, as_path } = said;
    let mut encoded = vec![attribute(TRANSITIVE, ORIGIN, &[0])];
    if !as_path.is_empty() {
        let count = u8::try_from(as_path.len()).unwrap_or(u8::MAX);
        let numbers = as_path.iter().take(count.into()).flat_map(|asn| asn.to_be_bytes());
        let segment: Vec<u8> = [AS_SEQUENCE, count].into_iter().chain(numbers).collect();
        encoded.push(attribute(TRANSITIVE, AS_PATH, &segment));
    }
    encoded.push(next_hop(route));
    if let Some(med) = attributes.med {
        encoded.push(attribute(OPTIONAL, MULTI_EXIT_DISC, &med.to_be_bytes()));
    }
    if let Some(preference) = attributes.local_preference {
        encoded.push(attribute(TRANSITIVE, LOCAL_PREF, &preference.to_be_bytes()));
    }
    let (mut standard, mut large) = (Vec::new(), Vec::new());
    for community in &attributes.communities {
        match *community {
            Community::Standard(high, low) => standard.extend([high, low].map(u16::to_be_bytes).concat()),
            Community::Large(a, b, c) => large.extend([a, b, c].map(u32::to_be_bytes).concat()),
        }
    }
    for (kind, value) in [(COMMUNITIES, standard), (LARGE_COMMUNITY, large)] {
        if !value.is_empty() {
            encoded.push(attribute(OPTIONAL | TRANSITIVE, kind, &value));
        }
    }
    path(route, false, encoded)
}

pub fn withdrawal(route: HostRoute) -> Path {
    path(route, true, vec![attribute(TRANSITIVE, ORIGIN, &[0]), next_hop(route)])
}

fn path(route: HostRoute, is_withdraw: bool, attributes: Vec<Bytes>) -> Path {
    Path {
        is_withdraw,
        family: Some(family(route)),
        identifier: IDENTIFIER,
        nlri_binary: nlri(route).into(),
        pattrs_binary: attributes,
        ..Path::default()
    }
}

fn next_hop(route: HostRoute) -> Bytes {
    match route.family() {
        net::Family::Ipv4 => attribute(TRANSITIVE, NEXT_HOP, &[0; 4]),
        net::Family::Ipv6 => {
            let (afi, reserved) = (2_u16.to_be_bytes(), [0]);
            let value = [&afi[..], &[1, 16], &[0; 16], &reserved, &nlri(route)].concat();
            attribute(OPTIONAL, MP_REACH_NLRI, &value)
        }
    }
}

fn nlri(route: HostRoute) -> Vec<u8> {
    match route.address() {
        IpAddr::V4(address) => [&[32], &address.octets()[..]].concat(),
        IpAddr::V6(address) => [&[128], &address.octets()[..]].concat(),
    }
}

fn attribute(flags: u8, kind: u8, value: &[u8]) -> Bytes {
    let header = match u8::try_from(value.len()) {
        Ok(length) => vec![flags, kind, length],
        Err(_) => {
            let [high, low] = u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes();
            vec![flags | EXTENDED_LENGTH, kind, high, low]
        }
    };
    [&header, value].concat().into()
}

/// The host route that a path is about; `None`: a wider prefix, or another family.
pub fn route(path: &Path) -> Option<HostRoute> {
    let address = match (path.family?, path.nlri_binary.as_ref()) {
        (IPV4, [32, octets @ ..]) => IpAddr::from(<[u8; 4]>::try_from(octets).ok()?),
        (IPV6, [128, octets @ ..]) => IpAddr::from(<[u8; 16]>::try_from(octets).ok()?),
        _ => return None,
    };
    HostRoute::new(address).ok()
}

/// What a path says. What we would not write is left out.
pub fn said(path: &Path) -> Said {
    let mut said = Said::default();
    for (kind, value) in path.pattrs_binary.iter().filter_map(|encoded| parts(encoded)) {
        match kind {
            MULTI_EXIT_DISC => said.attributes.med = number(value),
            LOCAL_PREF => said.attributes.local_preference = number(value),
            AS_PATH => {
                said.as_path = value.get(2..).unwrap_or_default().chunks(4).filter_map(number).collect();
            }
            COMMUNITIES => said.attributes.communities.extend(value.chunks_exact(4).map(standard)),
            LARGE_COMMUNITY => said.attributes.communities.extend(value.chunks_exact(12).filter_map(large)),
            _ => {}
        }
    }
    said
}

fn parts(encoded: &[u8]) -> Option<(u8, &[u8])> {
    match encoded {
        [flags, kind, _, _, value @ ..] if flags & EXTENDED_LENGTH != 0 => Some((*kind, value)),
        [_, kind, _, value @ ..] => Some((*kind, value)),
        _ => None,
    }
}

fn number(value: &[u8]) -> Option<u32> {
    value.try_into().ok().map(u32::from_be_bytes)
}

fn standard(value: &[u8]) -> Community {
    let half = |at: usize| u16::from_be_bytes([value[at], value[at + 1]]);
    Community::Standard(half(0), half(2))
}

fn large(value: &[u8]) -> Option<Community> {
    Some(Community::Large(number(&value[..4])?, number(&value[4..8])?, number(&value[8..])?))
}

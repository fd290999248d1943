//! How the node names itself in BGP and OSPF, and where it meets its routers.

use super::Netlink;
use crate::model::name::Name;
use crate::model::net::InterfaceName;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// The router id of this node (spec §2.4): the address from which it speaks to the world by its default
/// route; without one its lowest global address; on an IPv6-only node a number made from its name.
///
/// The same on every call while the node's own addresses stay; VIPs do not count, whoever holds them.
pub async fn router_id(node: &Name) -> Ipv4Addr {
    let present = Netlink::new().addresses().await.unwrap_or_default();
    let own: Vec<Ipv4Addr> = present
        .iter()
        .filter(|found| !found.ours && found.global)
        .filter_map(|found| match found.address {
            IpAddr::V4(v4) if !v4.is_loopback() && !v4.is_link_local() => Some(v4),
            _ => None,
        })
        .collect();
    default_source()
        .filter(|source| own.contains(source))
        .or(own.into_iter().min())
        .unwrap_or_else(|| from_name(node))
}

/// The interface with the address from which the node speaks to the world: by IPv4, else by IPv6.
pub async fn uplink() -> Option<InterfaceName> {
    let sources = [default_source().map(IpAddr::V4), default_source6()];
    let mut netlink = Netlink::new();
    let present = netlink.addresses().await.unwrap_or_default();
    let at = |source| present.iter().find(|found| found.address == source && !found.ours);
    let index = sources.into_iter().flatten().find_map(at)?.interface;
    let names = netlink.interface_names().await.ok()?;
    InterfaceName::parse(names.get(&index)?.clone()).ok()
}

/// The source that the kernel picks towards an address that only the default route can lead to
/// (TEST-NET-1, RFC 5737). Connecting a datagram socket sends nothing.
fn default_source() -> Option<Ipv4Addr> {
    match source_towards(Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into())? {
        IpAddr::V4(local) => Some(local),
        IpAddr::V6(_) => None,
    }
}

/// As [`default_source`], towards the prefix of RFC 9637.
fn default_source6() -> Option<IpAddr> {
    source_towards(Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 1).into())
}

fn source_towards(from: IpAddr, to: IpAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind((from, 0)).ok()?;
    socket.connect((to, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// A router id need not be an address, only unique in its AS and not 0 (RFC 6286): 32 bits of FNV-1a,
/// kept inside 1.0.0.0 to 223.255.255.255, which every daemon takes.
fn from_name(node: &Name) -> Ipv4Addr {
    let hash = node
        .as_str()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let [first, rest @ ..] = hash.to_be_bytes();
    Ipv4Addr::new(1 + first % 223, rest[0], rest[1], rest[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_distinct_stable_ids_in_the_unicast_range() {
        let ids: std::collections::BTreeSet<Ipv4Addr> =
            (0..1000).map(|n| from_name(&Name::parse(format!("node-{n}")).unwrap())).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| (1..=223).contains(&id.octets()[0])));
        assert_eq!(from_name(&Name::parse("n1").unwrap()), from_name(&Name::parse("n1").unwrap()));
    }
}

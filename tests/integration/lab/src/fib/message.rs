//! Netlink's route messages in our words.

use super::{Change, NextHop, NextHops};
use crate::topology::NodeId;
use ipnet::IpNet;
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The change that a message tells of; `None` for what is no unicast route of the main table.
pub(super) fn change(message: &RouteNetlinkMessage) -> Option<Change> {
    match message {
        RouteNetlinkMessage::NewRoute(route) => Some(Change::Set(prefix(route)?, next_hops(route))),
        RouteNetlinkMessage::DelRoute(route) => Some(Change::Remove(prefix(route)?, next_hops(route))),
        _ => None,
    }
}

fn prefix(route: &RouteMessage) -> Option<IpNet> {
    use rtnetlink::packet_route::AddressFamily::{Inet, Inet6};
    use rtnetlink::packet_route::route::RouteType::Unicast;
    let header = &route.header;
    if header.table != RouteHeader::RT_TABLE_MAIN || header.kind != Unicast {
        return None;
    }
    let address = route.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Destination(address) => ip(address),
        _ => None,
    });
    let everything: IpAddr = match header.address_family {
        Inet => Ipv4Addr::UNSPECIFIED.into(),
        Inet6 => Ipv6Addr::UNSPECIFIED.into(),
        _ => return None,
    };
    IpNet::new(address.unwrap_or(everything), header.destination_prefix_length).ok()
}

fn next_hops(route: &RouteMessage) -> NextHops {
    let many = route.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::MultiPath(hops) => Some(hops.iter().map(|hop| next_hop(&hop.attributes)).collect()),
        _ => None,
    });
    NextHops(many.unwrap_or_else(|| [next_hop(&route.attributes)].into()))
}

fn next_hop(attributes: &[RouteAttribute]) -> NextHop {
    let gateway = attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Gateway(address) => ip(address),
        // An IPv4 route by way of an IPv6 neighbour (RFC 8950).
        RouteAttribute::Via(rtnetlink::packet_route::route::RouteVia::Inet6(v6)) => Some((*v6).into()),
        _ => None,
    });
    NextHop { gateway, node: gateway.and_then(NodeId::by_gateway) }
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(v4) => Some((*v4).into()),
        RouteAddress::Inet6(v6) => Some((*v6).into()),
        _ => None,
    }
}

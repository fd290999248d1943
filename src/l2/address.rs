//! One address as the kernel tells it and takes it.

use crate::model::net::{Family, HostRoute};
use rtnetlink::packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkMessage,
};
use rtnetlink::packet_route::address::{
    AddressAttribute, AddressFlags, AddressMessage, AddressProtocol, AddressScope, CacheInfo,
};
use rtnetlink::packet_route::{AddressFamily, RouteNetlinkMessage};
use std::net::IpAddr;
use std::time::Duration;

/// Our mark: `IFA_PROTO` of an address says who put it there (`ip address` prints it as `proto 0x4e`).
/// The kernel itself uses 1 to 3; the others are for routing software to choose from, and this is `N`.
/// Linux keeps the mark since 5.18.
pub const IFA_PROTO_NOVAEDGE: u8 = b'N';

/// The loopback device of every network namespace has this index (`LOOPBACK_IFINDEX`).
pub const LOOPBACK: u32 = 1;

/// An address that some interface has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KernelAddress {
    pub address: IpAddr,
    pub prefix_len: u8,
    pub interface: u32,
    pub ours: bool,
    /// Usable as the node's own identity: of global scope, and not about to be retired.
    pub global: bool,
}

impl KernelAddress {
    /// Reads one entry of the kernel's list; `None` for what has no address.
    pub fn read(message: &AddressMessage) -> Option<Self> {
        let (mut local, mut address, mut ours, mut deprecated) = (None, None, false, false);
        for attribute in &message.attributes {
            match attribute {
                AddressAttribute::Local(ip) => local = Some(*ip),
                AddressAttribute::Address(ip) => address = Some(*ip),
                AddressAttribute::Protocol(mark) => ours = u8::from(*mark) == IFA_PROTO_NOVAEDGE,
                AddressAttribute::Flags(flags) => deprecated = flags.contains(AddressFlags::Deprecated),
                _ => {}
            }
        }
        Some(Self {
            // On a point-to-point link IFA_ADDRESS is the other end's (linux/if_addr.h).
            address: local.or(address)?,
            prefix_len: message.header.prefix_len,
            interface: message.header.index,
            ours,
            global: message.header.scope == AddressScope::Universe && !deprecated,
        })
    }

    /// Whether this is `route` as we hold it.
    pub fn is_held(&self, route: HostRoute) -> bool {
        self.ours && self.interface == LOOPBACK && self.host_route() == Some(route)
    }

    /// The address as a host route, where it is one.
    pub fn host_route(&self) -> Option<HostRoute> {
        let whole = if self.address.is_ipv4() { 32 } else { 128 };
        (self.prefix_len == whole).then(|| HostRoute::new(self.address).ok()).flatten()
    }

    /// The request that removes it.
    pub fn removal(&self) -> NetlinkMessage<RouteNetlinkMessage> {
        let mut message = AddressMessage::default();
        message.header.family = family(self.address);
        message.header.prefix_len = self.prefix_len;
        message.header.index = self.interface;
        message.attributes.push(AddressAttribute::Local(self.address));
        request(RouteNetlinkMessage::DelAddress(message), NLM_F_ACK)
    }
}

/// The request for the list of all addresses of all interfaces.
pub(super) fn listing() -> NetlinkMessage<RouteNetlinkMessage> {
    request(RouteNetlinkMessage::GetAddress(AddressMessage::default()), NLM_F_DUMP)
}

/// The request that adds `route`, and is refused when the loopback device has it already.
pub(super) fn addition(route: HostRoute, lifetime: Duration) -> NetlinkMessage<RouteNetlinkMessage> {
    let flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
    request(RouteNetlinkMessage::NewAddress(held(route, lifetime)), flags)
}

/// The request that gives `route` its full lifetime again, and adds it if it expired just now.
pub(super) fn refreshment(route: HostRoute, lifetime: Duration) -> NetlinkMessage<RouteNetlinkMessage> {
    let flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
    request(RouteNetlinkMessage::NewAddress(held(route, lifetime)), flags)
}

/// `route` as we hold it. The host's own connections never leave from it: host scope keeps Linux from
/// choosing an IPv4 address as a source (it would take one of lo where the uplinks have none, as on
/// unnumbered links), and no preferred lifetime does so for IPv6 (RFC 6724 §5, rule 3). Routing daemons
/// take it for a connected route all the same.
fn held(route: HostRoute, lifetime: Duration) -> AddressMessage {
    let address = route.address();
    let mut lifetimes = CacheInfo::default();
    lifetimes.ifa_preferred = 0;
    lifetimes.ifa_valid = lifetime.as_secs().try_into().unwrap_or(u32::MAX).max(1);
    let mut message = AddressMessage::default();
    message.header.family = family(address);
    message.header.index = LOOPBACK;
    message.attributes = vec![
        AddressAttribute::Local(address),
        AddressAttribute::Address(address),
        AddressAttribute::CacheInfo(lifetimes),
        AddressAttribute::Protocol(AddressProtocol::from(IFA_PROTO_NOVAEDGE)),
    ];
    match route.family() {
        Family::Ipv4 => {
            message.header.prefix_len = 32;
            message.header.scope = AddressScope::Host;
        }
        Family::Ipv6 => {
            message.header.prefix_len = 128;
            message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
        }
    }
    message
}

fn request(payload: RouteNetlinkMessage, flags: u16) -> NetlinkMessage<RouteNetlinkMessage> {
    let mut message = NetlinkMessage::from(payload);
    message.header.flags = NLM_F_REQUEST | flags;
    message
}

fn family(address: IpAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_write_is_what_we_recognise() {
        for text in ["10.200.0.20/32", "2001:db8::50/128"] {
            let route = HostRoute::parse(text).unwrap();
            let read = KernelAddress::read(&held(route, Duration::from_secs(3))).unwrap();
            assert!(read.is_held(route), "{read:?}");
        }
    }

    #[test]
    fn an_address_without_our_mark_or_elsewhere_is_not_held() {
        let route = HostRoute::parse("10.200.0.20").unwrap();
        let ours = KernelAddress::read(&held(route, Duration::from_secs(3))).unwrap();
        let others = [
            KernelAddress { ours: false, ..ours },
            KernelAddress { interface: 2, ..ours },
            KernelAddress { prefix_len: 24, ..ours },
            KernelAddress { address: "10.200.0.21".parse().unwrap(), ..ours },
        ];
        for other in others {
            assert!(!other.is_held(route), "{other:?}");
        }
    }
}

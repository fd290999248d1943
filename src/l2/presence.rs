//! What addresses the node has, whoever put them there, and when that changes.

use super::{LinkError, Netlink};
use crate::model::net::HostRoute;
use futures_util::{Stream, StreamExt};
use rtnetlink::MulticastGroup;
use std::collections::BTreeSet;
use std::io;

/// The addresses of the node that are whole: /32 and /128.
///
/// # Errors
/// The kernel cannot be asked.
pub async fn host_routes(netlink: &mut Netlink) -> Result<BTreeSet<HostRoute>, LinkError> {
    Ok(netlink.addresses().await?.iter().filter_map(super::address::KernelAddress::host_route).collect())
}

/// One item for every address that comes or goes; the messages themselves may be lost when there are many, so
/// whoever reads one looks at all.
///
/// # Errors
/// There is no netlink socket to be had.
pub fn changes() -> io::Result<impl Stream<Item = ()> + Send + Unpin> {
    let groups = [MulticastGroup::Ipv4Ifaddr, MulticastGroup::Ipv6Ifaddr];
    let (connection, _, messages) = rtnetlink::new_multicast_connection(&groups)?;
    tokio::spawn(connection);
    Ok(messages.map(drop))
}

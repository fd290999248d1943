//! The netlink socket: dump a table, listen for changes.

use super::message::change;
use super::{Change, Fib};
use crate::Netns;
use anyhow::{Context, Result, bail};
use rtnetlink::packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::route::RouteMessage;
use rtnetlink::sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use std::io::ErrorKind;
use std::time::Duration;

/// `RTNLGRP_IPV4_ROUTE` and `RTNLGRP_IPV6_ROUTE` of linux/rtnetlink.h.
const ROUTE_GROUPS: [u32; 2] = [7, 11];
/// Room for some ten thousand changes, should the listener get no CPU for a while.
const LISTEN_BUFFER: usize = 32 << 20;

/// The main table of a namespace, both families.
///
/// # Errors
/// The kernel refuses the dump or sends something unreadable.
pub fn dump(netns: &Netns) -> Result<Fib> {
    let socket = netns.run(open).context("a netlink socket")?;
    socket.connect(&SocketAddr::new(0, 0))?;
    read_table(&socket)
}

pub(super) fn open() -> std::io::Result<Socket> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    Ok(socket)
}

/// A socket that hears every route change of the namespace from now on; reads give up after `patience`.
pub(super) fn listen(netns: &Netns, patience: Duration) -> Result<Socket> {
    let socket = netns.run(open).context("a netlink socket")?;
    socket.set_rx_buf_sz(LISTEN_BUFFER)?;
    socket2::SockRef::from(&socket).set_read_timeout(Some(patience))?;
    ROUTE_GROUPS.into_iter().try_for_each(|group| socket.add_membership(group))?;
    Ok(socket)
}

/// The route changes of the next datagram; none when nothing came in time.
pub(super) fn changes(socket: &Socket) -> Result<Vec<Change>> {
    let received = match socket.recv_from_full() {
        Ok((bytes, _)) => bytes,
        // A read with a time limit is not restarted after a signal (signal(7)); the datagram stays queued.
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error).context("changes of routes were lost"),
    };
    let mut found = Vec::new();
    for message in split(&received)? {
        if let NetlinkPayload::InnerMessage(inner) = message.payload {
            found.extend(change(&inner));
        }
    }
    Ok(found)
}

fn read_table(socket: &Socket) -> Result<Fib> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let question = RouteNetlinkMessage::GetRoute(RouteMessage::default());
    let mut request = NetlinkMessage::new(header, NetlinkPayload::from(question));
    request.finalize();
    let mut bytes = vec![0; request.buffer_len()];
    request.serialize(&mut bytes);
    socket.send(&bytes, 0)?;

    let mut fib = Fib::default();
    loop {
        let (received, _) = socket.recv_from_full()?;
        for message in split(&received)? {
            match message.payload {
                NetlinkPayload::InnerMessage(inner) => {
                    change(&inner).iter().for_each(|change| fib.apply(change));
                }
                NetlinkPayload::Done(_) => return Ok(fib),
                NetlinkPayload::Error(error) => bail!("the kernel refuses the dump: {error:?}"),
                _ => {}
            }
        }
    }
}

fn split(mut bytes: &[u8]) -> Result<Vec<NetlinkMessage<RouteNetlinkMessage>>> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let message = NetlinkMessage::deserialize(bytes).context("an unreadable netlink message")?;
        // Messages start at multiples of four.
        let length = (message.header.length as usize).next_multiple_of(4).clamp(4, bytes.len().max(4));
        messages.push(message);
        bytes = bytes.get(length..).unwrap_or_default();
    }
    Ok(messages)
}

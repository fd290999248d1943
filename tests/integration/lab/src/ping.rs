//! ICMP echo, by the kernel's ping sockets: it fills in identifier and checksum.

use crate::Netns;
use anyhow::{Context, Result};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// Echo request types (RFC 792, RFC 4443) and their replies.
const ECHO4: (u8, u8) = (8, 0);
const ECHO6: (u8, u8) = (128, 129);

/// Sends one echo request and waits for its reply: the time it took, or `None` when none came.
/// The namespace must allow ping sockets, as a lab's client does.
///
/// # Errors
/// The request cannot be sent, or the way back said that there is no way.
pub fn ping(netns: &Netns, to: IpAddr, patience: Duration) -> Result<Option<Duration>> {
    let (domain, protocol, (request, reply)) = match to {
        IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4, ECHO4),
        IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6, ECHO6),
    };
    let open = || Socket::new(domain, Type::DGRAM, Some(protocol));
    let mut socket = netns.run(open).context("a ping socket (net.ipv4.ping_group_range)")?;
    socket.connect(&SocketAddr::new(to, 0).into()).with_context(|| format!("no way to {to}"))?;
    let started = Instant::now();
    socket.send(&[request, 0, 0, 0, 0, 0, 0, 1])?;
    while let Some(left) = patience.checked_sub(started.elapsed()).filter(|left| !left.is_zero()) {
        socket.set_read_timeout(Some(left))?;
        let mut packet = [0; 64];
        match crate::patient::read(&mut socket, &mut packet) {
            Ok(length) if length >= 8 && packet[0] == reply => return Ok(Some(started.elapsed())),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error).with_context(|| format!("pinging {to}")),
        }
    }
    Ok(None)
}

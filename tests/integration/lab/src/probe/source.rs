//! Source ports: each is used once before any is used again.
//!
//! The kernel's own choice comes back to a port within minutes. A node can still hold the port's former
//! connection, in TIME_WAIT or orphaned by a re-hash, and then ignores or challenges the new one: a failure
//! that the prober made itself.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

const FIRST: u32 = 1024;
const COUNT: u32 = 65_536 - FIRST;
/// Ports in a row that may be somebody else's.
const TRIES: usize = 20;

/// The next port; where the first run of a process starts is chance, so that runs rarely meet.
fn next_port() -> u16 {
    static NEXT: OnceLock<AtomicU32> = OnceLock::new();
    let next = NEXT.get_or_init(|| AtomicU32::new(fastrand::u32(..COUNT)));
    let port = FIRST + next.fetch_add(1, Ordering::Relaxed) % COUNT;
    u16::try_from(port).unwrap_or(u16::MAX)
}

fn next_address(to: SocketAddr) -> SocketAddr {
    let any = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    SocketAddr::new(any, next_port())
}

pub(super) async fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    let bound = first_free(|| {
        let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(next_address(to)).map(|()| socket)
    });
    bound?.connect(to).await
}

pub(super) async fn datagrams(to: SocketAddr) -> io::Result<UdpSocket> {
    let socket = first_free(|| std::net::UdpSocket::bind(next_address(to)))?;
    socket.set_nonblocking(true)?;
    let socket = UdpSocket::from_std(socket)?;
    socket.connect(to).await?;
    Ok(socket)
}

fn first_free<T>(mut bind: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut tries = (0..TRIES).map(|_| bind());
    let taken =
        |result: &io::Result<T>| result.as_ref().is_err_and(|error| error.kind() == ErrorKind::AddrInUse);
    tries.find(|result| !taken(result)).unwrap_or_else(|| Err(ErrorKind::AddrInUse.into()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn no_port_comes_back_before_all_were_used() {
        let ports: BTreeSet<_> = (0..super::COUNT).map(|_| super::next_port()).collect();
        assert_eq!(ports.len(), super::COUNT as usize);
        assert_eq!(ports.first(), Some(&1024));
    }
}

//! Opening a port.

use crate::model::net::{Family, Port};
use crate::proxy::upstream::connect::keepalive;
use socket2::{Domain, Protocol, Socket, Type};
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

/// Connections that may wait until a core gets round to them; `net.core.somaxconn` may allow fewer.
const BACKLOG: i32 = 4096;

/// A port in one address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Door {
    pub port: Port,
    pub family: Family,
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address().fmt(f)
    }
}

impl Door {
    fn address(self) -> SocketAddr {
        match self.family {
            Family::Ipv4 => (Ipv4Addr::UNSPECIFIED, self.port.get()).into(),
            Family::Ipv6 => (Ipv6Addr::UNSPECIFIED, self.port.get()).into(),
        }
    }

    /// One listening socket per core.
    ///
    /// The first is bound without `SO_REUSEPORT`, which the kernel refuses while anybody listens on the
    /// port, whether they would share it or not. Only then is it opened to its siblings.
    ///
    /// # Errors
    /// The kernel's: `AddrInUse` when another process has the port. No socket is left.
    pub fn open(self, cores: usize) -> io::Result<Vec<TcpListener>> {
        let first = self.socket()?;
        first.bind(&self.address().into())?;
        first.set_reuse_port(true)?;
        first.listen(BACKLOG)?;
        let sibling = |_| {
            let socket = self.socket()?;
            socket.set_reuse_port(true)?;
            socket.bind(&self.address().into())?;
            socket.listen(BACKLOG)?;
            Ok(TcpListener::from(socket))
        };
        let siblings = (1..cores).map(sibling);
        std::iter::once(Ok(TcpListener::from(first))).chain(siblings).collect()
    }

    /// Accepted sockets inherit these options: no system call per connection is needed.
    fn socket(self) -> io::Result<Socket> {
        let domain = match self.family {
            Family::Ipv4 => Domain::IPV4,
            Family::Ipv6 => Domain::IPV6,
        };
        let socket = Socket::new(domain, Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
        if self.family == Family::Ipv6 {
            socket.set_only_v6(true)?;
        }
        // Connections that an earlier process left behind do not hold the port.
        socket.set_reuse_address(true)?;
        socket.set_tcp_nodelay(true)?;
        socket.set_tcp_keepalive(&keepalive())?;
        Ok(socket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;

    fn free_port() -> Port {
        let probe = TcpListener::bind("0.0.0.0:0").unwrap();
        Port::new(probe.local_addr().unwrap().port()).unwrap()
    }

    #[test]
    fn a_port_that_somebody_would_share_is_not_shared() {
        let door = Door { port: free_port(), family: Family::Ipv4 };
        let sharer = door.socket().unwrap();
        sharer.set_reuse_port(true).unwrap();
        sharer.bind(&door.address().into()).unwrap();
        sharer.listen(1).unwrap();
        assert_eq!(door.open(2).unwrap_err().kind(), ErrorKind::AddrInUse);
        drop(sharer);
        assert_eq!(door.open(3).unwrap().len(), 3);
    }

    #[test]
    fn a_port_taken_on_one_address_is_taken() {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = Port::new(other.local_addr().unwrap().port()).unwrap();
        let door = |family| Door { port, family };
        assert_eq!(door(Family::Ipv4).open(1).unwrap_err().kind(), ErrorKind::AddrInUse);
        assert!(door(Family::Ipv6).open(1).is_ok(), "the other family is another door");
    }

    #[test]
    fn connections_left_behind_do_not_hold_the_port() {
        let door = Door { port: free_port(), family: Family::Ipv4 };
        let sockets = door.open(1).unwrap();
        let _client = std::net::TcpStream::connect(("127.0.0.1", door.port.get())).unwrap();
        sockets[0].set_nonblocking(false).unwrap();
        let (accepted, _) = sockets[0].accept().unwrap();
        drop(sockets);
        drop(accepted);
        assert!(door.open(2).is_ok());
    }
}

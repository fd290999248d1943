//! The backend's process: its sockets and connections, on one thread.

use super::answer::Identity;
use anyhow::{Context, Result};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};

/// Serves on every address until the process is ended.
///
/// # Errors
/// An address cannot be bound, or a socket fails.
pub fn serve(node: &str, backend: &str, addresses: &[SocketAddr]) -> Result<()> {
    let identity = Arc::new(Identity {
        node: node.to_owned(),
        backend: backend.to_owned(),
        health: AtomicU16::new(200),
    });
    crate::process::allow_many_descriptors();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut sockets = tokio::task::JoinSet::new();
        for &address in addresses {
            let bound = || format!("cannot listen on {address}");
            sockets.spawn(accept(listener(address).with_context(bound)?, identity.clone()));
            let datagrams = UdpSocket::bind(address).await.with_context(bound)?;
            sockets.spawn(echo(datagrams, identity.clone()));
        }
        sockets.join_next().await.context("there is no address to listen on")??
    })
}

fn listener(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(4096)
}

async fn accept(listener: TcpListener, identity: Arc<Identity>) -> Result<()> {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(connection(stream, identity.clone()))),
            // The client left before it was accepted.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(error) => return Err(error).context("cannot accept connections"),
        }
    }
}

async fn connection(stream: TcpStream, identity: Arc<Identity>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let identity = identity.clone();
        async move { Ok::<_, Infallible>(identity.answer(request).await) }
    });
    // How a client leaves is the client's business.
    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

/// Answers each datagram with who answers, and then the datagram.
async fn echo(socket: UdpSocket, identity: Arc<Identity>) -> Result<()> {
    let line = identity.line().into_bytes();
    let mut datagram = vec![0; 65536];
    loop {
        // An ICMP error for an earlier answer is no error of the socket.
        let Ok((length, from)) = socket.recv_from(&mut datagram).await else { continue };
        let answer = [&line, &datagram[..length]].concat();
        let _ = socket.send_to(&answer, from).await;
    }
}

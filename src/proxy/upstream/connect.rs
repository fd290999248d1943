//! New connections to endpoints.

use super::RequestBody;
use super::idle::{Http1, Http2};
use crate::proxy::connection::http::Local;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

/// Bytes that an endpoint does not acknowledge for so long end the connection (RFC 5482).
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("no connection to {0} within {1:?}")]
    TimedOut(SocketAddr, Duration),
    #[error("no connection to {0}: {1}")]
    Tcp(SocketAddr, #[source] io::Error),
    #[error("{0} took the connection and does not speak HTTP: {1}")]
    Http(SocketAddr, #[source] hyper::Error),
}

pub async fn tcp(address: SocketAddr, limit: Duration) -> Result<TcpStream, ConnectError> {
    let failed = |error| ConnectError::Tcp(address, error);
    let stream = tokio::time::timeout(limit, TcpStream::connect(address))
        .await
        .map_err(|_| ConnectError::TimedOut(address, limit))?
        .map_err(failed)?;
    let socket = SockRef::from(&stream);
    socket.set_tcp_nodelay(true).map_err(failed)?;
    socket.set_tcp_keepalive(&keepalive()).map_err(failed)?;
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED)).map_err(failed)?;
    Ok(stream)
}

/// Finds out about peers that vanished without a word.
pub fn keepalive() -> TcpKeepalive {
    TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(10))
        .with_retries(6)
}

pub async fn http1(address: SocketAddr, limit: Duration) -> Result<Http1, ConnectError> {
    let stream = tcp(address, limit).await?;
    let (sender, connection) = http1::Builder::new()
        .max_headers(256)
        .max_buf_size(256 * 1024)
        .handshake::<_, RequestBody>(TokioIo::new(stream))
        .await
        .map_err(|error| ConnectError::Http(address, error))?;
    // How it ends is told to whoever waits for a response on it.
    tokio::task::spawn_local(connection.with_upgrades());
    Ok(sender)
}

pub async fn http2(address: SocketAddr, limit: Duration) -> Result<Http2, ConnectError> {
    let stream = tcp(address, limit).await?;
    let handshake = http2::Builder::new(Local)
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10))
        .initial_stream_window_size(256 * 1024)
        .initial_connection_window_size(4 * 1024 * 1024)
        .handshake::<_, RequestBody>(TokioIo::new(stream));
    let (sender, connection) = tokio::time::timeout(limit, handshake)
        .await
        .map_err(|_| ConnectError::TimedOut(address, limit))?
        .map_err(|error| ConnectError::Http(address, error))?;
    tokio::task::spawn_local(connection);
    Ok(sender)
}

//! A WebSocket: after the handshake, bytes both ways (RFC 6455).

use super::connection::client::Client;
use super::connection::io::ClientIo;
use super::l4::pump;
use super::measure::Flight;
use super::upstream::endpoint::Outstanding;
use bytes::{Bytes, BytesMut};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use std::rc::Rc;
use tokio::net::TcpStream;

/// Joins both sides as soon as the handshake's last byte is through, until one of them ends it. In flight as
/// long.
pub fn open(client: &Rc<Client>, upgrade: OnUpgrade, endpoint: OnUpgrade, outstanding: Outstanding) {
    let flight = Flight::begin(Rc::clone(client), client.site());
    tokio::task::spawn_local(async move {
        let (Ok(client), Ok(endpoint)) = tokio::join!(upgrade, endpoint) else { return };
        let (Some(client), Some(endpoint)) = (client_stream(client), endpoint_stream(endpoint)) else {
            return;
        };
        // An end that is no good end is passed on as one, and that is all there is to do.
        let _ = pump::between(client, endpoint, || {}).await;
        drop((flight, outstanding));
    });
}

fn client_stream(upgraded: Upgraded) -> Option<(TcpStream, Bytes)> {
    let parts = upgraded.downcast::<TokioIo<ClientIo>>().ok()?;
    let (stream, unread) = parts.io.into_inner().into_parts();
    let mut early = BytesMut::from(&parts.read_buf[..]);
    early.extend_from_slice(&unread);
    Some((stream, early.freeze()))
}

fn endpoint_stream(upgraded: Upgraded) -> Option<(TcpStream, Bytes)> {
    let parts = upgraded.downcast::<TokioIo<TcpStream>>().ok()?;
    Some((parts.io.into_inner(), parts.read_buf))
}

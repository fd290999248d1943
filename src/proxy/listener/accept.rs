//! One core at its socket.

use crate::proxy::connection::client::Client;
use crate::proxy::connection::http;
use crate::proxy::core::Core;
use crate::proxy::l4::{pump, tcp};
use crate::proxy::table::{Local, Service};
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// After an error of ours (no descriptors left), which the next call would only meet again.
const RECOVER: Duration = Duration::from_millis(50);

/// Serves whoever connects, until `close` resolves; then whoever is in the queue, and closes the door.
pub async fn run(core: Rc<Core>, listener: TcpListener, mut close: oneshot::Receiver<()>) {
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => admit(&core, stream, peer),
                Err(error) if is_clients(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(RECOVER).await;
                }
            },
            _ = &mut close => break,
        }
    }
    empty(&core, listener);
}

/// Lets everybody in who has knocked. The socket closes when this returns.
fn empty(core: &Rc<Core>, listener: TcpListener) {
    let Ok(queue) = listener.into_std() else { return };
    while let Ok((stream, peer)) = queue.accept() {
        let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
        if let Ok(stream) = stream {
            admit(core, stream, peer);
        }
    }
}

/// The client went away between its handshake and our accept (accept(2)).
fn is_clients(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

fn admit(core: &Rc<Core>, stream: TcpStream, peer: SocketAddr) {
    let table = core.table();
    let site = local(&stream).and_then(|local| Some((local, table.site(local)?)));
    let Some((local, site)) = site else {
        // Not one of our addresses: nobody listens there, as far as anybody should know.
        pump::reset(&stream);
        return;
    };
    site.counters.connections.add(1);
    let client = Client::new(core, peer, Rc::clone(&site), local);
    tokio::task::spawn_local(async move {
        match &site.service {
            Service::Http(_) => http::serve(client, stream).await,
            Service::Tcp(split) => tcp::serve(client, stream, split).await,
        }
    });
}

fn local(stream: &TcpStream) -> Option<Local> {
    let address = stream.local_addr().ok()?;
    Some((address.ip(), NonZeroU16::new(address.port())?))
}

//! From an endpoint to an HTTP/2 connection.

use super::endpoint::Endpoint;
use crate::runtime::channel::Channel;
use crate::wire::ASK;
use crate::wire::pulse::{Felt, Pulse};
use crate::wire::tls::Security;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// To one of the endpoint's addresses.
const TO_ONE: Duration = Duration::from_secs(2);
/// For the handshakes above TCP.
const ABOVE: Duration = Duration::from_secs(5);
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 2 << 20;
const HEADERS: u32 = 16 << 10;

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("{host} has no address: {source}")]
    Resolve { host: String, source: io::Error },
    #[error("{address} cannot be reached: {source}")]
    Tcp { address: SocketAddr, source: io::Error },
    #[error("{host} has no address")]
    NoAddress { host: String },
    #[error("{0:?} can be in no certificate: use a DNS name or an address")]
    Name(String),
    #[error(
        "TLS does not come about (are both certificates of one authority, and is the controller's for this name?): {0}"
    )]
    Tls(#[source] io::Error),
    #[error("these are a controller's credentials: an agent needs a certificate or a token of its own")]
    NoAgent,
    #[error("HTTP/2 does not come about: {0}")]
    Http(#[source] hyper::Error),
    #[error("the controller accepts the connection and says nothing")]
    Silent,
}

/// The connection, its pulse, and what drives it: it ends when the connection does.
pub struct Connected {
    pub channel: Channel,
    pub pulse: Pulse,
    pub driver: Pin<Box<dyn Future<Output = Result<(), hyper::Error>> + Send>>,
}

impl std::fmt::Debug for Connected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connected")
    }
}

/// # Errors
/// No address of the endpoint leads to a controller that is known and answers.
pub async fn connect(to: &Endpoint, security: &Security) -> Result<Connected, ConnectError> {
    let (stream, pulse) = Felt::new(tcp(to).await?);
    let above = async {
        match security {
            Security::Insecure => http2(stream, pulse).await,
            Security::Tls(identity) => {
                let config = Arc::clone(&identity.borrow().client);
                http2(tls(to, config, stream).await?, pulse).await
            }
            Security::Token(trusted, _) => {
                let config = Arc::clone(&trusted.borrow());
                http2(tls(to, config, stream).await?, pulse).await
            }
            Security::Reviewing(..) => Err(ConnectError::NoAgent),
        }
    };
    timeout(ABOVE, above).await.unwrap_or(Err(ConnectError::Silent))
}

async fn tls<S: AsyncRead + AsyncWrite + Unpin>(
    to: &Endpoint,
    config: Arc<ClientConfig>,
    stream: S,
) -> Result<TlsStream<S>, ConnectError> {
    let name = ServerName::try_from(to.host.clone()).map_err(|_| ConnectError::Name(to.host.clone()))?;
    TlsConnector::from(config).connect(name, stream).await.map_err(ConnectError::Tls)
}

/// One address after the other, in the resolver's order.
async fn tcp(to: &Endpoint) -> Result<TcpStream, ConnectError> {
    let host = || to.host.clone();
    let addresses: Vec<SocketAddr> = match to.address {
        Some(address) => vec![(address, to.port.get()).into()],
        None => {
            let found = lookup_host((to.host.as_str(), to.port.get())).await;
            found.map_err(|source| ConnectError::Resolve { host: host(), source })?.collect()
        }
    };
    let mut failed = ConnectError::NoAddress { host: host() };
    for address in addresses {
        let late = || Err(io::Error::from(io::ErrorKind::TimedOut));
        match timeout(TO_ONE, TcpStream::connect(address)).await.unwrap_or_else(|_| late()) {
            Ok(stream) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(source) => failed = ConnectError::Tcp { address, source },
        }
    }
    Err(failed)
}

async fn http2(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    pulse: Pulse,
) -> Result<Connected, ConnectError> {
    let (channel, driver) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(ASK)
        .keep_alive_timeout(ABOVE)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(HEADERS)
        .handshake(TokioIo::new(io))
        .await
        .map_err(ConnectError::Http)?;
    Ok(Connected { channel: Channel::new(channel), pulse, driver: Box::pin(driver) })
}

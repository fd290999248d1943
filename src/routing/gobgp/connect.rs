//! From an endpoint to an HTTP/2 connection.

use super::{Endpoint, Tls};
use crate::runtime::channel::Channel;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

const PATIENCE: Duration = Duration::from_secs(2);

/// The connection, and what drives it: it ends when the connection does.
pub struct Connected {
    pub channel: Channel,
    pub driver: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// # Errors
/// Nobody is there, or it does not speak HTTP/2 or TLS with us.
pub async fn connect(endpoint: &Endpoint) -> io::Result<Connected> {
    let connecting = async {
        match endpoint {
            Endpoint::Unix(path) => http2(UnixStream::connect(path).await?).await,
            Endpoint::Tcp { host, port, tls } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                match tls {
                    None => http2(stream).await,
                    Some(tls) => {
                        let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
                        let connector = TlsConnector::from(Arc::new(config(tls)?));
                        http2(connector.connect(name, stream).await?).await
                    }
                }
            }
        }
    };
    timeout(PATIENCE, connecting).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn http2(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> io::Result<Connected> {
    let handshake = http2::Builder::new(TokioExecutor::new()).handshake(TokioIo::new(io));
    let (channel, driver) = handshake.await.map_err(io::Error::other)?;
    Ok(Connected { channel: Channel::new(channel), driver: Box::pin(async { drop(driver.await) }) })
}

/// Read at every connection: whoever renews the files restarts nobody.
fn config(tls: &Tls) -> io::Result<ClientConfig> {
    let unusable = |path: &std::path::Path, error: &dyn std::fmt::Display| {
        io::Error::other(format!("{} cannot be used: {error}", path.display()))
    };
    let mut roots = RootCertStore::empty();
    let authorities = CertificateDer::pem_file_iter(&tls.ca).map_err(|error| unusable(&tls.ca, &error))?;
    for authority in authorities {
        let authority = authority.map_err(|error| unusable(&tls.ca, &error))?;
        roots.add(authority).map_err(|error| unusable(&tls.ca, &error))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(io::Error::other)?
        .with_root_certificates(roots);
    let mut config = match &tls.identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = CertificateDer::pem_file_iter(certificate)
                .and_then(Iterator::collect)
                .map_err(|error| unusable(certificate, &error))?;
            let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
            builder.with_client_auth_cert(chain, private).map_err(|error| unusable(certificate, &error))?
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

//! Keys and certificates from a directory, as `kubernetes.io/tls` Secrets and cert-manager lay them out:
//! `ca.crt`, `tls.crt`, `tls.key`. They are read again when they change: new connections use the new files,
//! and files that do not fit together leave the old ones in use.

use crate::model::name::Name;
use crate::runtime::ask::Ask;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The files' names.
pub const CA: &str = "ca.crt";
pub const CERTIFICATE: &str = "tls.crt";
pub const KEY: &str = "tls.key";

const ALPN: &[u8] = b"h2";

/// Who an agent's token was made for, in the word of whoever issued it; or why it is not believed.
pub type Reviews = Ask<String, Result<Name, String>>;

/// How the two sides know each other.
#[derive(Debug, Clone)]
pub enum Security {
    /// By certificates of one authority.
    Tls(watch::Receiver<Arc<Identity>>),
    /// A controller's in a cluster: it shows a certificate, and has each agent's token reviewed.
    Reviewing(watch::Receiver<Arc<ServerConfig>>, Reviews),
    /// An agent's in a cluster: it believes controllers by their authority's certificate, and shows the token in the
    /// file, read anew for each connection.
    Token(watch::Receiver<Arc<ClientConfig>>, PathBuf),
    /// Not at all: each node is who it says it is, and everybody on the way can read and write. Only ever
    /// because somebody asked for it in so many words.
    Insecure,
}

/// One side's certificate and the authority that it trusts, for either side of a connection. TLS 1.3 only:
/// both sides are ours.
pub struct Identity {
    pub server: Arc<ServerConfig>,
    pub client: Arc<ClientConfig>,
    /// Judges clients' certificates.
    pub verifier: Arc<dyn ClientCertVerifier>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {path}: {source}")]
    Read { path: String, source: std::io::Error },
    #[error("{path} is no {what} in PEM: {source}")]
    Pem { path: String, what: &'static str, source: pem::Error },
    #[error("{path} has no certificate in it")]
    Empty { path: String },
    #[error("{path} cannot be trusted as an authority: {source}")]
    Authority { path: String, source: rustls::Error },
    #[error("the authority in {path} cannot judge clients: {source}")]
    Verifier { path: String, source: rustls::server::VerifierBuilderError },
    #[error("the certificate and the key in {path} cannot be used together: {source}")]
    Pair { path: String, source: rustls::Error },
}

/// The three files' content.
#[derive(PartialEq, Eq)]
struct Files([Vec<u8>; 3]);

impl Files {
    fn read(directory: &Path) -> Result<Self, TlsError> {
        let read = |name| {
            let path = directory.join(name);
            std::fs::read(&path).map_err(|source| TlsError::Read { path: path.display().to_string(), source })
        };
        Ok(Self([read(CA)?, read(CERTIFICATE)?, read(KEY)?]))
    }

    fn identity(&self, directory: &Path) -> Result<Identity, TlsError> {
        let Self([ca, certificate, key]) = self;
        let path = |name: &str| directory.join(name).display().to_string();
        let mut roots = RootCertStore::empty();
        for root in certificates(ca, path(CA))? {
            roots.add(root).map_err(|source| TlsError::Authority { path: path(CA), source })?;
        }
        let chain = certificates(certificate, path(CERTIFICATE))?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|source| TlsError::Pem {
            path: path(KEY),
            what: "private key",
            source,
        })?;
        let (roots, provider) = (Arc::new(roots), Arc::new(aws_lc_rs::default_provider()));
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider))
            .build()
            .map_err(|source| TlsError::Verifier { path: path(CA), source })?;
        let pair = |source| TlsError::Pair { path: directory.display().to_string(), source };
        let server = server(&provider, &verifier, chain.clone(), key.clone_key()).map_err(pair)?;
        let client = client(&provider, roots, chain, key).map_err(pair)?;
        Ok(Identity { server: Arc::new(server), client: Arc::new(client), verifier })
    }
}

fn certificates(text: &[u8], path: String) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match found {
        Ok(found) if found.is_empty() => Err(TlsError::Empty { path }),
        Ok(found) => Ok(found),
        Err(source) => Err(TlsError::Pem { path, what: "certificate", source }),
    }
}

/// For a controller that knows agents by their tokens. `chain` and `key` are PEM.
///
/// # Errors
/// They are no certificates and no key, or do not belong together.
pub fn serving(chain: &str, key: &str) -> Result<ServerConfig, TlsError> {
    let path = || "the serving certificate".to_owned();
    let chain = certificates(chain.as_bytes(), path())?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|source| TlsError::Pem {
        path: path(),
        what: "private key",
        source,
    })?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let none = WebPkiClientVerifier::no_client_auth();
    server(&provider, &none, chain, key).map_err(|source| TlsError::Pair { path: path(), source })
}

/// For an agent that shows a token: trusts the authorities in the file.
///
/// # Errors
/// The file cannot be read, or has no certificate in it that can be trusted.
pub fn trusting(file: &Path) -> Result<ClientConfig, TlsError> {
    let path = || file.display().to_string();
    let text = std::fs::read(file).map_err(|source| TlsError::Read { path: path(), source })?;
    let mut roots = RootCertStore::empty();
    for root in certificates(&text, path())? {
        roots.add(root).map_err(|source| TlsError::Authority { path: path(), source })?;
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|source| TlsError::Authority { path: path(), source })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(config)
}

fn server(
    provider: &Arc<CryptoProvider>,
    verifier: &Arc<dyn ClientCertVerifier>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::clone(verifier))
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    // Tickets are the clients' to keep: a thousand that come back at once resume, and cost no memory here.
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    Ok(config)
}

fn client(
    provider: &Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(config)
}

/// What is in `directory` now.
///
/// # Errors
/// A file is missing, unreadable, or does not fit the others.
pub fn read(directory: &Path) -> Result<Identity, TlsError> {
    Files::read(directory)?.identity(directory)
}

/// What is in `directory` now, and a task that looks every `interval` whether it is something else.
///
/// # Errors
/// As [`read`], and only now: what goes wrong later is logged, and the old files stay in use.
pub fn follow(
    directory: PathBuf,
    interval: Duration,
) -> Result<(Security, impl Future<Output = ()> + Send + 'static), TlsError> {
    let mut in_use = Files::read(&directory)?;
    let (identity, newest) = watch::channel(Arc::new(in_use.identity(&directory)?));
    let following = async move {
        let mut complaint = String::new();
        loop {
            tokio::time::sleep(interval).await;
            match reread(&directory, &mut in_use) {
                Ok(None) => complaint.clear(),
                Ok(Some(new)) => {
                    tracing::info!(directory = %directory.display(), "new certificates are in use");
                    complaint.clear();
                    identity.send_replace(Arc::new(new));
                }
                Err(error) if error.to_string() == complaint => {}
                Err(error) => {
                    complaint = error.to_string();
                    tracing::warn!(%error, "the new certificates cannot be used; the old ones stay in use");
                }
            }
        }
    };
    Ok((Security::Tls(newest), following))
}

/// An agent's side, with a task that looks every `interval` whether the file holds other authorities.
///
/// # Errors
/// As [`trusting`], and only now: what goes wrong later is logged, and what was trusted stays trusted.
pub fn follow_authorities(
    file: PathBuf,
    token: PathBuf,
    interval: Duration,
) -> Result<(Security, impl Future<Output = ()> + Send + 'static), TlsError> {
    let mut in_use = std::fs::read(&file).ok();
    let (trusted, newest) = watch::channel(Arc::new(trusting(&file)?));
    let following = async move {
        loop {
            tokio::time::sleep(interval).await;
            let found = std::fs::read(&file).ok();
            if found == in_use {
                continue;
            }
            match trusting(&file) {
                Ok(config) => drop(trusted.send_replace(Arc::new(config))),
                Err(error) => tracing::warn!(%error, "the authorities that were trusted stay trusted"),
            }
            in_use = found;
        }
    };
    Ok((Security::Token(newest, token), following))
}

fn reread(directory: &Path, in_use: &mut Files) -> Result<Option<Identity>, TlsError> {
    let found = Files::read(directory)?;
    if found == *in_use {
        return Ok(None);
    }
    let identity = found.identity(directory)?;
    *in_use = found;
    Ok(Some(identity))
}

//! The controller's certificate in a cluster: made by the controller itself, from the authority that all of them
//! share, and renewed long before it ends.

use crate::k8s::authority::{self, AuthorityError, Pem};
use crate::runtime::backoff::Backoff;
use crate::wire::certificates::{Authority, CertificateError, Pair, authority_pair};
use crate::wire::tls::{TlsError, serving};
use kube::Client;
use rustls::ServerConfig;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

const VALID_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
/// A third of the time is left then for whatever goes wrong.
const RENEWED_AFTER: Duration = Duration::from_secs(20 * 24 * 3600);
/// How often it is looked whether the authority is another one.
const LOOK: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
pub enum ServingError {
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// What the certificate is made from.
#[expect(missing_debug_implementations, reason = "a client has none")]
pub struct Serving {
    pub client: Client,
    pub namespace: String,
    /// By which agents reach this controller.
    pub names: Vec<String>,
}

impl Serving {
    async fn authority(&self) -> Result<Pem, ServingError> {
        let Pair { certificate, key } = authority_pair(SystemTime::now())?;
        Ok(authority::open(&self.client, &self.namespace, &(certificate, key)).await?)
    }

    async fn issue(&self, (certificate, key): &Pem) -> Result<ServerConfig, ServingError> {
        authority::show(&self.client, &self.namespace, certificate).await?;
        let pair = Pair { certificate: certificate.clone(), key: key.clone() };
        let place = format!("Secret {}/{}", self.namespace, authority::NAME);
        let authority = Authority::from_pem(&pair, &place)?;
        let Pair { certificate, key } = authority.serving(&self.names, VALID_FOR, SystemTime::now())?;
        Ok(serving(&certificate, &key)?)
    }

    /// The first certificate. Waits for as long as the server gives no authority: nobody can be served without.
    pub async fn first(&self) -> (Pem, ServerConfig) {
        let mut backoff = Backoff::default();
        let mut complaint = String::new();
        loop {
            let made = async {
                let authority = self.authority().await?;
                let config = self.issue(&authority).await?;
                Ok::<_, ServingError>((authority, config))
            };
            match made.await {
                Ok(made) => return made,
                Err(error) => {
                    let words = error.to_string();
                    if words != complaint {
                        tracing::warn!(error = words, "no certificate can be made yet; trying again");
                    }
                    complaint = words;
                }
            }
            sleep(backoff.after_failure(fastrand::f64())).await;
        }
    }

    /// Renews it for ever, in time and with a new authority.
    pub async fn renew(self, mut authority: Pem, config: watch::Sender<Arc<ServerConfig>>) {
        let mut issued = Instant::now();
        loop {
            sleep(LOOK).await;
            let newest = match self.authority().await {
                Ok(newest) => newest,
                Err(error) => {
                    tracing::debug!(%error, "the authority cannot be read; the certificate stays");
                    continue;
                }
            };
            if newest == authority && issued.elapsed() < RENEWED_AFTER {
                continue;
            }
            match self.issue(&newest).await {
                Ok(new) => {
                    config.send_replace(Arc::new(new));
                    tracing::info!("a new certificate is in use");
                    (authority, issued) = (newest, Instant::now());
                }
                Err(error) => tracing::warn!(%error, "no new certificate can be made; the old one stays"),
            }
        }
    }
}

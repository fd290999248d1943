//! One connection: who it is, and its calls.

use super::Shared;
use super::estate::{Caller, Service};
use super::lobby::Place;
use super::metrics::Refusal;
use crate::model::name::Name;
use crate::wire::proto::estate_server::EstateServer;
use crate::wire::pulse::{Felt, Pulse};
use crate::wire::tls::{Identity, Reviews, Security};
use crate::wire::{MESSAGE, NODE_HEADER};
use http::header::AUTHORIZATION;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, UnixTime};
use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, interval_at, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::codegen::Service as _;

/// How often an open connection's certificate is looked at again, by the newest authority.
const RECHECK: Duration = Duration::from_secs(60);
/// How long a call waits for its token's review.
const REVIEW: Duration = Duration::from_secs(4);
/// Watch and Report, and as many that are just ending.
const STREAMS: u32 = 4;
const HEADERS: u32 = 16 << 10;
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 512 << 10;
const SEND_BUFFER: usize = 256 << 10;

/// Serves whoever connected, until either side has enough.
pub async fn connection(shared: Arc<Shared>, stream: TcpStream, place: Place) {
    // A page is written in large pieces and an answer is one small one: neither gains by waiting.
    let _ = stream.set_nodelay(true);
    let (stream, pulse) = Felt::new(stream);
    let outcome = match &shared.security {
        Security::Insecure => serve(&shared, stream, &pulse, Who::AsItSays(place)).await,
        Security::Tls(identity) => match handshake(&shared, identity, stream, &place).await {
            Ok((stream, who)) => {
                drop(place);
                serve(&shared, stream, &pulse, who).await
            }
            Err(refusal) => Err(refusal),
        },
        Security::Reviewing(config, reviews) => {
            let config = Arc::clone(&config.borrow());
            match accept(&shared, config, stream, &place).await {
                Ok(stream) => serve(&shared, stream, &pulse, Who::AsReviewed(place, reviews.clone())).await,
                Err(refusal) => Err(refusal),
            }
        }
        // An agent's credentials let nobody in.
        Security::Token(..) => Err(Refusal::Handshake),
    };
    if let Err(refusal) = outcome {
        shared.metrics.refuse(refusal);
        tracing::debug!(reason = refusal.as_str(), "a connection is refused");
    }
}

/// Whose connection it is.
enum Who {
    Certified {
        node: Name,
        chain: Vec<CertificateDer<'static>>,
        identity: watch::Receiver<Arc<Identity>>,
    },
    /// By the token of each call; it waits in the lobby until its first call.
    AsReviewed(Place, Reviews),
    /// In plaintext, by a header; it waits in the lobby until its first call.
    AsItSays(Place),
}

/// How a connection's calls tell whose they are.
#[derive(Clone)]
enum Proof {
    Certificate(Name),
    Token(Reviews),
    Nothing,
}

async fn handshake(
    shared: &Shared,
    identity: &watch::Receiver<Arc<Identity>>,
    stream: Felt<TcpStream>,
    place: &Place,
) -> Result<(TlsStream<Felt<TcpStream>>, Who), Refusal> {
    let peer = place.address;
    let newest = Arc::clone(&identity.borrow());
    let stream = accept(shared, Arc::clone(&newest.server), stream, place).await?;
    let chain: Vec<_> = stream
        .get_ref()
        .1
        .peer_certificates()
        .unwrap_or_default()
        .iter()
        .map(|c| c.clone().into_owned())
        .collect();
    // A session that was resumed was judged when it began.
    judge(&newest, &chain).map_err(|error| {
        tracing::info!(%peer, %error, "a certificate is no longer good");
        Refusal::Certificate
    })?;
    let Some(node) = node(&chain) else {
        tracing::info!(%peer, "a certificate names no node: it needs exactly one DNS name, the node's");
        return Err(Refusal::Name);
    };
    Ok((stream, Who::Certified { node, chain, identity: identity.clone() }))
}

async fn accept(
    shared: &Shared,
    config: Arc<ServerConfig>,
    stream: Felt<TcpStream>,
    place: &Place,
) -> Result<TlsStream<Felt<TcpStream>>, Refusal> {
    let accept = timeout(shared.limits.handshake, TlsAcceptor::from(config).accept(stream));
    tokio::select! {
        accepted = accept => match accepted {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => {
                tracing::info!(peer = %place.address, %error, "a connection's handshake failed");
                Err(failure(&error))
            }
            Err(_) => Err(Refusal::TimedOut),
        },
        () = place.lost.cancelled() => Err(Refusal::Crowded),
    }
}

fn failure(error: &io::Error) -> Refusal {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::NoCertificatesPresented) => Refusal::NoCertificate,
        Some(rustls::Error::InvalidCertificate(_)) => Refusal::Certificate,
        _ => Refusal::Handshake,
    }
}

fn judge(identity: &Identity, chain: &[CertificateDer<'static>]) -> Result<(), rustls::Error> {
    let (own, above) = chain.split_first().ok_or(rustls::Error::NoCertificatesPresented)?;
    identity.verifier.verify_client_cert(own, above, UnixTime::now()).map(|_| ())
}

/// The node that the certificate is for: its only DNS name.
fn node(chain: &[CertificateDer<'static>]) -> Option<Name> {
    let certificate = webpki::EndEntityCert::try_from(chain.first()?).ok()?;
    let mut names = certificate.valid_dns_names();
    let node = Name::parse(names.next()?).ok()?;
    names.next().is_none().then_some(node)
}

/// Answers calls over `io`. A connection that does not come to its first one in time is closed.
async fn serve(
    shared: &Arc<Shared>,
    io: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    pulse: &Pulse,
    who: Who,
) -> Result<(), Refusal> {
    let (close, arrived) = (CancellationToken::new(), CancellationToken::new());
    let (proof, mut place, certificate) = match who {
        Who::Certified { node, chain, identity } => {
            shared.register.connected(&node, &close).map_err(|_| Refusal::Crowded)?;
            (Proof::Certificate(node), None, Some((chain, identity)))
        }
        Who::AsReviewed(place, reviews) => (Proof::Token(reviews), Some(place), None),
        Who::AsItSays(place) => (Proof::Nothing, Some(place), None),
    };
    let _done = close.clone().drop_guard();
    let calls = Calls { shared: Arc::clone(shared), proof, close: close.clone(), arrived: arrived.clone() };
    let mut connection = pin!(http2(TokioIo::new(io), calls));
    let mut is_waiting = true;
    let mut deadline = pin!(sleep(shared.limits.handshake));
    let mut recheck = interval_at(Instant::now() + RECHECK, RECHECK);
    loop {
        let lost = async {
            match &place {
                Some(place) => place.lost.cancelled().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // What has arrived is read before any of the rest is concluded.
            biased;
            () = &mut connection => return Ok(()),
            () = close.cancelled() => return Ok(()),
            () = arrived.cancelled(), if is_waiting => (is_waiting, place) = (false, None),
            () = &mut deadline, if is_waiting => return Err(Refusal::TimedOut),
            () = lost, if is_waiting => return Err(Refusal::Crowded),
            () = pulse.stops(), if !is_waiting => return Ok(()),
            _ = recheck.tick() => if let Some((chain, identity)) = &certificate {
                let newest = Arc::clone(&identity.borrow());
                judge(&newest, chain).map_err(|_| Refusal::Certificate)?;
            }
        }
    }
}

async fn http2(io: impl Read + Write + Unpin + Send + 'static, calls: Calls) {
    let service = service_fn(move |request| {
        let calls = calls.clone();
        async move { Ok::<_, Infallible>(calls.answer(request).await) }
    });
    let served = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADERS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .serve_connection(io, service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection broke");
    }
}

/// What a connection's calls share.
#[derive(Clone)]
struct Calls {
    shared: Arc<Shared>,
    proof: Proof,
    close: CancellationToken,
    arrived: CancellationToken,
}

impl Calls {
    async fn answer(self, mut request: Request<Incoming>) -> Response<tonic::body::Body> {
        let node = match self.caller(&request).await {
            Ok(node) => node,
            Err((refusal, status)) => {
                self.shared.metrics.refuse(refusal);
                return status.into_http();
            }
        };
        self.arrived.cancel();
        request.extensions_mut().insert(Caller { node, close: self.close });
        let mut service = EstateServer::new(Service(self.shared))
            .max_decoding_message_size(MESSAGE)
            .max_encoding_message_size(MESSAGE);
        service.call(request).await.unwrap_or_else(|never: Infallible| match never {})
    }

    /// The node that calls. What proves it decides; what it says of itself must agree.
    async fn caller(&self, request: &Request<Incoming>) -> Result<Name, (Refusal, Status)> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let said = header(NODE_HEADER);
        let (proven, proof) = match &self.proof {
            Proof::Certificate(node) => (node.clone(), "certificate"),
            Proof::Token(reviews) => {
                let token = header(AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
                let node = review(reviews, token).await?;
                if !self.arrived.is_cancelled() {
                    self.shared
                        .register
                        .connected(&node, &self.close)
                        .map_err(|full| (Refusal::Crowded, Status::resource_exhausted(full.to_string())))?;
                }
                (node, "token")
            }
            Proof::Nothing => {
                let node = said.and_then(|said| Name::parse(said).ok());
                let words = "the call does not say which node it is";
                return node.ok_or_else(|| (Refusal::Name, Status::unauthenticated(words)));
            }
        };
        match said {
            Some(said) if proven.as_str() != said => {
                let words = format!("the {proof} is node {proven}'s, and the agent says it is {said:?}");
                Err((Refusal::Name, Status::permission_denied(words)))
            }
            _ => Ok(proven),
        }
    }
}

async fn review(reviews: &Reviews, token: Option<&str>) -> Result<Name, (Refusal, Status)> {
    let refused = |words: String| (Refusal::Token, Status::unauthenticated(words));
    let token = token.ok_or_else(|| refused("the call shows no token".to_owned()))?;
    match timeout(REVIEW, reviews.ask(token.to_owned())).await {
        Ok(Some(reviewed)) => reviewed.map_err(refused),
        Ok(None) | Err(_) => Err(refused("tokens cannot be reviewed at the moment".to_owned())),
    }
}

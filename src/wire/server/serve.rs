//! One connection: who it is, and its calls.

use super::Shared;
use super::estate::{Caller, Service};
use super::lobby::Place;
use super::metrics::Refusal;
use crate::model::name::Name;
use crate::wire::proto::estate_server::EstateServer;
use crate::wire::pulse::{Felt, Pulse};
use crate::wire::tls::{Identity, Security};
use crate::wire::{MESSAGE, NODE_HEADER};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
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
    /// In plaintext, by a header; it waits in the lobby until its first call.
    AsItSays(Place),
}

async fn handshake(
    shared: &Shared,
    identity: &watch::Receiver<Arc<Identity>>,
    stream: Felt<TcpStream>,
    place: &Place,
) -> Result<(TlsStream<Felt<TcpStream>>, Who), Refusal> {
    let peer = place.address;
    let newest = Arc::clone(&identity.borrow());
    let accept =
        timeout(shared.limits.handshake, TlsAcceptor::from(Arc::clone(&newest.server)).accept(stream));
    let stream = tokio::select! {
        accepted = accept => match accepted {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                tracing::info!(%peer, %error, "a connection's handshake failed");
                return Err(failure(&error));
            }
            Err(_) => return Err(Refusal::TimedOut),
        },
        () = place.lost.cancelled() => return Err(Refusal::Crowded),
    };
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
    let (known, mut place, certificate) = match who {
        Who::Certified { node, chain, identity } => {
            shared.register.connected(&node, &close).map_err(|_| Refusal::Crowded)?;
            (Some(node), None, Some((chain, identity)))
        }
        Who::AsItSays(place) => (None, Some(place), None),
    };
    let _done = close.clone().drop_guard();
    let calls = Calls { shared: Arc::clone(shared), known, close: close.clone(), arrived: arrived.clone() };
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
    known: Option<Name>,
    close: CancellationToken,
    arrived: CancellationToken,
}

impl Calls {
    async fn answer(self, mut request: Request<Incoming>) -> Response<tonic::body::Body> {
        let said = request.headers().get(NODE_HEADER).and_then(|value| value.to_str().ok());
        let node = match (self.known, said) {
            (Some(known), Some(said)) if known.as_str() != said => {
                self.shared.metrics.refuse(Refusal::Name);
                let words = format!("the certificate is node {known}'s, and the agent says it is {said:?}");
                return Status::permission_denied(words).into_http();
            }
            (Some(known), _) => known,
            (None, said) => match said.and_then(|said| Name::parse(said).ok()) {
                Some(node) => node,
                None => {
                    self.shared.metrics.refuse(Refusal::Name);
                    return Status::unauthenticated("the call does not say which node it is").into_http();
                }
            },
        };
        self.arrived.cancel();
        request.extensions_mut().insert(Caller { node, close: self.close });
        let mut service = EstateServer::new(Service(self.shared))
            .max_decoding_message_size(MESSAGE)
            .max_encoding_message_size(MESSAGE);
        service.call(request).await.unwrap_or_else(|never: Infallible| match never {})
    }
}

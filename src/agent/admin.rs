//! The unix socket that `novaedge-agent status` asks.
//!
//! HTTP/1.1 over a socket of mode 0600, so that `curl --unix-socket` works as well:
//! `GET /status` (a [`NodeStatus`] as JSON), `GET /metrics` (OpenMetrics), `GET /healthz`.

use crate::model::status::NodeStatus;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use prometheus_client::registry::Registry;
use std::convert::Infallible;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

/// A question that takes longer is no question of a person at a terminal.
const CONNECTION_LIMIT: Duration = Duration::from_secs(10);

/// What the socket can answer from.
#[derive(Debug, Clone)]
struct Answers {
    status: watch::Receiver<Option<Arc<NodeStatus>>>,
    registry: Arc<Mutex<Registry>>,
}

/// Opens the socket at once and returns the future that serves it. A socket file that a killed agent left
/// behind is replaced; one that somebody still answers on is not.
///
/// # Errors
/// Another agent answers there, or the path cannot be bound.
pub fn serve(
    path: &Path,
    status: watch::Receiver<Option<Arc<NodeStatus>>>,
    registry: Arc<Mutex<Registry>>,
) -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let listener = bind(path)?;
    let answers = Answers { status, registry };
    Ok(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(tokio::time::timeout(CONNECTION_LIMIT, converse(stream, answers.clone())));
                }
                Err(error) => {
                    tracing::warn!(%error, "the admin socket cannot accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    })
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "another agent answers there; give this one its own --admin-socket",
        ));
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn converse(stream: UnixStream, answers: Answers) {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = answers.to(request.method(), request.uri().path());
        async move { Ok::<_, Infallible>(response) }
    });
    let served =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    if let Err(error) = served {
        tracing::debug!(%error, "an admin connection ended early");
    }
}

impl Answers {
    fn to(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        match (method, path) {
            (&Method::GET, "/status") => match self.status.borrow().as_deref() {
                Some(status) => json(status),
                None => text(StatusCode::SERVICE_UNAVAILABLE, "the agent has just started; ask again\n"),
            },
            (&Method::GET, "/metrics") => self.metrics(),
            (&Method::GET, "/healthz") => text(StatusCode::OK, "ok\n"),
            (&Method::GET, _) => text(StatusCode::NOT_FOUND, "ask for /status, /metrics or /healthz\n"),
            _ => text(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here\n"),
        }
    }

    fn metrics(&self) -> Response<Full<Bytes>> {
        let mut page = String::new();
        let registry = self.registry.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match prometheus_client::encoding::text::encode(&mut page, &registry) {
            Ok(()) => respond(
                StatusCode::OK,
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
                page.into(),
            ),
            Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be encoded\n"),
        }
    }
}

fn json(status: &NodeStatus) -> Response<Full<Bytes>> {
    match serde_json::to_vec(status) {
        Ok(body) => respond(StatusCode::OK, "application/json", body.into()),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &format!("{error}\n")),
    }
}

fn text(status: StatusCode, body: &str) -> Response<Full<Bytes>> {
    respond(status, "text/plain; charset=utf-8", Bytes::copy_from_slice(body.as_bytes()))
}

fn respond(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response
}

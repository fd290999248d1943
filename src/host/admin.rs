//! Questions to a running program over HTTP/1.1: on a unix socket that only its owner can open, so that
//! `curl --unix-socket` works as well, or on a TCP address for those who collect metrics.
//!
//! What is answered is the caller's: a function from method and path to a [`Page`] in the future. At most
//! [`AT_ONCE`] connections are served at a time, each for at most [`CONNECTION_LIMIT`]; the others wait
//! in the kernel's queue, so that a stranger cannot fill the program's memory.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use prometheus_client::registry::Registry;
use serde::Serialize;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::either::Either;

/// A question that takes longer is no question of a person at a terminal.
pub const CONNECTION_LIMIT: Duration = Duration::from_secs(10);

/// Connections of one door that are served at a time.
pub const AT_ONCE: usize = 32;

/// An answer.
pub type Page = Response<Full<Bytes>>;

/// Where questions come in.
#[derive(Debug)]
pub enum Door {
    Unix(UnixListener),
    Tcp(TcpListener),
}

impl Door {
    /// Opens a socket of mode 0600. A socket file that a killed program left behind is replaced; one that
    /// somebody still answers on is not.
    ///
    /// # Errors
    /// Another program answers there, or the path cannot be bound.
    pub fn unix(path: &Path) -> io::Result<Self> {
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                "another process answers there; give this one its own --admin-socket",
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
        Ok(Self::Unix(listener))
    }

    /// Opens a TCP port. Whoever can reach it can ask: answer nothing there that is not for everybody.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub fn tcp(address: SocketAddr) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self::Tcp(TcpListener::from_std(listener)?))
    }

    /// Answers everybody, for ever.
    pub async fn serve<A, F>(self, answer: A)
    where
        A: Fn(Method, String) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Page> + Send + 'static,
    {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return; // nobody closes it
            };
            match self.accept().await {
                Ok(stream) => {
                    let conversation =
                        tokio::time::timeout(CONNECTION_LIMIT, converse(stream, answer.clone()));
                    tokio::spawn(async move {
                        let _ = conversation.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "an admin connection cannot be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn accept(&self) -> io::Result<Either<UnixStream, TcpStream>> {
        match self {
            Self::Unix(listener) => listener.accept().await.map(|(stream, _)| Either::Left(stream)),
            Self::Tcp(listener) => listener.accept().await.map(|(stream, _)| Either::Right(stream)),
        }
    }
}

async fn converse<S, A, F>(stream: S, answer: A)
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Fn(Method, String) -> F,
    F: Future<Output = Page>,
{
    let service = service_fn(|request: Request<Incoming>| {
        let page = answer(request.method().clone(), request.uri().path().to_owned());
        async move { Ok::<_, Infallible>(page.await) }
    });
    let served =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    if let Err(error) = served {
        tracing::debug!(%error, "an admin connection ended early");
    }
}

pub fn json<T: Serialize>(value: &T) -> Page {
    match serde_json::to_vec(value) {
        Ok(body) => respond(StatusCode::OK, "application/json", body.into()),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &format!("{error}\n")),
    }
}

pub fn text(status: StatusCode, body: &str) -> Page {
    respond(status, "text/plain; charset=utf-8", Bytes::copy_from_slice(body.as_bytes()))
}

/// The metrics of a registry, as OpenMetrics.
pub fn metrics(registry: &Mutex<Registry>) -> Page {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let mut page = String::new();
    let registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
    match prometheus_client::encoding::text::encode(&mut page, &registry) {
        Ok(()) => respond(StatusCode::OK, OPEN_METRICS, page.into()),
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be encoded\n"),
    }
}

/// What every program answers whoever watches over it: `/metrics`, `/healthz` (the process lives) and `/readyz`
/// (it does its work). Anything else is not found.
pub fn vital(method: &Method, path: &str, registry: &Mutex<Registry>, ready: bool) -> Page {
    match (method, path) {
        (&Method::GET, "/metrics") => metrics(registry),
        (&Method::GET, "/healthz") => text(StatusCode::OK, "ok\n"),
        (&Method::GET, "/readyz") if ready => text(StatusCode::OK, "ok\n"),
        (&Method::GET, "/readyz") => text(StatusCode::SERVICE_UNAVAILABLE, "not ready yet\n"),
        (&Method::GET, _) => {
            text(StatusCode::NOT_FOUND, "nothing is here; /metrics, /healthz and /readyz are\n")
        }
        _ => text(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here\n"),
    }
}

fn respond(status: StatusCode, content_type: &'static str, body: Bytes) -> Page {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn answer(method: Method, path: String) -> Page {
        text(StatusCode::OK, &format!("{method} {path}"))
    }

    async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> String {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        said
    }

    #[tokio::test]
    async fn a_unix_socket_answers_its_owner_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/admin.sock");
        let door = tokio::spawn(Door::unix(&path).unwrap().serve(answer));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let said = ask(UnixStream::connect(&path).await.unwrap()).await;
        assert!(said.starts_with("HTTP/1.1 200") && said.ends_with("GET /healthz"), "{said}");
        assert_eq!(Door::unix(&path).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        door.abort();
        assert!(door.await.unwrap_err().is_cancelled());
        Door::unix(&path).expect("what a dead program left behind is replaced");
    }

    #[tokio::test]
    async fn a_place_comes_back_from_whoever_goes() {
        let door = Door::tcp("127.0.0.1:0".parse().unwrap()).unwrap();
        let Door::Tcp(listener) = &door else { unreachable!("a TCP door") };
        let address = listener.local_addr().unwrap();
        let door = tokio::spawn(door.serve(answer));
        let mut silent = Vec::new();
        for _ in 0..AT_ONCE {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        drop(silent);
        let said = ask(TcpStream::connect(address).await.unwrap()).await;
        assert!(said.ends_with("GET /healthz"), "{said}");
        door.abort();
    }
}

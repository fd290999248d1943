//! Endpoints to forward to. Each listens in the namespace's loopback network and ends with its value.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use std::convert::Infallible;
use std::fmt::Write;
use std::future::Future;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub type Body = BoxBody<Bytes, hyper::Error>;

/// Dropping it closes its listener and cuts its connections.
pub struct Endpoint {
    pub address: SocketAddr,
    _accepts: JoinSet<()>,
}

impl Endpoint {
    /// Runs `serve` for each connection to a free port.
    pub async fn raw<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::at("127.0.0.1:0".parse().unwrap(), serve).await
    }

    pub async fn at<F>(address: SocketAddr, serve: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(address).unwrap();
        let listener: TcpListener = socket.listen(1024).unwrap();
        let address = listener.local_addr().unwrap();
        let mut accepts = JoinSet::new();
        accepts.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream));
            }
        });
        Self { address, _accepts: accepts }
    }

    /// Answers HTTP/1.1 and HTTP/2 requests.
    pub async fn http<F>(answer: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static) -> Self
    where
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        Self::raw(move |stream| speak_http(stream, answer.clone())).await
    }

    /// Answers each request with its name and with what it got.
    pub async fn echo(name: &'static str) -> Self {
        Self::http(move |request| echo(name, request)).await
    }

    /// Reads one HTTP/1 head on each connection, says `words`, and closes.
    pub async fn saying(words: &'static str) -> Self {
        Self::raw(move |mut stream| async move {
            head(&mut stream).await;
            let _ = stream.write_all(words.as_bytes()).await;
        })
        .await
    }
}

async fn speak_http<F>(stream: TcpStream, answer: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static)
where
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let service = service_fn(move |request| {
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    // Clients that go away are what some tests are about.
    let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

/// The head as it came: lines up to and without the empty one; empty if the client closed.
pub async fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => bytes.push(byte),
            Err(_) => return String::new(),
        }
    }
    String::from_utf8(bytes).unwrap().trim_end().to_owned()
}

pub fn full(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).map_err(|never| match never {}).boxed()
}

/// `METHOD TARGET VERSION`, the fields one a line, the body's length and the trailers.
async fn echo(name: &'static str, request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let mut text = format!("{} {} {:?}\n", parts.method, parts.uri, parts.version);
    for (name, value) in &parts.headers {
        writeln!(text, "{name}: {}", value.to_str().unwrap()).unwrap();
    }
    if let Ok(body) = body.collect().await {
        if let Some(trailers) = body.trailers() {
            writeln!(text, "trailers: {trailers:?}").unwrap();
        }
        writeln!(text, "body: {}", body.to_bytes().len()).unwrap();
    }
    let mut response = Response::new(full(text));
    response.headers_mut().insert("x-endpoint", name.parse().unwrap());
    response
}

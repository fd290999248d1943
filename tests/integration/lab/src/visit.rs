//! Single visits from a namespace: a GET by HTTP/1.1 or h2c, a TCP connection, a ping.

use crate::Netns;
use crate::http1::{self, Answer};
use crate::topology::NodeId;
use anyhow::{Context, Result, anyhow, ensure};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use socket2::SockRef;
use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(3);

/// An answer to a single request.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// The node whose kernel accepted the connection, which is the one that the routers chose.
    pub accepted_by: Option<NodeId>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Who answered in the end: node and name of the backend, `n1/a`.
    pub fn backend(&self) -> Option<String> {
        Some(format!("{}/{}", self.header("x-node")?, self.header("x-backend")?))
    }
}

/// One GET over HTTP/1.1 on a new connection.
///
/// # Errors
/// No whole answer within 3 s a step; the message says what failed, and the cause is the `std::io::Error`.
pub fn http_get(netns: &Netns, to: SocketAddr, host: &str, path: &str) -> Result<Response> {
    let mut stream = connect(netns, to)?;
    let accepted_by = accepted_by(&SockRef::from(&stream));
    stream.write_all(&http1::get(host, path, true)).with_context(|| format!("{to}: writing the request"))?;
    let mut answer = Answer::default();
    let mut chunk = [0; 16384];
    while !answer.complete() {
        let read = crate::patient::read(&mut stream, &mut chunk)
            .with_context(|| format!("{to}: waiting for the answer"))?;
        if read == 0 {
            answer.end();
            ensure!(answer.complete(), "{to}: the connection ended without a whole answer");
        }
        answer.feed(&chunk[..read]).map_err(|_| anyhow!("{to}: the answer is not HTTP"))?;
    }
    let Answer { status, headers, body, .. } = answer;
    Ok(Response { status, headers, body: String::from_utf8_lossy(&body).into_owned(), accepted_by })
}

/// One GET over HTTP/2 by prior knowledge on a new connection.
///
/// # Errors
/// As [`http_get`].
pub fn h2c_get(netns: &Netns, to: SocketAddr, host: &str, path: &str) -> Result<Response> {
    let stream = connect(netns, to)?;
    let accepted_by = accepted_by(&SockRef::from(&stream));
    stream.set_nonblocking(true)?;
    let request = Request::get(format!("http://{host}{path}")).body(Empty::<Bytes>::new())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let exchange = async {
        let stream = TokioIo::new(tokio::net::TcpStream::from_std(stream)?);
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await?;
        let driver = tokio::spawn(connection);
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        driver.abort();
        Ok::<_, anyhow::Error>((head, body))
    };
    let limited = async { tokio::time::timeout(PATIENCE, exchange).await };
    let (head, body) = runtime.block_on(limited).with_context(|| format!("{to}: no answer by HTTP/2"))??;
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Ok(Response {
        status: head.status.as_u16(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
        accepted_by,
    })
}

/// How a single TCP connection went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Knock {
    /// Accepted, by that node, with what the server said within a moment unasked (`SSH-2.0-…`).
    Accepted { by: Option<NodeId>, banner: String },
    /// A RST in answer to the SYN.
    Refused,
    /// No answer at all within the patience given.
    Silence,
    /// Something on the way says that there is no way.
    Unreachable,
}

/// Connects, and reads what the server says first.
///
/// # Errors
/// An error of the machine itself.
pub fn tcp_connect(netns: &Netns, to: SocketAddr, patience: Duration) -> Result<Knock> {
    let mut stream = match netns.run(|| TcpStream::connect_timeout(&to, patience)) {
        Ok(stream) => stream,
        Err(error) => {
            return match error.kind() {
                ErrorKind::ConnectionRefused => Ok(Knock::Refused),
                ErrorKind::TimedOut => Ok(Knock::Silence),
                ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Ok(Knock::Unreachable),
                _ => Err(error).with_context(|| format!("connecting to {to}")),
            };
        }
    };
    stream.set_read_timeout(Some(Duration::from_millis(300)))?;
    let mut banner = [0; 256];
    // A server that waits for us to speak first has no banner.
    let length = crate::patient::read(&mut stream, &mut banner).unwrap_or(0);
    let banner = String::from_utf8_lossy(&banner[..length]).trim_end().to_owned();
    Ok(Knock::Accepted { by: accepted_by(&SockRef::from(&stream)), banner })
}

/// The node at the other end of a connection of the client's: see [`NodeId::by_segment_size`].
pub(crate) fn accepted_by(socket: &SockRef<'_>) -> Option<NodeId> {
    NodeId::by_segment_size(socket.tcp_mss().ok()?)
}

fn connect(netns: &Netns, to: SocketAddr) -> Result<TcpStream> {
    let stream = netns
        .run(|| TcpStream::connect_timeout(&to, PATIENCE))
        .with_context(|| format!("connecting to {to}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

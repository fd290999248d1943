//! One question to one endpoint.

use crate::model::backend::{HealthCheck, Probe, UpstreamProtocol};
use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::Empty;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::time::Duration;
use tokio::net::TcpStream;

/// Why an endpoint does not count as healthy.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    #[error("no connection: {0}")]
    Connect(#[source] io::Error),
    #[error("the path {0:?} of the check is no path")]
    Path(String),
    #[error("no HTTP answer: {0}")]
    Http(#[source] hyper::Error),
    #[error("the answer is {0}, which the check does not expect")]
    Status(StatusCode),
}

pub async fn ask(
    address: SocketAddr,
    check: &HealthCheck,
    protocol: UpstreamProtocol,
) -> Result<(), ProbeError> {
    let question = async {
        let stream = TcpStream::connect(address).await.map_err(ProbeError::Connect)?;
        match &check.probe {
            Probe::Connect => Ok(()),
            Probe::Http { path, expected } => {
                let status = status(stream, address, path, protocol).await?;
                if is_expected(status, expected) { Ok(()) } else { Err(ProbeError::Status(status)) }
            }
        }
    };
    tokio::time::timeout(check.timeout, question).await.map_err(|_| ProbeError::TimedOut(check.timeout))?
}

fn is_expected(status: StatusCode, expected: &[(NonZeroU16, NonZeroU16)]) -> bool {
    expected.iter().any(|(from, to)| (from.get()..=to.get()).contains(&status.as_u16()))
}

async fn status(
    stream: TcpStream,
    address: SocketAddr,
    path: &str,
    protocol: UpstreamProtocol,
) -> Result<StatusCode, ProbeError> {
    let io = TokioIo::new(stream);
    let is_http2 = protocol == UpstreamProtocol::H2c;
    let request = request(address, path, is_http2)?;
    let response = if is_http2 {
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), io).await.map_err(ProbeError::Http)?;
        while_running(connection, sender.send_request(request)).await
    } else {
        let (mut sender, connection) = http1::handshake(io).await.map_err(ProbeError::Http)?;
        while_running(connection, sender.send_request(request)).await
    };
    Ok(response.map_err(ProbeError::Http)?.status())
}

/// Drives the connection for as long as its one answer takes; both end together.
async fn while_running<T>(
    connection: impl Future<Output = hyper::Result<()>>,
    answer: impl Future<Output = T>,
) -> T {
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        // Whatever came of it has been told to whoever waits.
        _ = connection => answer.await,
    }
}

fn request(address: SocketAddr, path: &str, absolute: bool) -> Result<Request<Empty<Bytes>>, ProbeError> {
    let target = if absolute { format!("http://{address}{path}") } else { path.to_owned() };
    let uri = Uri::try_from(target).map_err(|_| ProbeError::Path(path.to_owned()))?;
    let mut request = Request::builder().uri(uri).header(header::USER_AGENT, "novaedge-probe");
    if !absolute {
        request = request.header(header::HOST, address.to_string()).header(header::CONNECTION, "close");
    }
    request.body(Empty::new()).map_err(|_| ProbeError::Path(path.to_owned()))
}

//! Asking a running agent over its admin socket.

use crate::model::snapshot::Snapshot;
use crate::model::status::NodeStatus;
use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use std::path::Path;
use tokio::net::UnixStream;

/// How the agent's node is doing, now.
pub async fn status(socket: &Path) -> anyhow::Result<NodeStatus> {
    let body = get(socket, "/status").await?;
    serde_json::from_slice(&body).context("the agent's answer is not understood; are both of one version?")
}

/// The snapshot in force, without its passwords.
pub async fn snapshot(socket: &Path) -> anyhow::Result<Snapshot> {
    let body = get(socket, "/snapshot").await?;
    serde_json::from_slice(&body).context("the agent's answer is not understood; are both of one version?")
}

/// Says what the node wishes: `/drain` or `/undrain`. Returns when the agent has kept it.
pub async fn wish(socket: &Path, path: &str) -> anyhow::Result<()> {
    exchange(socket, Request::post(path)).await.map(drop)
}

async fn get(socket: &Path, path: &str) -> anyhow::Result<Bytes> {
    exchange(socket, Request::get(path)).await
}

async fn exchange(socket: &Path, request: http::request::Builder) -> anyhow::Result<Bytes> {
    let stream = UnixStream::connect(socket).await.with_context(|| {
        format!("no agent answers on {}; is it running, and is this its --admin-socket?", socket.display())
    })?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = request.header(http::header::HOST, "agent").body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await.context("the agent closed the connection")?;
    let status = response.status();
    let body = response.into_body().collect().await.context("the agent's answer broke off")?.to_bytes();
    if status != StatusCode::OK {
        bail!("the agent answered {status}: {}", String::from_utf8_lossy(&body).trim());
    }
    Ok(body)
}

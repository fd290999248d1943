//! Asking a running agent or controller over its admin socket.

use crate::model::snapshot::Snapshot;
use crate::model::status::NodeStatus;
use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use std::path::Path;
use tokio::net::UnixStream;

/// Who is asked, as error messages name it.
const AGENT: &str = "agent";
const CONTROLLER: &str = "controller";

/// How the agent's node is doing, now.
pub async fn status(socket: &Path) -> anyhow::Result<NodeStatus> {
    answer(AGENT, socket, "/status").await
}

/// The snapshot in force, without its passwords.
pub async fn snapshot(socket: &Path) -> anyhow::Result<Snapshot> {
    answer(AGENT, socket, "/snapshot").await
}

/// Says what the node wishes: `/drain` or `/undrain`. Returns when the agent has kept it.
pub async fn wish(socket: &Path, path: &str) -> anyhow::Result<()> {
    exchange(AGENT, socket, Request::post(path)).await.map(drop)
}

/// What the controller says at `path`.
pub async fn controller<T: DeserializeOwned>(socket: &Path, path: &str) -> anyhow::Result<T> {
    answer(CONTROLLER, socket, path).await
}

async fn answer<T: DeserializeOwned>(who: &str, socket: &Path, path: &str) -> anyhow::Result<T> {
    let body = exchange(who, socket, Request::get(path)).await?;
    serde_json::from_slice(&body)
        .with_context(|| format!("the {who}'s answer is not understood; are both of one version?"))
}

async fn exchange(who: &str, socket: &Path, request: http::request::Builder) -> anyhow::Result<Bytes> {
    let stream = UnixStream::connect(socket).await.with_context(|| {
        format!("no {who} answers on {}; is it running, and is this its --admin-socket?", socket.display())
    })?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = request.header(http::header::HOST, who).body(Empty::<Bytes>::new())?;
    let response =
        sender.send_request(request).await.with_context(|| format!("the {who} closed the connection"))?;
    let status = response.status();
    let body = response.into_body().collect().await;
    let body = body.with_context(|| format!("the {who}'s answer broke off"))?.to_bytes();
    if status != StatusCode::OK {
        bail!("the {who} answered {status}: {}", String::from_utf8_lossy(&body).trim());
    }
    Ok(body)
}

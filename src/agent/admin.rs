//! The unix socket that `novaedge-agent status` asks: `GET /status` (a [`NodeStatus`] as JSON),
//! `GET /metrics` (OpenMetrics), `GET /healthz`.

use crate::host::admin::{Door, Page, json, metrics, text};
use crate::model::status::NodeStatus;
use http::{Method, StatusCode};
use prometheus_client::registry::Registry;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

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
    let answers = Answers { status, registry };
    Ok(Door::unix(path)?.serve(move |method, path| std::future::ready(answers.to(&method, &path))))
}

impl Answers {
    fn to(&self, method: &Method, path: &str) -> Page {
        match (method, path) {
            (&Method::GET, "/status") => match self.status.borrow().as_deref() {
                Some(status) => json(status),
                None => text(StatusCode::SERVICE_UNAVAILABLE, "the agent has just started; ask again\n"),
            },
            (&Method::GET, "/metrics") => metrics(&self.registry),
            (&Method::GET, "/healthz") => text(StatusCode::OK, "ok\n"),
            (&Method::GET, _) => text(StatusCode::NOT_FOUND, "ask for /status, /metrics or /healthz\n"),
            _ => text(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here\n"),
        }
    }
}

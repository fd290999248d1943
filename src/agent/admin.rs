//! The unix socket that `novaedge-agent status`, `snapshot`, `drain` and `undrain` ask.
//!
//! `GET /status` (a [`NodeStatus`] as JSON), `GET /snapshot` (the one in force, without its secrets).
//! `POST /drain` and `POST /undrain` say what the node wishes, and are answered once the wish is on the disk; what
//! becomes of it is in the status.
//!
//! There and on the metrics address, for everybody who can reach it: `GET /metrics` (OpenMetrics), `/healthz`
//! (the process lives) and `/readyz` (the node knows what to do, be it by a snapshot of an earlier run).

use super::wish::Drain;
use crate::host::admin::{Door, Page, json, text, vital};
use crate::model::snapshot::Snapshot;
use crate::model::status::NodeStatus;
use http::{Method, StatusCode};
use prometheus_client::registry::Registry;
use serde::Serialize;
use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// What the socket can answer from.
#[derive(Debug, Clone)]
pub struct Answers {
    pub status: watch::Receiver<Option<Arc<NodeStatus>>>,
    pub snapshot: watch::Receiver<Option<Arc<Snapshot>>>,
    pub drain: Drain,
    pub registry: Arc<Mutex<Registry>>,
}

/// Opens the socket at once and returns the future that serves it. A socket file that a killed agent left
/// behind is replaced; one that somebody still answers on is not.
///
/// # Errors
/// Another agent answers there, or the path cannot be bound.
pub fn serve(path: &Path, answers: Answers) -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let answer = move |method: Method, path: String| {
        let answers = answers.clone();
        async move { answers.to(&method, &path).await }
    };
    Ok(Door::unix(path)?.serve(answer))
}

/// Opens the metrics address at once and returns the future that serves it.
///
/// # Errors
/// The address cannot be bound.
pub fn on_address(
    address: SocketAddr,
    answers: Answers,
) -> io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(Door::tcp(address)?.serve(move |method, path| ready(answers.vital(&method, &path))))
}

impl Answers {
    /// What everybody may ask.
    fn vital(&self, method: &Method, path: &str) -> Page {
        vital(method, path, &self.registry, self.snapshot.borrow().is_some())
    }

    async fn to(&self, method: &Method, path: &str) -> Page {
        match (method, path) {
            (&Method::GET, "/status") => known(self.status.borrow().as_deref()),
            (&Method::GET, "/snapshot") => {
                let shown = self.snapshot.borrow().as_deref().map(Snapshot::redacted);
                known(shown.as_ref())
            }
            (&Method::POST, "/drain") => self.wish(true).await,
            (&Method::POST, "/undrain") => self.wish(false).await,
            (&Method::GET, _) => self.vital(method, path),
            _ => text(StatusCode::METHOD_NOT_ALLOWED, "POST is for /drain and /undrain, GET for the rest\n"),
        }
    }

    async fn wish(&self, drained: bool) -> Page {
        let drain = self.drain.clone();
        let kept = tokio::task::spawn_blocking(move || drain.set(drained)).await;
        match kept.map_err(io::Error::other).flatten() {
            Ok(()) => text(StatusCode::OK, "ok\n"),
            Err(error) => text(
                StatusCode::INTERNAL_SERVER_ERROR,
                &format!("the wish cannot be kept in the state directory: {error}\n"),
            ),
        }
    }
}

fn known<T: Serialize>(value: Option<&T>) -> Page {
    match value {
        Some(value) => json(value),
        None => text(StatusCode::SERVICE_UNAVAILABLE, "the agent has just started; ask again\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_agent_is_ready_once_it_knows_what_to_do() {
        let state = tempfile::tempdir().unwrap();
        let (snapshot, newest) = watch::channel(None);
        let answers = Answers {
            status: watch::channel(None).1,
            snapshot: newest,
            drain: Drain::load(state.path()),
            registry: Arc::default(),
        };
        let code = |path: &str| answers.vital(&Method::GET, path).status().as_u16();
        assert_eq!([code("/healthz"), code("/readyz"), code("/metrics")], [200, 503, 200]);
        snapshot.send_replace(Some(Arc::new(Snapshot::empty("n1".parse().unwrap()))));
        assert_eq!(code("/readyz"), 200);
        assert_eq!([code("/status"), code("/snapshot")], [404, 404], "no matter of everybody");
        assert_eq!(answers.vital(&Method::POST, "/drain").status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}

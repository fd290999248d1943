//! Who asks the controller, and what it answers.
//!
//! On its unix socket (0600), for `novaedgectl`: `GET /status` (an [`EstateStatus`] as JSON),
//! `GET /explain/VIP` (an [`Explanation`](status::Explanation)), `GET /snapshot/NODE` (without passwords), and
//! what is on the metrics address, for everybody who can reach it: `GET /metrics`, `/healthz` (the process
//! lives) and `/readyz` (the estate has been computed once, or it can be at any time).

use crate::compile::status::{self, EstateStatus};
use crate::host::admin::{Door, Page, json, text, vital};
use crate::model::attendance::Attendance;
use crate::model::name::Name;
use crate::model::snapshot::Snapshot;
use http::{Method, StatusCode};
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// What the controller can answer from.
#[derive(Debug, Clone)]
pub struct Answers {
    /// Of this controller's last round; it has none until it leads.
    pub status: watch::Receiver<Option<Arc<EstateStatus>>>,
    pub attendance: watch::Receiver<Arc<BTreeMap<Name, Attendance>>>,
    /// This controller can take over from another one that leads: it is ready without a round of its own.
    pub follows: watch::Receiver<bool>,
    /// The newest of each node.
    pub snapshots: watch::Receiver<Arc<BTreeMap<Name, Arc<Snapshot>>>>,
    pub registry: Arc<Mutex<Registry>>,
}

/// Opens the unix socket at once and returns the future that serves it.
///
/// # Errors
/// Another controller answers there, or the path cannot be bound.
pub fn on_socket(path: &Path, answers: Answers) -> io::Result<impl Future<Output = ()> + Send + use<>> {
    Ok(Door::unix(path)?.serve(move |method, path| ready(answers.to(&method, &path))))
}

/// Opens the metrics address at once and returns the future that serves it.
///
/// # Errors
/// The address cannot be bound.
pub fn on_address(
    address: SocketAddr,
    answers: Answers,
) -> io::Result<impl Future<Output = ()> + Send + use<>> {
    Ok(Door::tcp(address)?.serve(move |method, path| ready(answers.vital(&method, &path))))
}

impl Answers {
    pub fn to(&self, method: &Method, path: &str) -> Page {
        if *method != Method::GET {
            return self.vital(method, path);
        }
        if path == "/status" {
            return self.status.borrow().as_deref().map_or_else(just_started, json);
        }
        if let Some(vip) = path.strip_prefix("/explain/") {
            return self.explain(vip);
        }
        match path.strip_prefix("/snapshot/") {
            Some(node) => self.snapshot(node),
            None => self.vital(method, path),
        }
    }

    /// What everybody may ask.
    pub fn vital(&self, method: &Method, path: &str) -> Page {
        vital(method, path, &self.registry, self.status.borrow().is_some() || *self.follows.borrow())
    }

    fn explain(&self, vip: &str) -> Page {
        let Some(status) = self.status.borrow().clone() else { return just_started() };
        let attendance = self.attendance.borrow().clone();
        let explained = Name::parse(vip).ok().and_then(|vip| status::explain(&vip, &status, &attendance));
        match explained {
            Some(explanation) => json(&explanation),
            None => not_found(&format!("there is no ProxyVIP {vip}"), status.vips.keys()),
        }
    }

    fn snapshot(&self, node: &str) -> Page {
        let snapshots = self.snapshots.borrow().clone();
        match Name::parse(node).ok().and_then(|node| snapshots.get(&node)) {
            Some(snapshot) => json(&snapshot.redacted()),
            None => not_found(&format!("there is no snapshot for a node {node}"), snapshots.keys()),
        }
    }
}

fn just_started() -> Page {
    text(StatusCode::SERVICE_UNAVAILABLE, "the controller has just started; ask again\n")
}

/// Names a few that there are, for whoever has mistyped one.
fn not_found<'a>(what: &str, names: impl Iterator<Item = &'a Name>) -> Page {
    let names = status::words::list(names);
    let others = if names.is_empty() { "none at all".to_owned() } else { names };
    text(StatusCode::NOT_FOUND, &format!("{what}; there is: {others}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::status::VipSummary;
    use crate::model::bgp::{Password, Peer, Speaker, Timers};
    use http_body_util::BodyExt;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn snapshot() -> Snapshot {
        let peer = Peer {
            address: "10.0.0.254".parse().unwrap(),
            asn: serde_json::from_str("64500").unwrap(),
            port: 179.try_into().unwrap(),
            password: Some(Password::parse("tor-secret").unwrap()),
            timers: Timers::default(),
            multihop: None,
            ttl_security: None,
            source: None,
            bfd: None,
        };
        let speaker = Speaker {
            asn: serde_json::from_str("64501").unwrap(),
            router_id: None,
            graceful_restart: None,
            peers: BTreeMap::from([(peer.address, peer)]),
        };
        Snapshot { speaker: Some(speaker), ..Snapshot::empty(name("n1")) }
    }

    fn answers(status: Option<EstateStatus>) -> Answers {
        Answers {
            status: watch::channel(status.map(Arc::new)).1,
            attendance: watch::channel(Arc::default()).1,
            follows: watch::channel(false).1,
            snapshots: watch::channel(Arc::new(BTreeMap::from([(name("n1"), Arc::new(snapshot()))]))).1,
            registry: Arc::default(),
        }
    }

    fn estate() -> EstateStatus {
        EstateStatus { vips: BTreeMap::from([(name("web"), VipSummary::default())]), ..Default::default() }
    }

    async fn read(page: Page) -> (u16, String) {
        let status = page.status().as_u16();
        let body = page.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn each_question_has_its_answer() {
        let answers = answers(Some(estate()));
        let cases = [
            ("/status", 200, "\"web\""),
            ("/explain/web", 200, "\"vip\":\"web\""),
            ("/explain/wbe", 404, "there is no ProxyVIP wbe; there is: web"),
            ("/explain/../web", 404, "there is no ProxyVIP ../web"),
            ("/snapshot/n1", 200, "\"node\":\"n1\""),
            ("/snapshot/n9", 404, "there is: n1"),
            ("/metrics", 200, "# EOF"),
            ("/healthz", 200, "ok"),
            ("/readyz", 200, "ok"),
            ("/other", 404, "nothing is here"),
        ];
        for (path, code, words) in cases {
            let (status, body) = read(answers.to(&Method::GET, path)).await;
            assert_eq!(status, code, "{path}: {body}");
            assert!(body.contains(words), "{path}: {body}");
        }
        assert_eq!(answers.to(&Method::POST, "/status").status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    #[tokio::test]
    async fn before_the_first_round_the_controller_lives_but_is_not_ready() {
        let answers = answers(None);
        for (path, code) in [("/status", 503), ("/explain/web", 503), ("/readyz", 503), ("/healthz", 200)] {
            assert_eq!(read(answers.to(&Method::GET, path)).await.0, code, "{path}");
        }
    }

    #[tokio::test]
    async fn no_password_is_shown_and_the_metrics_address_tells_only_what_is_for_everybody() {
        let answers = answers(Some(estate()));
        let (_, body) = read(answers.to(&Method::GET, "/snapshot/n1")).await;
        assert!(body.contains("redacted") && !body.contains("tor-secret"), "{body}");
        for path in ["/status", "/explain/web", "/snapshot/n1"] {
            assert_eq!(answers.vital(&Method::GET, path).status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
}

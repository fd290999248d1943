//! Certificates, controllers, agents.

use super::content::name;
use novaedge::model::attendance::Attendance;
use novaedge::model::name::Name;
use novaedge::model::snapshot::Snapshot;
use novaedge::model::status::NodeStatus;
use novaedge::wire::certificates::{Wanted, issue};
use novaedge::wire::client::endpoint::Endpoint;
use novaedge::wire::client::{Told, follow};
use novaedge::wire::server::metrics::{Metrics, Refusal};
use novaedge::wire::server::{Bulletin, Limits, Server};
use novaedge::wire::tls::{self, Security};
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// Longer than anything here takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// An authority with what it issues, in memory.
pub struct Pki(TempDir);

impl Pki {
    pub fn new() -> Self {
        Self(tempfile::tempdir_in("/dev/shm").unwrap())
    }

    fn issue(&self, controller: &[&str], nodes: &[&str], now: SystemTime) -> PathBuf {
        let wanted = Wanted {
            controller: controller.iter().map(|name| (*name).to_owned()).collect(),
            nodes: nodes.iter().map(|node| name(node)).collect(),
            valid_for: DAY,
            now,
        };
        issue(self.0.path(), &wanted).unwrap().pop().unwrap()
    }

    pub fn controller(&self) -> PathBuf {
        self.issue(&["127.0.0.1", "localhost"], &[], SystemTime::now())
    }

    pub fn node(&self, node: &str) -> PathBuf {
        self.issue(&[], &[node], SystemTime::now())
    }

    pub fn expired_node(&self, node: &str) -> PathBuf {
        self.issue(&[], &[node], SystemTime::now() - 5 * DAY)
    }

    pub fn agent(&self, node: &str) -> Security {
        fixed(self.node(node))
    }
}

/// What is in the directory now, and stays.
pub fn fixed(directory: PathBuf) -> Security {
    Security::Tls(watch::channel(Arc::new(tls::read(&directory).unwrap())).1)
}

pub struct Controller {
    pub address: SocketAddr,
    pub bulletins: watch::Sender<Arc<Bulletin>>,
    pub attendance: watch::Receiver<Arc<BTreeMap<Name, Attendance>>>,
    pub metrics: Metrics,
    task: AbortHandle,
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Controller {
    pub async fn start(security: Security, first: Arc<Bulletin>) -> Self {
        Self::with_limits(security, first, Limits::default()).await
    }

    pub async fn with_limits(security: Security, first: Arc<Bulletin>, limits: Limits) -> Self {
        Self::at(([127, 0, 0, 1], 0).into(), security, first, limits).await
    }

    pub async fn at(at: SocketAddr, security: Security, first: Arc<Bulletin>, limits: Limits) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let address = listener.local_addr().unwrap();
        let metrics = Metrics::new(&mut Registry::default());
        let (bulletins, newest) = watch::channel(first);
        let (attending, attendance) = watch::channel(Arc::default());
        let server = Server {
            listener,
            security,
            limits,
            metrics: metrics.clone(),
            bulletins: newest,
            attendance: attending,
        };
        let task = tokio::spawn(server.run()).abort_handle();
        Self { address, bulletins, attendance, metrics, task }
    }

    pub fn endpoint(&self) -> Endpoint {
        endpoint(self.address)
    }

    pub async fn attends(&mut self, node: &str, what: impl Fn(&Attendance) -> bool) -> Attendance {
        let node = name(node);
        let there = self.attendance.wait_for(|all| all.get(&node).is_some_and(&what));
        timeout(PATIENCE, there).await.expect("the agent does not come to that").unwrap()[&node].clone()
    }

    /// Waits until so many were refused for that reason.
    pub async fn refuses(&self, why: Refusal, at_least: u64) {
        let mut look = tokio::time::interval(Duration::from_millis(5));
        let refused = async {
            while self.metrics.refused(why) < at_least {
                look.tick().await;
            }
        };
        timeout(PATIENCE, refused).await.expect("nobody was refused");
    }
}

pub fn endpoint(address: SocketAddr) -> Endpoint {
    address.to_string().parse().unwrap()
}

pub struct Agent {
    pub told: watch::Receiver<Told>,
    pub reports: watch::Sender<Option<Arc<NodeStatus>>>,
    task: AbortHandle,
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Agent {
    pub fn start(controller: Endpoint, security: Security, node: &str) -> Self {
        Self::with_last_good(controller, security, node, None)
    }

    pub fn with_last_good(
        controller: Endpoint,
        security: Security,
        node: &str,
        last_good: Option<Arc<Snapshot>>,
    ) -> Self {
        let (tell, told) = watch::channel(Told::nothing_yet(last_good));
        let (reports, newest) = watch::channel(None);
        let task = tokio::spawn(follow(controller, security, name(node), tell, newest)).abort_handle();
        Self { told, reports, task }
    }

    pub async fn hears(&mut self, what: impl Fn(&Told) -> bool) -> Told {
        let heard = self.told.wait_for(|told| what(told));
        timeout(PATIENCE, heard).await.expect("the agent does not hear that").unwrap().clone()
    }

    pub async fn obtains(&mut self, snapshot: &Snapshot) -> Told {
        let is = |told: &Told| {
            told.snapshot.as_ref().is_some_and(|had| had.same_content(snapshot)) && told.term.is_some()
        };
        self.hears(is).await
    }
}

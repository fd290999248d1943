//! The controllers behind the names that an agent was given: each address of a name is a replica, with a stream of
//! its own.
//!
//! A replica whose address the name has no more is followed on for as long as it is connected: it may be just
//! ending, and what it says until then counts.

use super::endpoint::Endpoint;
use super::{Told, follow};
use crate::model::name::Name;
use crate::model::snapshot::Snapshot;
use crate::model::status::NodeStatus;
use crate::wire::tls::Security;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::lookup_host;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

/// How often names are looked up.
const LOOK: Duration = Duration::from_secs(2);
/// For one of them.
const PATIENCE: Duration = Duration::from_secs(5);
/// A name has no more replicas than this; whoever answers for it could say anything.
const REPLICAS: usize = 16;

/// What is heard from each replica.
pub type Heard = Vec<watch::Receiver<Told>>;

/// What all followers are given.
#[derive(Debug, Clone)]
pub struct Agent {
    pub node: Name,
    pub security: Security,
    /// What it had before the first word.
    pub before: Option<Arc<Snapshot>>,
    pub reports: watch::Receiver<Option<Arc<NodeStatus>>>,
}

struct Replica {
    told: watch::Receiver<Told>,
    task: AbortHandle,
}

/// Follows every replica of every name for as long as it is polled. `heard` changes when there is another one, or
/// one less.
pub async fn call(names: Vec<Endpoint>, agent: Agent, heard: watch::Sender<Heard>) {
    let mut followed: BTreeMap<Endpoint, Replica> = BTreeMap::new();
    let mut tasks = JoinSet::new();
    let mut complaints: BTreeSet<String> = BTreeSet::new();
    let mut known: BTreeMap<Endpoint, BTreeSet<Endpoint>> = BTreeMap::new();
    loop {
        for name in &names {
            match replicas(name).await {
                Ok(replicas) => {
                    complaints.remove(&name.to_string());
                    known.insert(name.clone(), replicas);
                }
                // Those that are known stay.
                Err(error) => {
                    if complaints.insert(name.to_string()) {
                        tracing::warn!(controller = %name, %error, "the name has no address; trying again");
                    }
                }
            }
        }
        let wanted: BTreeSet<&Endpoint> = known.values().flatten().collect();
        let before = followed.len();
        followed.retain(|endpoint, replica| {
            let stays = wanted.contains(endpoint) || replica.told.borrow().connected;
            if !stays {
                replica.task.abort();
            }
            stays
        });
        let gone = followed.len() < before;
        let new: Vec<&Endpoint> =
            wanted.into_iter().filter(|endpoint| !followed.contains_key(endpoint)).collect();
        let changed = gone || !new.is_empty();
        for endpoint in new {
            followed.insert(endpoint.clone(), begin(endpoint.clone(), &agent, &mut tasks));
        }
        if changed {
            heard.send_replace(followed.values().map(|replica| replica.told.clone()).collect());
        }
        sleep(LOOK).await;
    }
}

fn begin(endpoint: Endpoint, agent: &Agent, tasks: &mut JoinSet<()>) -> Replica {
    let Agent { node, security, before, reports } = agent.clone();
    let (told, newest) = watch::channel(Told::nothing_yet(before));
    let task = tasks.spawn(follow(endpoint, security, node, told, reports));
    Replica { told: newest, task }
}

/// One endpoint for each address of the name.
async fn replicas(name: &Endpoint) -> std::io::Result<BTreeSet<Endpoint>> {
    if name.host.parse::<IpAddr>().is_ok() || name.address.is_some() {
        return Ok(BTreeSet::from([name.clone()]));
    }
    let looked_up = timeout(PATIENCE, lookup_host((name.host.as_str(), name.port.get()))).await??;
    let found: BTreeSet<Endpoint> =
        looked_up.map(|at| Endpoint { address: Some(at.ip()), ..name.clone() }).take(REPLICAS).collect();
    if found.is_empty() {
        return Err(std::io::ErrorKind::NotFound.into());
    }
    Ok(found)
}

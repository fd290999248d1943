//! Active health checks: the only judge of an endpoint that has one.
//!
//! Owns: the probes' connections, never shared with traffic. Called by: [`super::drive`], with every plan.
//! What it keeps true: each endpoint is asked once, by one prober for all cores, however many cores there
//! are; the first answer decides at once, and from then on only a row of equal answers.
//!
//! | file | what |
//! |---|---|
//! | [`judge`] | when a row of answers changes the verdict (pure) |
//! | [`ask`] | one question to one endpoint |

mod ask;
mod judge;

use super::upstream::endpoint::Endpoint;
use super::upstream::registry::Registry;
use crate::model::backend::{HealthCheck, UpstreamProtocol};
use crate::model::name::Key;
use judge::Judge;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};

/// Between a suspicion and the question, and between further questions until it is settled.
const PATIENCE: Duration = Duration::from_millis(50);

/// All probes; they end when this is dropped.
#[derive(Debug, Default)]
pub struct Prober {
    tasks: JoinSet<()>,
    running: BTreeMap<(Key, SocketAddr), Probe>,
    changed: Arc<Notify>,
}

#[derive(Debug)]
struct Probe {
    check: HealthCheck,
    protocol: UpstreamProtocol,
    task: AbortHandle,
}

impl Prober {
    /// Probes what the plan says. An endpoint whose check did not change is not disturbed.
    pub fn update(&mut self, registry: &Registry) {
        let mut before = std::mem::take(&mut self.running);
        for (key, group) in registry.groups() {
            let Some(check) = &group.settings.health_check else { continue };
            for endpoint in &group.endpoints {
                let id = (key.clone(), endpoint.address);
                let protocol = group.settings.protocol;
                let same =
                    before.remove(&id).filter(|probe| probe.check == *check && probe.protocol == protocol);
                let probe = same.unwrap_or_else(|| self.start(endpoint, check, protocol));
                if let Some(other) = self.running.insert(id, probe) {
                    other.task.abort();
                }
            }
        }
        for gone in before.into_values() {
            gone.task.abort();
        }
    }

    /// Resolves when an endpoint's health has changed.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    fn start(&mut self, endpoint: &Arc<Endpoint>, check: &HealthCheck, protocol: UpstreamProtocol) -> Probe {
        // Reaps the tasks that have been aborted.
        while self.tasks.try_join_next().is_some() {}
        let watch = watch(Arc::clone(endpoint), check.clone(), protocol, Arc::clone(&self.changed));
        Probe { check: check.clone(), protocol, task: self.tasks.spawn(watch) }
    }
}

/// Asks at once, then at the check's interval. When traffic has met a refusal, asks in quick succession until
/// the verdict is confirmed or overturned.
async fn watch(
    endpoint: Arc<Endpoint>,
    check: HealthCheck,
    protocol: UpstreamProtocol,
    changed: Arc<Notify>,
) {
    let mut judge = Judge::new(endpoint.health(), &check);
    let mut suspected = false;
    loop {
        let answer = ask::ask(endpoint.address, &check, protocol).await;
        if let Some(health) = judge.hear(answer.is_ok()) {
            endpoint.set_health(health);
            let (backend, address) = (&endpoint.backend, endpoint.address);
            match answer {
                Ok(()) => tracing::info!(%backend, %address, "endpoint healthy"),
                Err(error) => tracing::warn!(%backend, %address, %error, "endpoint unhealthy"),
            }
            changed.notify_one();
        }
        if suspected && judge.is_in_doubt() {
            tokio::time::sleep(PATIENCE).await;
            continue;
        }
        suspected = tokio::select! {
            () = tokio::time::sleep(jittered(check.interval, fastrand::f64())) => false,
            () = endpoint.suspected.notified() => {
                tokio::time::sleep(PATIENCE).await;
                true
            }
        };
    }
}

/// Within a tenth of the interval, so that many nodes do not ask in step.
fn jittered(interval: Duration, dice: f64) -> Duration {
    interval.mul_f64(0.9 + 0.2 * dice)
}

//! All endpoints by backend and address, from plan to plan.

use super::endpoint::Endpoint;
use crate::model::backend::{self as model, Backend};
use crate::model::name::Key;
use crate::model::observed::{BackendHealth, EndpointHealth};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// One that left the plan is remembered for so long: rollouts and edits take endpoints away and bring
/// them back.
const REMEMBERED: Duration = Duration::from_secs(600);

/// A backend of the plan with its live endpoints, in the order of `settings.endpoints`.
#[derive(Debug, Clone)]
pub struct Group {
    pub settings: Arc<Backend>,
    pub endpoints: Vec<Arc<Endpoint>>,
    connect_failures: Arc<AtomicU64>,
}

impl Group {
    /// Since the process began, of endpoints past and present.
    pub fn connect_failures(&self) -> u64 {
        self.connect_failures.load(Relaxed)
    }
}

#[derive(Debug, Default)]
pub struct Registry {
    groups: BTreeMap<Key, Group>,
    /// Endpoints that no plan names any more, and since when.
    departed: BTreeMap<(Key, SocketAddr), (Arc<Endpoint>, Instant)>,
    connect_failures: BTreeMap<Key, Arc<AtomicU64>>,
}

impl Registry {
    pub fn groups(&self) -> &BTreeMap<Key, Group> {
        &self.groups
    }

    /// Takes over a plan's backends. Endpoints that stay, or come back, are the same ones as before.
    pub fn update(&mut self, backends: &BTreeMap<Key, Arc<Backend>>, now: Instant) {
        for (key, group) in std::mem::take(&mut self.groups) {
            for endpoint in group.endpoints {
                self.departed.insert((key.clone(), endpoint.address), (endpoint, now));
            }
        }
        for (key, backend) in backends {
            let connect_failures = Arc::clone(self.connect_failures.entry(key.clone()).or_default());
            let live = |e: &model::Endpoint| self.live(key, e.address, backend, &connect_failures);
            let endpoints = backend.endpoints.iter().map(live).collect();
            let group = Group { settings: Arc::clone(backend), endpoints, connect_failures };
            self.groups.insert(key.clone(), group);
        }
        for group in self.groups.values() {
            for endpoint in &group.endpoints {
                self.departed.remove(&(endpoint.backend.clone(), endpoint.address));
            }
        }
        self.departed.retain(|_, (_, since)| now.duration_since(*since) < REMEMBERED);
    }

    fn live(
        &self,
        key: &Key,
        address: SocketAddr,
        backend: &Backend,
        failures: &Arc<AtomicU64>,
    ) -> Arc<Endpoint> {
        let known = self.departed.get(&(key.clone(), address)).map(|(endpoint, _)| Arc::clone(endpoint));
        let endpoint =
            known.unwrap_or_else(|| Arc::new(Endpoint::new(key.clone(), address, Arc::clone(failures))));
        if backend.health_check.is_none() {
            endpoint.set_health(EndpointHealth::Healthy);
        }
        endpoint
    }

    pub fn health(&self) -> BTreeMap<Key, BackendHealth> {
        let of = |group: &Group| BackendHealth {
            endpoints: group.endpoints.iter().map(|e| (e.address, e.health())).collect(),
        };
        self.groups.iter().map(|(key, group)| (key.clone(), of(group))).collect()
    }
}

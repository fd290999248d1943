//! The status of backends: how many of their endpoints any node reaches.

use super::Facts;
use super::estate::Count;
use super::problems::Problems;
use super::verdict::Clock;
use crate::api::backend::{BackendStatus, ProxyBackend};
use crate::model::name::Key;
use crate::model::observed::EndpointHealth;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

const LISTS: [&str; 1] = ["spec.endpoints"];

pub fn statuses(facts: &Facts<'_>, problems: &Problems<'_>) -> BTreeMap<Key, BackendStatus> {
    let health = health(facts);
    let status = |(key, object): (&Key, &Arc<ProxyBackend>)| {
        let about = problems.about("ProxyBackend", key);
        let before = facts.before.and_then(|before| before.backends.get(key));
        let clock = Clock {
            now: facts.now,
            generation: object.metadata.generation,
            before: before.map(|before| before.conditions.as_slice()).unwrap_or_default(),
        };
        let status = BackendStatus {
            healthy: health.get(key).map(Count::to_string),
            conditions: clock.conditions([about.accepted(&LISTS), about.resolved_refs()]),
            observed_generation: object.metadata.generation,
        };
        (key.clone(), status)
    };
    facts.world.backends.iter().map(status).collect()
}

/// Of every backend that some node checks. An endpoint is healthy that any node reaches: with
/// `trafficPolicy: Local` each node asks only its own.
fn health<'a>(facts: &Facts<'a>) -> BTreeMap<&'a Key, Count> {
    let alive = facts.attendance.values().filter(|attendance| attendance.alive);
    let mut seen: BTreeMap<&'a Key, BTreeMap<SocketAddr, bool>> = BTreeMap::new();
    for report in alive.filter_map(|attendance| attendance.status.as_deref()) {
        for (key, backend) in &report.served.backends {
            let endpoints = seen.entry(key).or_default();
            for (endpoint, health) in &backend.endpoints {
                *endpoints.entry(*endpoint).or_default() |= *health == EndpointHealth::Healthy;
            }
        }
    }
    seen.into_iter()
        .map(|(key, endpoints)| (key, Count::of(endpoints.values(), |healthy| **healthy)))
        .collect()
}

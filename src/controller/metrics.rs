//! What a controller counts, beside what `wire` counts of its streams.

use crate::compile::status::EstateStatus;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

#[derive(Debug, Clone)]
pub struct Metrics {
    round: Histogram,
    leader: Gauge,
    vips: Gauge,
    announced: Gauge,
    nodes: Gauge,
    nodes_alive: Gauge,
    rejected: Gauge,
    changes: Counter,
}

impl Metrics {
    pub fn new(registry: &mut Registry) -> Self {
        let registry = registry.sub_registry_with_prefix("controller");
        let metrics = Self {
            round: Histogram::new(exponential_buckets(0.0005, 2.0, 14)),
            leader: Gauge::default(),
            vips: Gauge::default(),
            announced: Gauge::default(),
            nodes: Gauge::default(),
            nodes_alive: Gauge::default(),
            rejected: Gauge::default(),
            changes: Counter::default(),
        };
        let round = metrics.round.clone();
        registry.register_with_unit("round", "Time that one round of the loop took", Unit::Seconds, round);
        registry.register("leader", "1 while this controller leads", metrics.leader.clone());
        registry.register("vips", "ProxyVIPs that are in use or wait for an address", metrics.vips.clone());
        let announced = metrics.announced.clone();
        registry.register("vips_announced", "ProxyVIPs that at least one node announces", announced);
        registry.register("nodes", "Nodes that have a Node object or an agent", metrics.nodes.clone());
        registry.register("nodes_alive", "Nodes whose agent reports", metrics.nodes_alive.clone());
        registry.register(
            "rejected",
            "Objects, or parts of them, that are not used",
            metrics.rejected.clone(),
        );
        registry.register("status_changes", "Changes of the estate's status", metrics.changes.clone());
        metrics
    }

    pub fn round(&self, took: Duration) {
        self.round.observe(took.as_secs_f64());
    }

    pub fn leads(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    pub fn estate(&self, status: &EstateStatus) {
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let announced = status.vips.values().filter(|vip| !vip.status.announcing_nodes.is_empty()).count();
        self.vips.set(count(status.vips.len()));
        self.announced.set(count(announced));
        self.nodes.set(count(status.nodes.len()));
        self.nodes_alive.set(count(status.nodes.values().filter(|node| node.alive).count()));
        self.rejected.set(count(status.rejected.iter().filter(|rejected| !rejected.notice).count()));
    }

    pub fn changed(&self) {
        self.changes.inc();
    }
}

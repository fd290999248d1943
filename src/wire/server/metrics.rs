//! What the server counts.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Why somebody was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// There was none.
    NoCertificate,
    /// Of another authority, expired, or for something else.
    Certificate,
    /// No token, one that the API server does not know, or one of somebody else.
    Token,
    /// It names no node, several, or another than the agent says it is.
    Name,
    /// What came was not TLS as it should be, or ended early.
    Handshake,
    /// It did not come to a request in time.
    TimedOut,
    /// Too many at once.
    Crowded,
}

impl Refusal {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoCertificate => "no-certificate",
            Self::Certificate => "certificate",
            Self::Token => "token",
            Self::Name => "name",
            Self::Handshake => "handshake",
            Self::TimedOut => "timed-out",
            Self::Crowded => "crowded",
        }
    }
}

/// The server's numbers, in the registry they were made for. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    refused: Family<[(&'static str, &'static str); 1], Counter>,
    pub connections: Gauge,
    pub agents: Gauge,
    pub sent_bytes: Counter,
    pub received_bytes: Counter,
    pub resends: Counter,
}

impl Metrics {
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            refused: Family::default(),
            connections: Gauge::default(),
            agents: Gauge::default(),
            sent_bytes: Counter::default(),
            received_bytes: Counter::default(),
            resends: Counter::default(),
        };
        let Self { refused, connections, agents, sent_bytes, received_bytes, resends } = &metrics;
        let registry = registry.sub_registry_with_prefix("wire");
        registry.register("refused", "Connections not let in, by why", refused.clone());
        registry.register("connections", "Connections that are open", connections.clone());
        registry.register("agents", "Agents that listen and report", agents.clone());
        registry.register("sent_bytes", "Orders sent, in bytes", sent_bytes.clone());
        registry.register("received_bytes", "Reports received, in bytes", received_bytes.clone());
        registry.register("resends", "Reports that had to be asked for again", resends.clone());
        metrics
    }

    pub fn refuse(&self, why: Refusal) {
        self.refused.get_or_create(&[("reason", why.as_str())]).inc();
    }

    pub fn refused(&self, why: Refusal) -> u64 {
        self.refused.get_or_create(&[("reason", why.as_str())]).get()
    }
}

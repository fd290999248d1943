//! One endpoint, as all cores and the prober know it.

use crate::model::name::Key;
use crate::model::observed::EndpointHealth;
use crate::proxy::balance::latency::PeakEwma;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Nobody is sent to an endpoint for so long after it refused a connection, if there is another one.
const AVOIDED: Duration = Duration::from_secs(1);

/// Outlives plans: an endpoint that is still there, or comes back, keeps its health and its history.
#[derive(Debug)]
pub struct Endpoint {
    pub backend: Key,
    pub address: SocketAddr,
    born: Instant,
    health: AtomicU8,
    outstanding: AtomicU32,
    latency: PeakEwma,
    /// In nanoseconds since `born`.
    avoided_until: AtomicU64,
    /// Of the whole backend.
    connect_failures: Arc<AtomicU64>,
    /// A connection to it failed: the prober should look at once.
    pub suspected: Notify,
}

impl Endpoint {
    /// Nobody has asked it yet. `connect_failures` is counted with its siblings.
    pub fn new(backend: Key, address: SocketAddr, connect_failures: Arc<AtomicU64>) -> Self {
        Self {
            backend,
            address,
            born: Instant::now(),
            health: AtomicU8::new(0),
            outstanding: AtomicU32::new(0),
            latency: PeakEwma::default(),
            avoided_until: AtomicU64::new(0),
            connect_failures,
            suspected: Notify::new(),
        }
    }

    pub fn health(&self) -> EndpointHealth {
        match self.health.load(Relaxed) {
            0 => EndpointHealth::Unknown,
            1 => EndpointHealth::Healthy,
            _ => EndpointHealth::Unhealthy,
        }
    }

    pub fn set_health(&self, health: EndpointHealth) {
        let code = match health {
            EndpointHealth::Unknown => 0,
            EndpointHealth::Healthy => 1,
            EndpointHealth::Unhealthy => 2,
        };
        self.health.store(code, Relaxed);
    }

    /// One that nobody has probed yet is given its chance.
    pub fn is_usable(&self) -> bool {
        self.health() != EndpointHealth::Unhealthy
    }

    pub fn is_avoided(&self, now: Instant) -> bool {
        self.age(now) < self.avoided_until.load(Relaxed)
    }

    pub fn outstanding(&self) -> u32 {
        self.outstanding.load(Relaxed)
    }

    pub fn latency(&self, now: Instant) -> f64 {
        self.latency.estimate(self.age(now))
    }

    /// It did not take a connection.
    pub fn refused(&self, now: Instant) {
        self.connect_failures.fetch_add(1, Relaxed);
        let until = self.age(now) + u64::try_from(AVOIDED.as_nanos()).unwrap_or(u64::MAX);
        self.avoided_until.store(until, Relaxed);
        self.failed(now);
        self.suspected.notify_one();
    }

    /// It broke off, or answered too late.
    pub fn failed(&self, now: Instant) {
        self.latency.failed(self.age(now));
    }

    fn age(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.born).as_nanos()).unwrap_or(u64::MAX)
    }
}

/// A request or stream that an endpoint works on, for as long as this lives.
#[derive(Debug)]
pub struct Outstanding {
    endpoint: Arc<Endpoint>,
    since: Instant,
    answered: bool,
}

impl Outstanding {
    pub fn new(endpoint: Arc<Endpoint>, since: Instant) -> Self {
        endpoint.outstanding.fetch_add(1, Relaxed);
        Self { endpoint, since, answered: false }
    }

    /// Its first byte has come.
    pub fn answered(&mut self, now: Instant) {
        self.answered = true;
        let took = now.saturating_duration_since(self.since);
        self.endpoint.latency.answered(took, self.endpoint.age(now));
    }

    pub fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }
}

impl Drop for Outstanding {
    /// An answer that nobody waited for any longer would have taken at least so long.
    fn drop(&mut self) {
        self.endpoint.outstanding.fetch_sub(1, Relaxed);
        if !self.answered {
            let now = Instant::now();
            let waited = now.saturating_duration_since(self.since);
            self.endpoint.latency.waited(waited, self.endpoint.age(now));
        }
    }
}

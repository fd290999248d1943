//! What the proxy counts.
//!
//! Owns: the counters. Each has one writer, its core, which adds without a locked instruction; a scrape
//! sums them up ([`collect`]). Handles are resolved when a plan arrives, so counting a request looks
//! nothing up. Counters outlive the plans that named them: a listener that comes back goes on counting.

mod collect;

use super::traffic::Tallies;
use super::upstream::registry::Group;
use crate::model::listener::ListenerKey;
use crate::model::name::Key;
use http::StatusCode;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the latency buckets, in seconds.
pub const BUCKETS: [f64; 13] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// A number with one writer.
#[derive(Debug, Default)]
pub struct Owned(AtomicU64);

impl Owned {
    pub fn set(&self, value: u64) {
        self.0.store(value, Relaxed);
    }

    pub fn add(&self, value: u64) {
        self.set(self.get().wrapping_add(value));
    }

    pub fn subtract(&self, value: u64) {
        self.set(self.get().wrapping_sub(value));
    }

    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// One core's own numbers, on cache lines of their own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct CoreCounters {
    /// Open connections of clients.
    pub connections: Owned,
    /// Requests and byte streams in flight.
    pub in_flight: Owned,
    /// Both by VIP address.
    pub tallies: Tallies,
    /// Turns of the core's clock: stands still when the core does.
    pub beats: Owned,
    /// Orders carried out.
    pub orders: Owned,
}

/// One core's share of a listener's numbers.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct SiteCounters {
    pub connections: Owned,
    /// By the first digit of the status, 1 to 5.
    classes: [Owned; 5],
    buckets: [Owned; BUCKETS.len() + 1],
    nanoseconds: Owned,
}

impl SiteCounters {
    pub fn request(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.classes[class].add(1);
        let seconds = took.as_secs_f64();
        let bucket = BUCKETS.iter().position(|bound| seconds <= *bound).unwrap_or(BUCKETS.len());
        self.buckets[bucket].add(1);
        self.nanoseconds.add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }
}

/// The proxy's numbers, in the registry they were made for. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    cores: Mutex<Vec<Arc<CoreCounters>>>,
    /// One share per core.
    sites: Mutex<BTreeMap<ListenerKey, Vec<Arc<SiteCounters>>>>,
    backends: Mutex<BTreeMap<Key, Group>>,
}

impl Metrics {
    pub fn new(registry: &mut Registry) -> Self {
        let numbers = Arc::new(Numbers::default());
        registry.register_collector(Box::new(Arc::clone(&numbers)));
        Self(numbers)
    }

    /// The counters of cores that are about to start, in place of those of earlier ones.
    pub fn cores(&self, count: usize) -> Vec<Arc<CoreCounters>> {
        let counters: Vec<_> = (0..count).map(|_| Arc::default()).collect();
        lock(&self.0.cores).clone_from(&counters);
        counters
    }

    pub fn site(&self, key: &ListenerKey, core: usize) -> Arc<SiteCounters> {
        let mut sites = lock(&self.0.sites);
        let shares = sites.entry(key.clone()).or_default();
        if shares.len() <= core {
            shares.resize_with(core + 1, Arc::default);
        }
        Arc::clone(&shares[core])
    }

    pub fn set_backends(&self, groups: &BTreeMap<Key, Group>) {
        lock(&self.0.backends).clone_from(groups);
    }
}

/// A panic elsewhere leaves numbers that are still numbers.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

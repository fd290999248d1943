//! The prober: a client that sends on schedule whatever happens to its answers, and remembers each one.
//!
//! Open loop: request k is sent at k / rate, so that a silence of the service shows as requests lost or late,
//! not as fewer requests. Every request of [`Traffic::New`] and every datagram has a source port of its own,
//! which spreads them over all next hops of the ToR.
//!
//! A failure belongs to the node that *accepted* its connection, known from the connection itself
//! ([`crate::topology::NodeId::segment_size`]). So a flow of the leaving node can be told from the flow of
//! another one that a re-hash moved.
//!
//! | file | what |
//! |---|---|
//! | this | what to send, start and stop |
//! | [`sample`] | one request and what became of it |
//! | [`report`] | arithmetic over the samples, pure |
//! | `schedule` | the open loop |
//! | `exchange` | one request on the wire |
//! | `source` | source ports, none used twice |

mod exchange;
pub mod report;
pub mod sample;
mod schedule;
mod source;
#[cfg(test)]
mod tests;

use crate::{Netns, eventually};
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

pub use report::{Report, Window};
pub use sample::{Outcome, Sample};

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// HTTP/1.1 requests, each on a connection of its own.
    New,
    /// HTTP/1.1 requests over so many kept connections, one at a time on each, the longest idle one first.
    Kept(usize),
    /// TCP connections without a request.
    Connect,
    /// UDP datagrams to something that answers as a lab's backend does.
    Datagrams,
}

/// What to send, from where, to whom.
#[derive(Debug, Clone)]
pub struct Probe {
    netns: Netns,
    plan: Plan,
}

/// The prober's orders.
#[derive(Debug, Clone)]
struct Plan {
    target: SocketAddr,
    traffic: Traffic,
    rate: u32,
    patience: Duration,
    host: String,
    path: String,
}

impl Probe {
    /// 1000 new connections a second with `GET /`, each given 3 s, until told otherwise.
    pub fn new(netns: &Netns, target: SocketAddr) -> Self {
        let plan = Plan {
            target,
            traffic: Traffic::New,
            rate: 1000,
            patience: Duration::from_secs(3),
            host: target.to_string(),
            path: "/".into(),
        };
        Self { netns: netns.clone(), plan }
    }

    #[must_use]
    pub fn traffic(mut self, traffic: Traffic) -> Self {
        self.plan.traffic = traffic;
        self
    }

    /// Over so many kept connections: [`Traffic::Kept`].
    #[must_use]
    pub fn kept(self, connections: usize) -> Self {
        self.traffic(Traffic::Kept(connections))
    }

    /// Requests or datagrams a second.
    #[must_use]
    pub fn rate(mut self, rate: u32) -> Self {
        self.plan.rate = rate;
        self
    }

    /// How long an answer may take before the request counts as lost.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.plan.patience = patience;
        self
    }

    #[must_use]
    pub fn host(mut self, host: &str) -> Self {
        self.plan.host = host.to_owned();
        self
    }

    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        self.plan.path = path.to_owned();
        self
    }

    /// Starts sending, on a thread of its own.
    ///
    /// # Errors
    /// The thread or its runtime cannot be made.
    pub fn start(self) -> Result<Running> {
        crate::process::allow_many_descriptors();
        let shared = Arc::new(Shared::default());
        let seen = shared.clone();
        let work = move || {
            self.netns.enter().context("entering the client's namespace")?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            Ok(runtime.block_on(schedule::run(&self.plan, &seen)))
        };
        let thread = std::thread::Builder::new().name("prober".into()).spawn(work)?;
        Ok(Running { shared, thread: Some(thread) })
    }

    /// Sends for so long, and reports.
    ///
    /// # Errors
    /// As [`Self::start`] and [`Running::stop`].
    pub fn run_for(self, time: Duration) -> Result<Report> {
        let running = self.start()?;
        std::thread::sleep(time);
        running.stop()
    }
}

/// What a prober and its owner tell each other.
#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    /// Requests that have been answered or have failed.
    ended: AtomicUsize,
}

/// A prober at work; dropping it stops it without a report.
#[derive(Debug)]
pub struct Running {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Result<Report>>>,
}

impl Running {
    /// Waits until so many more requests have been answered, or have failed: the way to let some traffic
    /// flow before or after something.
    ///
    /// # Errors
    /// They have not by the deadline.
    pub fn wait_for(&self, requests: usize, deadline: Duration) -> Result<()> {
        let ended = || self.shared.ended.load(Ordering::Relaxed);
        let enough = ended() + requests;
        eventually(&format!("{requests} more requests"), deadline, || match ended() {
            now if now >= enough => Ok(()),
            now => Err(format!("{} are missing", enough - now)),
        })
    }

    /// Sends no more, waits for the answers that are still due (at most the patience), and reports.
    ///
    /// # Errors
    /// The prober itself failed.
    pub fn stop(mut self) -> Result<Report> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().context("a prober is stopped once")?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

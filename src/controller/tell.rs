//! How the estate is doing, told at its own pace.
//!
//! A status is as large as the estate: every node's part in every VIP. Orders do not wait for it; it is
//! written from what the newest round has left, as often as a part of one core's time allows.

use super::estate::Compiled;
use super::facts;
use super::metrics::Metrics;
use crate::compile::estate::Departures;
use crate::compile::ipam::Settled;
use crate::compile::placement;
use crate::compile::status::{self, EstateStatus, Event};
use crate::manifests::{Loaded, log_changes};
use crate::model::attendance::Attendance;
use crate::model::name::Name;
use crate::model::status::Rejected;
use crate::model::term::Term;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

/// The status takes at most one part in so many of a core's time.
const SHARE: u32 = 4;

/// And is not told sooner than this after the one before.
const PACE: Duration = Duration::from_millis(100);

/// What the status is written from.
#[derive(Debug, Clone, Default)]
pub enum News {
    #[default]
    None,
    /// This controller does not lead, or not yet.
    Waits(Arc<Loaded>),
    Leads(Arc<Round>),
}

/// What a round has found and decided.
#[derive(Debug)]
pub struct Round {
    pub loaded: Arc<Loaded>,
    pub attendance: Arc<BTreeMap<Name, Attendance>>,
    pub addresses: Settled,
    pub compiled: Arc<Compiled>,
    pub departures: Departures,
    pub not_ready: BTreeMap<Name, u64>,
    pub settled: bool,
    pub term: Term,
    /// Unix seconds.
    pub now: u64,
}

/// What the leader before this one has told, where that can be known: conditions keep the times of their
/// transitions.
pub type Earlier = Box<dyn Fn() -> Option<EstateStatus> + Send>;

/// Has the word about the estate.
pub struct Teller {
    status: watch::Sender<Option<Arc<EstateStatus>>>,
    metrics: Metrics,
    rejected: Vec<Rejected>,
    earlier: Earlier,
    events: Option<mpsc::Sender<Event>>,
    led: bool,
}

impl std::fmt::Debug for Teller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Teller").field("led", &self.led).finish_non_exhaustive()
    }
}

impl Teller {
    pub fn new(status: watch::Sender<Option<Arc<EstateStatus>>>, metrics: Metrics) -> Self {
        Self { status, metrics, rejected: Vec::new(), earlier: Box::new(|| None), events: None, led: false }
    }

    /// Goes on from what others have told, and hands every transition on.
    #[must_use]
    pub fn with(self, earlier: Earlier, events: mpsc::Sender<Event>) -> Self {
        Self { earlier, events: Some(events), ..self }
    }

    /// Tells the newest, for as long as there is any.
    pub async fn run(mut self, mut news: watch::Receiver<News>) {
        loop {
            let newest = news.borrow_and_update().clone();
            let begun = Instant::now();
            let told = tokio::task::spawn_blocking(move || {
                self.tell(&newest);
                self
            });
            let Ok(back) = told.await else { return };
            self = back;
            sleep(PACE.max(begun.elapsed() * SHARE)).await;
            if news.changed().await.is_err() {
                return;
            }
        }
    }

    pub fn tell(&mut self, news: &News) {
        match news {
            News::None => {}
            News::Waits(loaded) => {
                self.metrics.leads(false);
                self.led = false;
                self.report(loaded.problems.clone());
            }
            News::Leads(round) => {
                self.metrics.leads(true);
                self.leads(round);
            }
        }
    }

    fn leads(&mut self, round: &Round) {
        let Round { loaded, attendance, addresses, compiled, departures, not_ready, settled, term, now } =
            round;
        let rejected = loaded.rejected(compiled.estate.rejections.iter().chain(&addresses.rejections));
        let mut before = self.status.borrow().clone();
        if !std::mem::replace(&mut self.led, true) {
            before = (self.earlier)().map(Arc::new).or(before);
        }
        let vips = facts::vips(&placement::Facts {
            estate: &compiled.estate,
            world: &loaded.resources,
            attendance,
            not_ready,
            before: departures,
            settled: *settled,
        });
        let status = status::compute(&status::Facts {
            world: &loaded.resources,
            rejections: &rejected,
            vips: &vips,
            pools: &addresses.statuses(),
            attendance,
            term: Some(*term),
            now: *now,
            before: before.as_deref(),
        });
        self.report(rejected);
        self.metrics.estate(&status);
        if before.as_deref() != Some(&status) {
            self.metrics.changed();
            for event in status::events(before.as_deref(), &status) {
                tracing::info!(object = event.object, reason = event.reason, "{}", event.message);
                // Whoever publishes them has fallen far behind; the log and the conditions say the same.
                let _ = self.events.as_ref().map(|events| events.try_send(event));
            }
            self.status.send_replace(Some(Arc::new(status)));
        }
    }

    fn report(&mut self, rejected: Vec<Rejected>) {
        log_changes(&self.rejected, &rejected);
        self.rejected = rejected;
    }
}

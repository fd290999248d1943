//! Facts in, orders out, again and again.
//!
//! 1. wait until anything changed, or until time itself decides (IO)
//! 2. settle the addresses, and write the ledger before anything else may use them (pure, then IO)
//! 3. compile the estate, and decide who may leave (pure)
//! 4. publish a snapshot for every node, and keep what is in use (IO)
//! 5. leave what the status is written from ([`super::tell`])
//!
//! # Before it knows enough
//!
//! A restart must move nothing. So a document that has not been readable since the start keeps an estate that
//! was in use from being led at all: its agents keep what they have. And until every agent has reported, or
//! [`SETTLING`] has passed, wishes to leave are answered as they were before, and no address that was released
//! is given to another VIP: an agent that has not been heard yet may have it.

use super::books::{Books, BooksError};
use super::election::Election;
use super::estate::{Arguments, Compiled, Compiler};
use super::holders::Holders;
use super::knowledge;
use super::metrics::Metrics;
use super::publish::{self, Snapshots};
use super::remembered::Remembered;
use super::tell::{News, Round};
use crate::compile::accepted::Accepted;
use crate::compile::estate::Departures;
use crate::compile::ipam::{self, Outside, Settled};
use crate::compile::placement;
use crate::host::kept::Kept;
use crate::manifests::Loaded;
use crate::model::attendance::Attendance;
use crate::model::name::Name;
use crate::model::term::Term;
use crate::wire::server::Bulletin;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tokio::time::Instant;

/// How long after its start a controller waits for agents that do not report: longer than an agent that has lost
/// it waits before it tries again.
pub const SETTLING: Duration = Duration::from_secs(15);

/// A ledger that could not be read or written is tried again after this.
const RECOVER: Duration = Duration::from_secs(2);

/// One that somebody else has written is read again after this.
const READ_AGAIN: Duration = Duration::from_millis(20);

/// The loop takes at most one part in so many of a core's time.
const SHARE: u32 = 4;

/// Reports alone do not start a round sooner than this after the one before.
const PACE: Duration = Duration::from_millis(50);

type Agents = Arc<BTreeMap<Name, Attendance>>;

/// What the loop listens to.
#[derive(Debug)]
pub struct Inputs {
    pub loaded: watch::Receiver<Arc<Loaded>>,
    pub attendance: watch::Receiver<Agents>,
    pub election: Election,
}

/// Where its results go.
#[derive(Debug)]
pub struct Outputs {
    pub bulletins: watch::Sender<Arc<Bulletin>>,
    pub snapshots: watch::Sender<Arc<Snapshots>>,
    pub news: watch::Sender<News>,
    pub metrics: Metrics,
}

pub struct Reconciler {
    outputs: Outputs,
    books: Books,
    /// Why the ledger could not be read or written last.
    complaint: Option<String>,
    memory: Remembered,
    accepted: Accepted,
    wishes: ipam::Memory,
    /// Every document has been readable once since the start.
    all_read: bool,
    settled: bool,
    /// This controller led in the last round.
    led: bool,
    compiler: Compiler,
    holders: Holders,
    departures: Departures,
    not_ready: BTreeMap<Name, u64>,
    published: Arc<Snapshots>,
    clock: Clock,
}

impl std::fmt::Debug for Reconciler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reconciler").field("published", &self.published).finish_non_exhaustive()
    }
}

impl Reconciler {
    /// `accepted` is what `memory` held.
    pub fn new(books: impl Into<Books>, memory: Kept, accepted: Accepted, outputs: Outputs) -> Self {
        Self {
            outputs,
            books: books.into(),
            complaint: None,
            memory: Remembered::new(memory),
            accepted,
            wishes: ipam::Memory::default(),
            all_read: false,
            settled: false,
            led: false,
            compiler: Compiler::default(),
            holders: Holders::default(),
            departures: Departures::new(),
            not_ready: BTreeMap::new(),
            published: Arc::default(),
            clock: Clock::start(),
        }
    }

    /// Runs for as long as the inputs last.
    pub async fn run(mut self, mut inputs: Inputs) {
        let settled_at = Instant::now() + SETTLING;
        loop {
            let begun = Instant::now();
            self.settled |= begun >= settled_at;
            // The threads that serve agents are not to be kept from it: those are answered within half a second.
            let turned = tokio::task::spawn_blocking(move || {
                let wake = self.turn(&mut inputs);
                (self, inputs, wake)
            });
            let Ok((back, given_back, wake)) = turned.await else { return };
            (self, inputs) = (back, given_back);
            let took = begun.elapsed();
            self.outputs.metrics.round(took);
            let waits = [wake.map(|wake| begun + wake), (!self.settled).then_some(settled_at)];
            let wake = waits.into_iter().flatten().min();
            if !wait(&mut inputs, wake, PACE.max(took * SHARE)).await {
                return;
            }
        }
    }

    /// One round. Returns when time itself will have changed something.
    pub fn turn(&mut self, inputs: &mut Inputs) -> Option<Duration> {
        let loaded = inputs.loaded.borrow_and_update().clone();
        let attendance = inputs.attendance.borrow_and_update().clone();
        let term = *inputs.election.borrow_and_update();
        let now = self.clock.now();
        self.all_read |= !loaded.hides_an_object();
        self.settled |= knowledge::all_have_reported(&loaded.resources, &attendance);
        let may_lead = self.all_read || self.accepted.vips.is_empty();
        let Some(term) = term.filter(|_| may_lead) else {
            self.resign();
            self.follow(&loaded, &attendance, now);
            self.wait(loaded);
            return None;
        };
        if !std::mem::replace(&mut self.led, true) {
            self.compiler = Compiler::default();
        }
        let opened = self.books.open(&loaded.resources, now);
        if self.complains(opened) {
            self.wait(loaded);
            return Some(RECOVER);
        }
        let Some(addresses) = self.settle(&loaded, &attendance, term, now) else { return Some(READ_AGAIN) };
        let wake = addresses.wake.map(|wake| Duration::from_secs(wake.saturating_sub(now).max(1)));
        let compiled = self.order(&loaded, &attendance, term, &addresses, now);
        self.outputs.news.send_replace(News::Leads(Arc::new(Round {
            loaded,
            attendance,
            addresses,
            compiled,
            departures: self.departures.clone(),
            not_ready: self.not_ready.clone(),
            settled: self.settled,
            term,
            now,
        })));
        wake
    }

    /// Whoever leads in the meantime decides; what was decided here counts no more.
    fn resign(&mut self) {
        if !std::mem::take(&mut self.led) {
            return;
        }
        self.books.close();
        (self.compiler, self.departures) = (Compiler::default(), Departures::new());
        self.published = Arc::default();
    }

    /// Beside another leader, and with its allocations: what is in use is known here too when this controller takes
    /// over, and an edit that is refused takes nothing away.
    fn follow(&mut self, loaded: &Arc<Loaded>, agents: &Agents, now: u64) {
        let world = &loaded.resources;
        let Some(ledger) = self.books.recorded(world, now) else { return };
        let arguments = Arguments {
            loaded: loaded.clone(),
            pools: ledger.allocations(),
            nodes: knowledge::nodes(world, agents),
        };
        let compiled = self.compiler.compile(arguments, &self.accepted, &Snapshots::new(), agents);
        self.remember(&compiled.accepted);
    }

    /// Whether it failed; said once.
    fn complains(&mut self, outcome: Result<(), BooksError>) -> bool {
        match outcome {
            Ok(()) => self.complaint = None,
            Err(BooksError::Recovering) => return true,
            Err(error) => {
                let words = error.to_string();
                if self.complaint.as_ref() != Some(&words) {
                    tracing::error!(error = words, "addresses stay as they were");
                }
                self.complaint = Some(words);
                return true;
            }
        }
        false
    }

    /// Its agents hear that nobody leads, and keep what they have.
    fn wait(&mut self, loaded: Arc<Loaded>) {
        self.outputs.news.send_replace(News::Waits(loaded));
        self.outputs.bulletins.send_if_modified(|bulletin| {
            let led = bulletin.term.is_some();
            *bulletin = Arc::default();
            led
        });
    }

    /// The ledger is stored before anybody hears of an address in it. `None`: nobody knows what is stored; what was
    /// told last stays until it was read again.
    fn settle(&mut self, loaded: &Loaded, agents: &Agents, term: Term, now: u64) -> Option<Settled> {
        let world = &loaded.resources;
        let mut held = self.holders.held(agents, term, now);
        // An edit that is refused wants nothing of the pool, and leaves the VIP the address that it has.
        held.extend(self.accepted.vips.values().flat_map(|in_use| in_use.addresses.iter()));
        let outside = Outside { reserved: ipam::reserved(world), held, unheard: !self.settled, now };
        let mut settled = ipam::settle(world, self.books.kept(), &outside, &mut self.wishes);
        let kept = self.books.keep(&settled.ledger, world);
        if self.complains(kept) {
            if !self.books.is_open() {
                return None;
            }
            settled.allocations = self.books.kept().allocations();
            settled.wake = Some(now + RECOVER.as_secs());
        }
        Some(settled)
    }

    fn order(
        &mut self,
        loaded: &Arc<Loaded>,
        agents: &Agents,
        term: Term,
        settled: &Settled,
        now: u64,
    ) -> Arc<Compiled> {
        let world = &loaded.resources;
        let (pools, nodes) = (settled.allocations.clone(), knowledge::nodes(world, agents));
        let arguments = Arguments { loaded: loaded.clone(), pools, nodes };
        let compiled = self.compiler.compile(arguments, &self.accepted, &self.published, agents);
        self.not_ready = knowledge::not_ready(world, &self.not_ready, now);
        self.departures = placement::decide(&placement::Facts {
            estate: &compiled.estate,
            world,
            attendance: agents,
            not_ready: &self.not_ready,
            before: &self.departures,
            settled: self.settled,
        });
        let mut snapshots = compiled.snapshots.clone();
        for (node, leaving) in &self.departures {
            if let Some(snapshot) = snapshots.get_mut(node) {
                snapshot.leaving.clone_from(leaving);
            }
        }
        self.publish(publish::successors(&self.published, snapshots), term);
        self.remember(&compiled.accepted);
        compiled
    }

    /// What a node may have is noted before the node is told.
    fn publish(&mut self, snapshots: Snapshots, term: Term) {
        self.holders.retain(|node| snapshots.contains_key(node));
        let mut addresses = publish::AddressSets::default();
        for (node, snapshot) in &snapshots {
            if self.published.get(node).is_none_or(|before| !Arc::ptr_eq(before, snapshot)) {
                self.holders.sent(node, snapshot.generation, addresses.of(snapshot));
            }
        }
        let unchanged = self.published.len() == snapshots.len()
            && self.published.values().zip(snapshots.values()).all(|(a, b)| Arc::ptr_eq(a, b));
        if !unchanged {
            self.published = Arc::new(snapshots);
            self.outputs.snapshots.send_replace(self.published.clone());
        }
        let term = Some(term);
        self.outputs.bulletins.send_if_modified(|bulletin| {
            let differs = !unchanged || bulletin.term != term;
            if differs {
                *bulletin = Arc::new(Bulletin { term, snapshots: (*self.published).clone() });
            }
            differs
        });
    }

    /// The nodes first: the disk is slower than what they have to do.
    fn remember(&mut self, accepted: &Accepted) {
        if *accepted == self.accepted {
            return;
        }
        if let Err(error) = self.memory.keep(accepted) {
            tracing::warn!(%error, "a restart would not know which edits were refused");
        }
        self.accepted.clone_from(accepted);
    }
}

/// Waits until something is new: what is written and who leads at once, what agents report at the loop's pace.
/// `false`: the inputs are over.
async fn wait(inputs: &mut Inputs, wake: Option<Instant>, pace: Duration) -> bool {
    let paced = Instant::now() + pace;
    tokio::select! {
        changed = inputs.loaded.changed() => changed.is_ok(),
        changed = inputs.election.changed() => changed.is_ok(),
        changed = async {
            tokio::time::sleep_until(paced).await;
            inputs.attendance.changed().await
        } => changed.is_ok(),
        () = tokio::time::sleep_until(wake.unwrap_or(paced)), if wake.is_some() => true,
    }
}

/// Unix seconds that never jump: what a delay has to wait is not shortened by whoever sets the clock.
#[derive(Debug)]
struct Clock {
    started: Duration,
    begun: Instant,
}

impl Clock {
    fn start() -> Self {
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started, begun: Instant::now() }
    }

    fn now(&self) -> u64 {
        (self.started + self.begun.elapsed()).as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn with_nothing_to_wait_for_the_loop_rests() {
        let (_loaded, loaded) = watch::channel(Arc::default());
        let (reports, attendance) = watch::channel(Arc::default());
        let (_leads, election) = watch::channel(None);
        let mut inputs = Inputs { loaded, attendance, election };
        let hour = Duration::from_secs(3600);
        assert!(tokio::time::timeout(hour, wait(&mut inputs, None, PACE)).await.is_err());
        let begun = Instant::now();
        assert!(wait(&mut inputs, Some(begun + hour), PACE).await);
        assert_eq!(begun.elapsed().as_secs(), hour.as_secs());
        reports.send_replace(Arc::default());
        let begun = Instant::now();
        assert!(wait(&mut inputs, None, PACE).await);
        assert!(begun.elapsed() >= PACE && begun.elapsed() < hour);
    }
}

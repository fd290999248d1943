//! Facts in, plans out, again and again.
//!
//! 1. wait until anything changed, or for the next beat (IO)
//! 2. gather what the node sees (pure)
//! 3. decide who leaves, and let those take their next step (pure, with the time)
//! 4. [`plan::desired`] (pure)
//! 5. hand each driver its plan, and tell `status` (IO)
//!
//! Before the first complete snapshot, and before the link and the daemon have been looked at, no driver
//! hears anything: nothing is announced, withdrawn or swept on a guess (spec §2.1).

use super::Orders;
use super::config::{BEAT, Config};
use super::departure::Departures;
use super::drivers::Drivers;
use super::phases::Phases;
use super::wish::Wish;
use crate::model::leaving::Cause;
use crate::model::name::Name;
use crate::model::net::HostRoute;
use crate::model::observed::Served;
use crate::model::snapshot::Snapshot;
use crate::model::status::NodeStatus;
use crate::model::term::Term;
use crate::plan::{self, Desired, Formers, NodeFacts, VipState, decide, former};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// How often it is looked whether a step of a leaving address is over.
const LEAVING_BEAT: Duration = Duration::from_millis(50);

/// Runs until `leave` is cancelled and nothing of ours is left on the node.
pub async fn run(
    config: &Config,
    orders: Orders,
    drivers: Drivers,
    wish: Wish,
    status: watch::Sender<Option<Arc<NodeStatus>>>,
    leave: CancellationToken,
) {
    let mut turning = Turning::new(config, orders, drivers, wish, status);
    let (mut beat, mut look) = (beats(BEAT), beats(LEAVING_BEAT));
    if !turning.first_look(&leave).await {
        return;
    }
    loop {
        let wake = turning.wait(&mut beat, &mut look, &leave).await;
        if leave.is_cancelled() {
            turning.wish.end(now());
        }
        if turning.turn(wake, now()) {
            return;
        }
    }
}

fn beats(period: Duration) -> Interval {
    let mut beat = tokio::time::interval(period);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wake {
    /// The lease on the addresses is to be refreshed.
    Beat,
    Changed,
}

struct Turning<'a> {
    config: &'a Config,
    orders: Orders,
    drivers: Drivers,
    status: watch::Sender<Option<Arc<NodeStatus>>>,
    phases: Phases,
    wish: Wish,
    departures: Departures,
    /// The snapshot of the last turn.
    before: Option<Arc<Snapshot>>,
    formers: Formers,
    /// What the last turn saw, and who was to leave then, with the drain periods.
    last: Option<(NodeFacts, BTreeMap<HostRoute, Duration>)>,
    /// What the proxy said at the last turn.
    served: Served,
    started: u64,
}

impl<'a> Turning<'a> {
    fn new(
        config: &'a Config,
        orders: Orders,
        drivers: Drivers,
        wish: Wish,
        status: watch::Sender<Option<Arc<NodeStatus>>>,
    ) -> Self {
        Self {
            config,
            before: orders.before.clone(),
            orders,
            drivers,
            status,
            phases: Phases::default(),
            wish,
            departures: Departures::default(),
            formers: Formers::new(),
            last: None,
            served: Served::default(),
            started: unix_now(),
        }
    }

    /// Waits for a snapshot and for the first word of the drivers whose silence would be a fact. `false`: the
    /// node was asked to leave before it had anything; what an earlier agent left expires by itself.
    async fn first_look(&mut self, leave: &CancellationToken) -> bool {
        let (link, routing) = (&mut self.drivers.link.seen, &mut self.drivers.routing.seen);
        let snapshot = &mut self.orders.snapshot;
        tokio::select! {
            () = leave.cancelled() => false,
            () = async { tokio::join!(changed(snapshot), changed(link), changed(routing)); } => true,
        }
    }

    async fn wait(&mut self, beat: &mut Interval, look: &mut Interval, leave: &CancellationToken) -> Wake {
        loop {
            tokio::select! {
                _ = beat.tick() => return Wake::Beat,
                _ = look.tick(), if self.wish.is_to_end() || self.departures.are_under_way() => {
                    if !self.is_due(now()) {
                        continue;
                    }
                }
                () = leave.cancelled(), if !self.wish.is_to_end() => {}
                () = changed(&mut self.wish.drain) => {}
                () = changed(&mut self.orders.snapshot) => {}
                () = changed(&mut self.orders.rejected) => {}
                () = changed(&mut self.orders.leader) => {}
                () = changed(&mut self.drivers.link.seen) => {}
                () = changed(&mut self.drivers.exposure.seen) => {}
                () = changed(&mut self.drivers.routing.seen) => {}
                () = served_otherwise(&mut self.drivers.proxy.seen, &self.served) => {}
            }
            return Wake::Changed;
        }
    }

    /// Whether the newest numbers let any leaving address take its next step: a look that changes nothing costs
    /// little, however many VIPs there are.
    fn is_due(&mut self, now: Instant) -> bool {
        let Some((facts, leavers)) = &mut self.last else { return true };
        facts.served.traffic.clone_from(&self.drivers.proxy.seen.borrow().traffic);
        self.wish.is_to_end() || self.departures.are_due(leavers, facts, now)
    }

    /// One round. `true`: the node has left, and nothing remains to be done.
    fn turn(&mut self, wake: Wake, now: Instant) -> bool {
        let snapshot = self.orders.snapshot.borrow_and_update().clone();
        let Some(snapshot) = snapshot else { return false };
        let (wish, leader) = (self.wish.cause(), *self.orders.leader.borrow_and_update());
        let mut facts = self.facts(&snapshot);
        facts.leaving = decide::decisions(&snapshot, wish, leader.is_some() && self.wish.can_wait(now));
        let leavers = decide::leavers(&snapshot, &facts);
        self.departures.advance(&leavers, &facts, now);
        facts.leave = self.departures.steps();
        facts.former = former::still_here(&facts);
        let desired = plan::desired(&snapshot, &facts);
        let gone = self.wish.is_to_end() && self.departures.is_over(&snapshot, &facts, now);
        let vips = self.hand_out(desired, wake);
        self.publish(&snapshot, &facts, &vips, (wish, leader));
        self.formers = facts.former.clone();
        self.last = Some((facts, leavers));
        gone
    }

    fn facts(&mut self, snapshot: &Arc<Snapshot>) -> NodeFacts {
        let mut formers = std::mem::take(&mut self.formers);
        match self.before.replace(snapshot.clone()) {
            Some(before) if !Arc::ptr_eq(&before, snapshot) => {
                formers = former::remember(formers, &before, snapshot);
            }
            _ => {}
        }
        self.served = self.drivers.proxy.seen.borrow_and_update().clone();
        NodeFacts {
            held: self.drivers.link.seen.borrow_and_update().clone(),
            guarded: self.drivers.exposure.seen.borrow_and_update().clone(),
            observed: self.drivers.routing.seen.borrow_and_update().clone(),
            served: self.served.clone(),
            router_id: self.drivers.router_id,
            uplink: self.drivers.uplink.clone(),
            leaving: BTreeMap::new(),
            leave: self.departures.steps(),
            former: formers,
        }
    }

    /// The drivers first: nobody who reads the status waits as urgently.
    fn hand_out(&mut self, desired: Desired, wake: Wake) -> BTreeMap<Name, VipState> {
        let Desired { link, exposure, routing, proxy, vips } = desired;
        self.drivers.exposure.offer(exposure);
        self.drivers.proxy.offer(proxy);
        self.drivers.routing.offer(routing);
        match wake {
            Wake::Beat => self.drivers.link.hand_over(link),
            Wake::Changed => self.drivers.link.offer(link),
        }
        vips
    }

    fn publish(
        &mut self,
        snapshot: &Snapshot,
        facts: &NodeFacts,
        vips: &BTreeMap<Name, VipState>,
        (wish, term): (Option<Cause>, Option<Term>),
    ) {
        let status = NodeStatus {
            node: self.config.node.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            generation: snapshot.generation,
            term,
            started: self.started,
            wish,
            held: facts.held.addresses.union(&facts.observed.announced).copied().collect(),
            vips: self.phases.update(vips, snapshot, unix_now()),
            routing: facts.observed.clone(),
            served: facts.served.clone(),
            rejected: self.orders.rejected.borrow_and_update().clone(),
        };
        self.status.send_replace(Some(Arc::new(status)));
    }
}

/// Waits for news; a driver that is gone has none (its task's end ends the process elsewhere).
async fn changed<T>(seen: &mut watch::Receiver<T>) {
    if seen.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits until the proxy says something that decides anything. How much traffic there is does not: the next
/// beat is soon enough for that.
async fn served_otherwise(seen: &mut watch::Receiver<Served>, known: &Served) {
    loop {
        changed(seen).await;
        let now = seen.borrow();
        if now.listeners != known.listeners || now.backends != known.backends {
            return;
        }
    }
}

/// As the loop's timers see it.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

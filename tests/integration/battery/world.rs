//! ToR, node and driver, as sentences.

use super::fixture::Fixture;
use super::plans::Plan;
use anyhow::{Result, ensure};
use novaedge::model::observed::Observed;
use novaedge::plan::RoutingPlan;
use novaedge::routing::{Applied, ApplyError, Daemon, drive};
use novaedge_lab::builder::Builder;
use novaedge_lab::{FibWatch, Lab, Node, NodeId, eventually};
use std::fmt::Debug;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Longer than anything that works takes: a first BGP session, a BFD session.
pub const SOON: Duration = Duration::from_secs(20);

pub struct World<F: Fixture> {
    driver: F::Driver,
    runtime: Runtime,
    pub lab: Lab,
    pub fib: FibWatch,
    // Last, so that the next world starts when this one is gone.
    _alone: MutexGuard<'static, ()>,
}

impl<F: Fixture> World<F> {
    /// A ToR and one node.
    pub fn new(name: &str) -> Self {
        Self::of(name, |lab| lab)
    }

    /// The lab as `shaped`; the driver runs on its first node.
    pub fn of(name: &str, shaped: impl FnOnce(Builder) -> Builder) -> Self {
        let alone = crate::WORLD.lock().unwrap_or_else(PoisonError::into_inner);
        let builder = Lab::builder(&format!("{}-{name}", F::NAME)).nodes(1).without_backends();
        let lab = shaped(F::lab(builder)).up().unwrap();
        let fib = lab.watch_fib().unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let driver = F::driver(lab.node(1));
        Self { driver, runtime, lab, fib, _alone: alone }
    }

    pub fn node(&self) -> &Node {
        self.lab.node(1)
    }

    /// The kernel of the node holds the address, as long as any test takes.
    pub fn hold(&self, prefix: &str) {
        self.hold_for(prefix, 600);
    }

    pub fn hold_for(&self, prefix: &str, seconds: u32) {
        let lifetime = format!("valid_lft {seconds} preferred_lft 0");
        self.node().netns().ip(&format!("addr replace {prefix} dev lo {lifetime}")).unwrap();
    }

    /// Goes on with another driver, as a restarted agent does.
    pub fn with_driver(&mut self, driver: F::Driver) -> &mut Self {
        self.driver = driver;
        self
    }

    pub fn try_apply(&mut self, plan: &Plan) -> Result<Applied, ApplyError> {
        self.runtime.block_on(self.driver.apply(&plan.0))
    }

    /// Applies a plan that goes in wholly, and checks that it needs nothing more afterwards.
    pub fn apply(&mut self, plan: &Plan) -> Applied {
        let applied = self.try_apply(plan).unwrap();
        assert_eq!(applied.refused, Default::default());
        let again = self.try_apply(plan).unwrap();
        assert_eq!(again.changes, 0, "an equal plan changes nothing");
        applied
    }

    pub fn observe(&mut self) -> Observed {
        self.runtime.block_on(self.driver.observe()).unwrap()
    }

    pub fn try_observe(&mut self) -> Result<Observed, String> {
        self.runtime.block_on(self.driver.observe()).map_err(|error| error.to_string())
    }

    /// Waits until the driver sees what `holds` says.
    pub fn sees(&mut self, what: &str, holds: impl Fn(&Observed) -> bool) -> Observed {
        let Self { driver, runtime, .. } = self;
        eventually(what, SOON, || {
            let observed = runtime.block_on(driver.observe()).map_err(|error| error.to_string())?;
            if holds(&observed) { Ok(observed) } else { Err(format!("{observed:?}")) }
        })
        .unwrap()
    }

    /// Waits until the ToR's kernel routes the prefix to the node. Returns how long that took.
    pub fn routed_since(&self, prefix: &str, since: Instant) -> Duration {
        self.fib.wait_for(prefix, since, SOON, |hops| hops.nodes().contains(&NodeId(1))).unwrap() - since
    }

    pub fn routed(&self, prefix: &str) {
        self.routed_since(prefix, Instant::now());
    }

    pub fn unrouted_since(&self, prefix: &str, since: Instant) -> Duration {
        self.fib.wait_for(prefix, since, SOON, |hops| hops.is_empty()).unwrap() - since
    }

    pub fn unrouted(&self, prefix: &str) {
        self.unrouted_since(prefix, Instant::now());
    }

    /// Waits until the ToR's path for the prefix has what `wanted` says, by JSON pointer.
    pub fn path_has(&self, prefix: &str, wanted: &[(&str, serde_json::Value)]) {
        eventually(&format!("the ToR's path for {prefix}"), SOON, || {
            let paths = self.lab.tor().paths(prefix)?;
            for (pointer, value) in wanted {
                let found = paths.get(&NodeId(1)).and_then(|path| path.pointer(pointer));
                let found = found.cloned().unwrap_or_default();
                ensure!(found == *value, "{pointer} is {found}, not {value}, in {paths:?}");
            }
            anyhow::Ok(())
        })
        .unwrap();
    }

    /// How often the ToR's session with the node came and went, and how many UPDATE messages came over it.
    pub fn session(&self) -> Session {
        let peers = self.lab.tor().ask_json("bgpd", "show bgp neighbors 10.0.0.1 json").unwrap();
        let number =
            |pointer: &str| peers.pointer(&format!("/10.0.0.1/{pointer}")).and_then(|n| n.as_u64()).unwrap();
        Session {
            begun: number("connectionsEstablished"),
            dropped: number("connectionsDropped"),
            updates: number("messageStats/updatesRecv"),
        }
    }

    pub fn established(&self) {
        eventually("the session with the ToR", SOON, || {
            let up = self.lab.tor().established()?;
            ensure!(up.contains(&NodeId(1)), "it is not up");
            anyhow::Ok(())
        })
        .unwrap();
    }

    /// Hands the driver to the loop that the agent runs.
    pub fn driven(self) -> Driven<F> {
        let (plans, receiver) = watch::channel(Arc::new(RoutingPlan::default()));
        let (sender, seen) = watch::channel(Observed::default());
        let Self { driver, runtime, lab, fib, _alone } = self;
        runtime.spawn(drive(driver, receiver, sender));
        let world = Remains { runtime, lab, fib, _alone };
        Driven { plans, seen, world, fixture: std::marker::PhantomData }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    pub begun: u64,
    pub dropped: u64,
    pub updates: u64,
}

impl Session {
    /// Whether it is still the session that it was then.
    pub fn is_still(&self, then: Session) -> bool {
        (self.begun, self.dropped) == (then.begun, then.dropped)
    }
}

/// A world whose driver is in the hands of [`drive`].
pub struct Driven<F> {
    pub plans: watch::Sender<Arc<RoutingPlan>>,
    pub seen: watch::Receiver<Observed>,
    pub world: Remains,
    fixture: std::marker::PhantomData<F>,
}

/// What is left of a [`World`] without its driver.
pub struct Remains {
    #[expect(dead_code, reason = "dropping it ends the loop")]
    runtime: Runtime,
    pub lab: Lab,
    pub fib: FibWatch,
    _alone: MutexGuard<'static, ()>,
}

impl<F> Driven<F> {
    pub fn plan(&self, plan: &Plan) {
        self.plans.send(Arc::new(plan.0.clone())).unwrap();
    }

    pub fn node(&self) -> &Node {
        self.world.lab.node(1)
    }

    /// Waits until the loop publishes what `holds` says; returns how long that took.
    pub fn sees(&self, what: &str, holds: impl Fn(&Observed) -> bool) -> Duration {
        let started = Instant::now();
        eventually(what, SOON, || {
            let observed = self.seen.borrow().clone();
            if holds(&observed) { Ok(()) } else { Err(describe(&observed)) }
        })
        .unwrap();
        started.elapsed()
    }

    pub fn routed(&self, prefix: &str) {
        let holds = |hops: &novaedge_lab::NextHops| hops.nodes().contains(&NodeId(1));
        self.world.fib.wait_for(prefix, Instant::now(), SOON, holds).unwrap();
    }
}

fn describe(value: &impl Debug) -> String {
    format!("{value:?}")
}

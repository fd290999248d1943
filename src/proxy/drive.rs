//! The control task: plans in, reports out.

use super::cores::{CoreEnded, Cores};
use super::listener::doors::{Doors, Moves};
use super::metrics::Metrics;
use super::probe::Prober;
use super::table::View;
use super::upstream::registry::Registry;
use crate::model::observed::{ListenerState, Served};
use crate::plan::ProxyPlan;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

/// Between two looks at the cores' numbers, and so between two reports of them.
const LOOK: Duration = Duration::from_millis(100);
/// Between two attempts to open a port.
const KNOCK: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Options {
    /// Threads that serve; each has its own sockets, clients and connections.
    pub cores: NonZeroUsize,
    pub metrics: Metrics,
}

/// Serves what the newest plan says, until the plans' sender is gone. Then everything is closed at once: it is
/// the caller who waits for [`Served::in_flight`] to end.
///
/// Nothing is opened before the first plan. Returns early only if a core has ended.
pub async fn drive(
    options: Options,
    mut plans: watch::Receiver<Arc<ProxyPlan>>,
    seen: watch::Sender<Served>,
) {
    let mut proxy = match Cores::start(options.cores.get(), &options.metrics) {
        Ok(cores) => Proxy::new(cores, options.metrics),
        Err(error) => return tracing::error!(%error, "the proxy cannot start"),
    };
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let outcome = tokio::select! {
            changed = plans.changed() => match changed {
                Ok(()) => proxy.follow(&plans.borrow_and_update().clone()),
                Err(_gone) => return,
            },
            () = proxy.prober.changed() => Ok(()),
            () = proxy.cores.step() => Ok(()),
            _ = look.tick() => proxy.look(Instant::now()),
        };
        if let Err(error) = outcome {
            return tracing::error!(%error, "the proxy ends");
        }
        proxy.tell(&seen);
    }
}

struct Proxy {
    cores: Cores,
    metrics: Metrics,
    doors: Doors,
    registry: Registry,
    prober: Prober,
    /// The plan in force; `None` before the first.
    plan: Option<Arc<ProxyPlan>>,
    view: Arc<View>,
    knocked: Instant,
}

impl Proxy {
    fn new(cores: Cores, metrics: Metrics) -> Self {
        Self {
            cores,
            metrics,
            doors: Doors::default(),
            registry: Registry::default(),
            prober: Prober::default(),
            plan: None,
            view: Arc::default(),
            knocked: Instant::now(),
        }
    }

    fn follow(&mut self, plan: &Arc<ProxyPlan>) -> Result<(), CoreEnded> {
        if self.plan.as_ref() == Some(plan) {
            return Ok(());
        }
        let before = self.plan.replace(Arc::clone(plan));
        if before.is_none_or(|before| before.serving.backends != plan.serving.backends) {
            self.registry.update(&plan.serving.backends, Instant::now());
            self.prober.update(&self.registry);
            self.metrics.set_backends(self.registry.groups());
        }
        self.view = Arc::new(View {
            listeners: plan.serving.listeners.clone(),
            groups: self.registry.groups().clone(),
            lame_ducks: plan.lame_ducks.clone(),
        });
        let moves = self.adjust_doors();
        self.cores.order(&self.view, moves)
    }

    /// Looks after the cores, and tries the doors that are shut again, once a second.
    fn look(&mut self, now: Instant) -> Result<(), CoreEnded> {
        self.cores.look()?;
        if !self.doors.any_shut() || now.duration_since(self.knocked) < KNOCK {
            return Ok(());
        }
        match self.adjust_doors() {
            moves if moves.opened.is_empty() => Ok(()),
            moves => self.cores.order(&self.view, moves),
        }
    }

    fn adjust_doors(&mut self) -> Moves {
        self.knocked = Instant::now();
        self.doors.adjust(&self.view.listeners, self.cores.count())
    }

    /// Reports, if there is anything new to say: what is in force on every core.
    fn tell(&self, seen: &watch::Sender<Served>) {
        let stalled = self
            .cores
            .stalled()
            .map(|core| ListenerState::Failed { error: format!("core {core} of the proxy does not answer") });
        if self.plan.is_none() || (stalled.is_none() && !self.cores.are_in_step()) {
            return;
        }
        let listeners = self.view.listeners.iter().map(|(key, listener)| {
            let state = stalled.clone().unwrap_or_else(|| self.doors.state(key, listener));
            (key.clone(), state)
        });
        let now = Served {
            listeners: listeners.collect(),
            backends: self.registry.health(),
            connections: self.cores.connections(),
            in_flight: self.cores.in_flight(),
            traffic: self.cores.traffic(),
        };
        seen.send_if_modified(|before| {
            let changed = *before != now;
            *before = now;
            changed
        });
    }
}

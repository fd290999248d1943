//! The open loop: what is due is sent.

use super::exchange::{Connection, connect_only, datagram, request};
use super::{Plan, Report, Sample, Shared, Traffic};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

/// Tokio's clock is no finer.
const TICK: Duration = Duration::from_millis(1);

/// A place for a kept connection: empty before the first request and after a connection ended.
type Slot = Option<Connection>;

/// Sends on schedule until told to stop, then waits for the answers that are still due.
pub(super) async fn run(plan: &Plan, shared: &Shared) -> Report {
    let started = Instant::now();
    let mut prober = Prober::new(plan, started);
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut launched = 0;
    while !shared.stop.load(Ordering::Relaxed) {
        tick.tick().await;
        prober.collect_finished();
        shared.ended.store(prober.report.samples.len(), Ordering::Relaxed);
        let due = (started.elapsed().as_secs_f64() * f64::from(plan.rate)) as u64;
        while launched < due {
            launched += 1;
            prober.launch();
        }
    }
    prober.finish().await
}

struct Prober {
    plan: Arc<Plan>,
    report: Report,
    idle: VecDeque<Slot>,
    under_way: JoinSet<(Sample, Option<Slot>)>,
}

impl Prober {
    fn new(plan: &Plan, started: Instant) -> Self {
        let slots = if let Traffic::Kept(connections) = plan.traffic { connections } else { 0 };
        Self {
            plan: Arc::new(plan.clone()),
            report: Report { started, samples: Vec::new(), starved: 0 },
            idle: (0..slots).map(|_| None).collect(),
            under_way: JoinSet::new(),
        }
    }

    fn launch(&mut self) {
        let (plan, started) = (self.plan.clone(), self.report.started);
        match plan.traffic {
            Traffic::New => {
                self.under_way.spawn(async move { (request(&plan, started, &mut None).await, None) });
            }
            Traffic::Connect => {
                self.under_way.spawn(async move { (connect_only(&plan, started).await, None) });
            }
            Traffic::Datagrams => {
                self.under_way.spawn(async move { (datagram(&plan, started).await, None) });
            }
            Traffic::Kept(_) => {
                let Some(mut slot) = self.idle.pop_front() else {
                    self.report.starved += 1;
                    return;
                };
                self.under_way.spawn(async move {
                    let sample = request(&plan, started, &mut slot).await;
                    (sample, Some(slot))
                });
            }
        }
    }

    fn collect_finished(&mut self) {
        while let Some(Ok(finished)) = self.under_way.try_join_next() {
            self.take(finished);
        }
    }

    fn take(&mut self, (sample, slot): (Sample, Option<Slot>)) {
        self.report.samples.push(sample);
        self.idle.extend(slot);
    }

    async fn finish(mut self) -> Report {
        while let Some(finished) = self.under_way.join_next().await {
            self.take(finished.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())));
        }
        self.report.samples.sort_by_key(|sample| sample.sent);
        self.report
    }
}

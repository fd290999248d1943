//! One core: a thread with its own runtime, sockets, clients and upstream connections.
//!
//! ```text
//!              Order{view, open, close}
//! drive ────────────────▶ core 0:  accept ─▶ clients ─▶ pools ─▶ endpoints
//!       ────────────────▶ core 1:  accept ─▶ clients ─▶ pools ─▶ endpoints
//! ```
//!
//! Nothing that a request needs is shared with another core but atomics about endpoints, so nothing waits
//! for a lock. `docs/decisions/` has the measurement.

use super::connection::activity::{Clock, TICK};
use super::connection::reaper::Clients;
use super::listener::accept;
use super::listener::door::Door;
use super::metrics::{CoreCounters, Metrics};
use super::table::{Table, View};
use std::cell::{RefCell, RefMut};
use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

pub struct Core {
    index: usize,
    metrics: Metrics,
    pub clock: Arc<Clock>,
    pub counters: Arc<CoreCounters>,
    pub clients: RefCell<Clients>,
    table: RefCell<Rc<Table>>,
    dice: RefCell<fastrand::Rng>,
}

/// What the control task tells a core.
#[derive(Debug)]
pub struct Order {
    pub view: Arc<View>,
    pub open: Vec<(Door, std::net::TcpListener)>,
    pub close: Vec<Door>,
    /// Told when it has been carried out.
    pub done: Arc<Notify>,
}

/// What runs at each open door.
type Doormen = HashMap<Door, (oneshot::Sender<()>, JoinHandle<()>)>;

/// Lives until the sender of orders is gone. Whatever is still in flight then is dropped.
pub fn run(
    index: usize,
    counters: Arc<CoreCounters>,
    metrics: Metrics,
    orders: mpsc::UnboundedReceiver<Order>,
) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    let core = Rc::new(Core {
        index,
        metrics,
        clock: Arc::default(),
        clients: RefCell::new(Clients::new(Arc::clone(&counters))),
        counters,
        table: RefCell::default(),
        dice: RefCell::default(),
    });
    runtime.block_on(live(core, orders));
    Ok(())
}

async fn live(core: Rc<Core>, mut orders: mpsc::UnboundedReceiver<Order>) {
    let mut doormen = Doormen::new();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(order) => carry_out(&core, order, &mut doormen).await,
                None => return,
            },
            _ = ticks.tick() => core.tick(),
        }
    }
}

/// Who has knocked at a closing door is still served by the old table; who knocks at a new one, by the new.
async fn carry_out(core: &Rc<Core>, order: Order, doormen: &mut Doormen) {
    for door in order.close {
        if let Some((close, doorman)) = doormen.remove(&door) {
            drop(close);
            let _ = doorman.await;
        }
    }
    let table = Table::new(&order.view, &core.table(), &core.metrics, core.index, &core.counters.tallies);
    core.table.replace(Rc::new(table));
    for (door, socket) in order.open {
        match TcpListener::from_std(socket) {
            Ok(listener) => {
                let (close, closed) = oneshot::channel();
                let doorman = tokio::task::spawn_local(accept::run(Rc::clone(core), listener, closed));
                doormen.insert(door, (close, doorman));
            }
            Err(error) => tracing::error!(%door, %error, "a core cannot use its socket"),
        }
    }
    core.judge_clients();
    core.counters.orders.add(1);
    order.done.notify_one();
}

impl Core {
    pub fn table(&self) -> Rc<Table> {
        Rc::clone(&self.table.borrow())
    }

    pub fn dice(&self) -> RefMut<'_, fastrand::Rng> {
        self.dice.borrow_mut()
    }

    fn tick(&self) {
        self.clock.advance();
        self.counters.beats.add(1);
        self.judge_clients();
        let now = Instant::now();
        for pool in self.table().pools() {
            pool.sweep(now);
        }
    }

    fn judge_clients(&self) {
        let clients = self.clients.borrow().all();
        for client in clients {
            client.judge();
        }
    }
}

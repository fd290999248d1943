//! All cores, as the control task sees them.

use super::core::{self, Order};
use super::listener::doors::Moves;
use super::metrics::{CoreCounters, Metrics};
use super::table::View;
use crate::host::process::allow_many_descriptors;
use crate::model::observed::Traffic;
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};

/// A core whose clock stands still for so many looks serves nobody. Looks are counted, not time: a process
/// that was stopped as a whole has not looked either.
const STALLED: u32 = 30;

/// The threads end when this is dropped.
#[derive(Debug)]
pub struct Cores {
    handles: Vec<Handle>,
    /// Orders given to each core so far.
    given: u64,
    done: Arc<Notify>,
}

#[derive(Debug)]
struct Handle {
    orders: mpsc::UnboundedSender<Order>,
    counters: Arc<CoreCounters>,
    /// The last beat, and how many looks have found no later one.
    heard: (u64, u32),
}

/// A core's thread has ended although it is needed.
#[derive(Debug, thiserror::Error)]
#[error("core {0} of the proxy has ended; this is a bug, please report it")]
pub struct CoreEnded(usize);

impl Cores {
    /// Each request needs two descriptors: the process is allowed as many as it may have.
    ///
    /// # Errors
    /// The system gives no further thread.
    pub fn start(count: usize, metrics: &Metrics) -> io::Result<Self> {
        allow_many_descriptors();
        let counters = metrics.cores(count).into_iter().enumerate();
        let handles = counters.map(|(index, counters)| start(index, counters, metrics.clone()));
        Ok(Self { handles: handles.collect::<io::Result<_>>()?, given: 0, done: Arc::default() })
    }

    pub fn count(&self) -> usize {
        self.handles.len()
    }

    /// # Errors
    /// A core does not listen any more.
    pub fn order(&mut self, view: &Arc<View>, moves: Moves) -> Result<(), CoreEnded> {
        let mut orders: Vec<Order> = self.handles.iter().map(|_| self.to_each(view, &moves)).collect();
        for (door, sockets) in moves.opened {
            for (order, socket) in orders.iter_mut().zip(sockets) {
                order.open.push((door, socket));
            }
        }
        for (index, (core, order)) in self.handles.iter().zip(orders).enumerate() {
            core.orders.send(order).map_err(|_| CoreEnded(index))?;
        }
        self.given += 1;
        Ok(())
    }

    fn to_each(&self, view: &Arc<View>, moves: &Moves) -> Order {
        let (view, done) = (Arc::clone(view), Arc::clone(&self.done));
        Order { view, open: Vec::new(), close: moves.closed.clone(), done }
    }

    /// Whether every core does what the last order says.
    pub fn are_in_step(&self) -> bool {
        self.handles.iter().all(|core| core.counters.orders.get() == self.given)
    }

    /// Resolves when a core has carried out an order.
    pub async fn step(&self) {
        self.done.notified().await;
    }

    pub fn connections(&self) -> u64 {
        self.handles.iter().map(|core| core.counters.connections.get()).sum()
    }

    pub fn in_flight(&self) -> u64 {
        self.handles.iter().map(|core| core.counters.in_flight.get()).sum()
    }

    /// What is open at each address.
    pub fn traffic(&self) -> BTreeMap<IpAddr, Traffic> {
        let mut sums = BTreeMap::new();
        self.handles.iter().for_each(|core| core.counters.tallies.add_to(&mut sums));
        sums
    }

    /// Looks whether all cores are alive; to be called at a steady pace.
    ///
    /// # Errors
    /// One has ended.
    pub fn look(&mut self) -> Result<(), CoreEnded> {
        for (index, core) in self.handles.iter_mut().enumerate() {
            if core.orders.is_closed() {
                return Err(CoreEnded(index));
            }
            let beats = core.counters.beats.get();
            let silent_looks = if beats == core.heard.0 { core.heard.1 + 1 } else { 0 };
            core.heard = (beats, silent_looks);
        }
        Ok(())
    }

    /// The index of a core that stands still.
    pub fn stalled(&self) -> Option<usize> {
        self.handles.iter().position(|core| core.heard.1 >= STALLED)
    }
}

fn start(index: usize, counters: Arc<CoreCounters>, metrics: Metrics) -> io::Result<Handle> {
    let (orders, inbox) = mpsc::unbounded_channel();
    let handle = Handle { orders, counters: Arc::clone(&counters), heard: (0, 0) };
    std::thread::Builder::new().name(format!("proxy-{index}")).spawn(move || {
        if let Err(error) = core::run(index, counters, metrics, inbox) {
            tracing::error!(index, %error, "a core cannot start");
        }
    })?;
    Ok(handle)
}

//! Who is there: the streams of each node, and what it said.

use crate::model::attendance::Attendance;
use crate::model::name::Name;
use crate::model::status::NodeStatus;
use crate::wire::answer;
use crate::wire::proto::Rejected;
use prometheus_client::metrics::gauge::Gauge;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

pub type Attendances = BTreeMap<Name, Attendance>;

/// Changes within this time are published together.
const TOGETHER: Duration = Duration::from_millis(10);
/// Connections that one node may have: its streams, and those of its last life.
const CONNECTIONS: usize = 4;

/// The two streams of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Watch,
    Report,
}

#[derive(Debug, Default)]
struct Agent {
    attendance: Attendance,
    streams: [Option<Occupied>; 2],
    connections: Vec<CancellationToken>,
}

#[derive(Debug)]
struct Occupied {
    number: u64,
    replaced: CancellationToken,
}

/// The agents that have ever spoken, at most `limit`: names are given by whoever signs certificates, or, in
/// plaintext, by anybody.
#[derive(Debug)]
pub struct Register {
    agents: Mutex<(u64, BTreeMap<Name, Agent>)>,
    changed: Notify,
    limit: usize,
}

/// More nodes than an estate can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} nodes have spoken to this controller, and it remembers no more; were certificates issued to strangers?"
)]
pub struct Full(usize);

impl Register {
    pub fn new(limit: usize) -> Self {
        Self { agents: Mutex::default(), changed: Notify::new(), limit }
    }

    /// A panic elsewhere leaves entries that are still entries.
    fn lock(&self) -> MutexGuard<'_, (u64, BTreeMap<Name, Agent>)> {
        self.agents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A node has a connection; its oldest is closed when it has too many.
    pub fn connected(&self, node: &Name, close: &CancellationToken) -> Result<(), Full> {
        let (_, agents) = &mut *self.lock();
        let agent = admit(agents, node, self.limit)?;
        agent.connections.retain(|connection| !connection.is_cancelled());
        if agent.connections.len() == CONNECTIONS {
            agent.connections.remove(0).cancel();
        }
        agent.connections.push(close.clone());
        Ok(())
    }

    /// The node's stream of this kind from now on; the one before is told that it was replaced.
    pub fn open(self: &Arc<Self>, node: &Name, stream: Stream) -> Result<Seat, Full> {
        let (numbers, agents) = &mut *self.lock();
        let agent = admit(agents, node, self.limit)?;
        *numbers += 1;
        let (number, replaced) = (*numbers, CancellationToken::new());
        let here = Occupied { number, replaced: replaced.clone() };
        if let Some(before) = agent.streams[stream as usize].replace(here) {
            before.replaced.cancel();
        }
        agent.look();
        self.changed.notify_one();
        Ok(Seat { register: Arc::clone(self), node: node.clone(), stream, number, replaced })
    }

    fn newest(&self) -> Attendances {
        let agents = &self.lock().1;
        // Who is only connected has not spoken yet.
        let spoken = agents.iter().filter(|(_, agent)| agent.attendance.since != 0);
        spoken.map(|(node, agent)| (node.clone(), agent.attendance.clone())).collect()
    }

    /// Publishes whatever changes, and counts who is alive; never ends.
    pub async fn publish(&self, to: watch::Sender<Arc<Attendances>>, alive: Gauge) {
        loop {
            self.changed.notified().await;
            let newest = self.newest();
            let there = newest.values().filter(|attendance| attendance.alive).count();
            alive.set(i64::try_from(there).unwrap_or(i64::MAX));
            to.send_replace(Arc::new(newest));
            tokio::time::sleep(TOGETHER).await;
        }
    }
}

fn admit<'a>(
    agents: &'a mut BTreeMap<Name, Agent>,
    node: &Name,
    limit: usize,
) -> Result<&'a mut Agent, Full> {
    if !agents.contains_key(node) && agents.len() >= limit {
        return Err(Full(limit));
    }
    Ok(agents.entry(node.clone()).or_default())
}

impl Agent {
    fn look(&mut self) {
        let alive = self.streams.iter().all(Option::is_some);
        if self.attendance.alive != alive || self.attendance.since == 0 {
            self.attendance.alive = alive;
            self.attendance.since =
                SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        }
    }
}

/// A stream's place; given up when dropped.
#[derive(Debug)]
pub struct Seat {
    register: Arc<Register>,
    pub node: Name,
    stream: Stream,
    number: u64,
    /// A newer stream has the place.
    pub replaced: CancellationToken,
}

impl Seat {
    fn change(&self, change: impl FnOnce(&mut Agent)) {
        let (_, agents) = &mut *self.register.lock();
        let Some(agent) = agents.get_mut(&self.node) else { return };
        let here = agent.streams[self.stream as usize].as_ref();
        if here.is_some_and(|here| here.number == self.number) {
            change(agent);
            self.register.changed.notify_one();
        }
    }

    /// The node's agent has this generation in force, but for `refused`.
    pub fn taken(&self, generation: u64, refused: Vec<Rejected>) {
        let refused = answer::bounded(refused).into_iter().map(|word| (word.key, word.reason)).collect();
        self.change(|agent| {
            agent.attendance.taken = Some(generation);
            agent.attendance.refused = refused;
        });
    }

    pub fn report(&self, status: Arc<NodeStatus>) {
        self.change(|agent| agent.attendance.status = Some(status));
    }

    /// What the node last reported, on whichever stream.
    pub fn last_report(&self) -> Option<Arc<NodeStatus>> {
        self.register.lock().1.get(&self.node)?.attendance.status.clone()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let stream = self.stream as usize;
        self.change(|agent| {
            agent.streams[stream] = None;
            agent.look();
        });
    }
}

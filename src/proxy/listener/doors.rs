//! Which doors a plan needs; opening and closing them, again and again.

use super::door::Door;
use crate::host::sockets::holder_of_port;
use crate::model::listener::{Listener, ListenerKey};
use crate::model::net::Family;
use crate::model::observed::ListenerState;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;

/// All doors, and what became of each.
#[derive(Debug, Default)]
pub struct Doors(BTreeMap<Door, ListenerState>);

/// What has to happen at the cores' sockets.
#[derive(Debug, Default)]
pub struct Moves {
    /// One socket per core each.
    pub opened: Vec<(Door, Vec<TcpListener>)>,
    pub closed: Vec<Door>,
}

impl Doors {
    /// Closes what is no longer needed, and tries to open whatever is needed and not open: so a port that was
    /// in use heals itself with the next call.
    pub fn adjust(&mut self, listeners: &BTreeMap<ListenerKey, Arc<Listener>>, cores: usize) -> Moves {
        let wanted: BTreeSet<Door> =
            listeners.iter().flat_map(|(key, listener)| doors(key, listener)).collect();
        let mut moves = Moves::default();
        self.0.retain(|door, state| {
            let stays = wanted.contains(door);
            if !stays && *state == ListenerState::Bound {
                moves.closed.push(*door);
            }
            stays
        });
        for door in wanted {
            if self.0.get(&door) == Some(&ListenerState::Bound) {
                continue;
            }
            let state = match door.open(cores) {
                Ok(sockets) => {
                    moves.opened.push((door, sockets));
                    ListenerState::Bound
                }
                Err(error) => failure(door, &error),
            };
            self.note(door, state);
        }
        moves
    }

    /// Whether another try may help.
    pub fn any_shut(&self) -> bool {
        self.0.values().any(|state| *state != ListenerState::Bound)
    }

    /// A listener is as good as the worst of its doors.
    pub fn state(&self, key: &ListenerKey, listener: &Listener) -> ListenerState {
        let states = doors(key, listener).into_iter().filter_map(|door| self.0.get(&door));
        states
            .into_iter()
            .find(|state| **state != ListenerState::Bound)
            .unwrap_or(&ListenerState::Bound)
            .clone()
    }

    fn note(&mut self, door: Door, state: ListenerState) {
        if self.0.get(&door) != Some(&state) {
            match &state {
                ListenerState::Bound => tracing::info!(%door, "port opened"),
                ListenerState::PortInUse { holder } => tracing::warn!(%door, ?holder, "port in use"),
                ListenerState::Failed { error } => tracing::warn!(%door, error, "port cannot be opened"),
            }
            self.0.insert(door, state);
        }
    }
}

fn doors(key: &ListenerKey, listener: &Listener) -> BTreeSet<Door> {
    let door = |address: &IpAddr| Door { port: key.port, family: Family::of(*address) };
    listener.addresses.iter().map(door).collect()
}

fn failure(door: Door, error: &io::Error) -> ListenerState {
    match error.kind() {
        ErrorKind::AddrInUse => ListenerState::PortInUse { holder: holder_of_port(door.port.get()) },
        _ => ListenerState::Failed { error: error.to_string() },
    }
}

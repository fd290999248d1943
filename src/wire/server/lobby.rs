//! Where those wait who have not said who they are. It is small: a newcomer takes the place of whoever has
//! waited longest, of those from the same address if they are many. So strangers push each other out, and an
//! agent, which needs milliseconds, is through.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

#[derive(Debug)]
pub struct Lobby {
    /// By address, in the order in which they came.
    waiting: Mutex<Waiting>,
    places: usize,
    per_address: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    by_address: HashMap<IpAddr, VecDeque<CancellationToken>>,
    count: usize,
}

/// A place in the lobby; given up when dropped.
#[derive(Debug)]
pub struct Place {
    lobby: Arc<Lobby>,
    pub address: IpAddr,
    /// Somebody else has the place now.
    pub lost: CancellationToken,
}

impl Lobby {
    pub fn new(places: usize, per_address: usize) -> Self {
        Self { waiting: Mutex::default(), places, per_address }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Place {
        let mut waiting = self.lock();
        let from_here = waiting.by_address.get(&address).map_or(0, VecDeque::len);
        if from_here >= self.per_address {
            waiting.evict(address);
        } else if waiting.count >= self.places {
            let most = waiting.by_address.iter().max_by_key(|(_, waiting)| waiting.len());
            if let Some(crowd) = most.map(|(address, _)| *address) {
                waiting.evict(crowd);
            }
        }
        let lost = CancellationToken::new();
        waiting.by_address.entry(address).or_default().push_back(lost.clone());
        waiting.count += 1;
        Place { lobby: Arc::clone(self), address, lost }
    }
}

impl Waiting {
    /// The one from `address` that has waited longest.
    fn evict(&mut self, address: IpAddr) {
        let Some(waiting) = self.by_address.get_mut(&address) else { return };
        if let Some(longest) = waiting.pop_front() {
            longest.cancel();
            self.count -= 1;
        }
        if waiting.is_empty() {
            self.by_address.remove(&address);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = self.lobby.lock();
        // Whoever lost it is on no list any more, and nobody else looks at its token again.
        if self.lost.is_cancelled() {
            return;
        }
        self.lost.cancel();
        let Some(here) = waiting.by_address.get_mut(&self.address) else { return };
        here.retain(|place| !place.is_cancelled());
        if here.is_empty() {
            waiting.by_address.remove(&self.address);
        }
        waiting.count -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_push_each_other_out_and_the_newest_has_a_place() {
        let lobby = Arc::new(Lobby::new(3, 2));
        let (crowd, agent) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let strangers: Vec<Place> = (0..4).map(|_| lobby.enter(crowd)).collect();
        let lost: Vec<bool> = strangers.iter().map(|place| place.lost.is_cancelled()).collect();
        assert_eq!(lost, [true, true, false, false]);
        let agents = [lobby.enter(agent), lobby.enter(agent)];
        assert!(strangers[2].lost.is_cancelled(), "of the largest crowd, the longest waiting");
        assert!(!strangers[3].lost.is_cancelled() && agents.iter().all(|place| !place.lost.is_cancelled()));
        drop((strangers, agents));
        assert!(lobby.lock().by_address.is_empty() && lobby.lock().count == 0);
    }
}

//! What clients have open at each address, core by core: who leaves an address waits for these to end.

use super::metrics::Owned;
use crate::model::observed::Traffic;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One address on one core. Written by that core alone.
#[derive(Debug, Default)]
pub struct Tally {
    pub connections: Owned,
    pub in_flight: Owned,
}

/// One core's tallies. Locked for a new table and for a report, never for a request.
#[derive(Debug, Default)]
pub struct Tallies(Mutex<BTreeMap<IpAddr, Arc<Tally>>>);

impl Tallies {
    /// The tallies of these addresses: an address goes on counting from table to table. Others are forgotten once
    /// nobody is connected to them.
    pub fn of(&self, served: &BTreeSet<IpAddr>) -> HashMap<IpAddr, Arc<Tally>> {
        let mut known = self.lock();
        known.retain(|address, tally| served.contains(address) || tally.connections.get() > 0);
        let of_one = |address: &IpAddr| (*address, Arc::clone(known.entry(*address).or_default()));
        served.iter().map(of_one).collect()
    }

    /// Adds what is open; an address at which nothing is stays away.
    pub fn add_to(&self, sums: &mut BTreeMap<IpAddr, Traffic>) {
        for (address, tally) in self.lock().iter() {
            let (connections, in_flight) = (tally.connections.get(), tally.in_flight.get());
            if connections > 0 {
                let sum = sums.entry(*address).or_default();
                sum.connections += connections;
                sum.in_flight += in_flight;
            }
        }
    }

    /// A panic elsewhere leaves numbers that are still numbers.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<IpAddr, Arc<Tally>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_counts_on_until_nobody_is_connected() {
        let [a, b] = ["10.200.0.20", "2001:db8::50"].map(|text| text.parse::<IpAddr>().unwrap());
        let tallies = Tallies::default();
        let first = tallies.of(&[a, b].into());
        first[&a].connections.add(2);
        first[&a].in_flight.add(1);
        let open = || {
            let mut sums = BTreeMap::new();
            tallies.add_to(&mut sums);
            sums
        };
        assert_eq!(open(), BTreeMap::from([(a, Traffic { connections: 2, in_flight: 1 })]));
        assert!(Arc::ptr_eq(&tallies.of(&[a].into())[&a], &first[&a]));
        assert!(tallies.of(&[].into()).is_empty() && open().len() == 1, "still connected");
        first[&a].connections.subtract(2);
        tallies.of(&[].into());
        assert!(tallies.lock().is_empty());
    }
}

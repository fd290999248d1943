//! The ToR's kernel FIB: what traffic really follows, read by netlink, not by asking FRR.
//!
//! [`dump`] reads it once; [`FibWatch`] follows it, with a time on every change. Both see the main table.
//!
//! | file | what |
//! |---|---|
//! | this | prefixes and next hops; the fold of changes into a table, pure |
//! | `message` | netlink's route messages to our words, pure |
//! | `socket` | the netlink socket: dump, listen |
//! | `watch` | a thread that listens, and the questions about what it saw |

mod message;
mod socket;
mod watch;

use crate::topology::NodeId;
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::time::Instant;

pub use socket::dump;
pub use watch::FibWatch;

/// One way to a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NextHop {
    /// The address as the kernel has it, which for IPv6 may be a link-local one; `None`: on the link itself.
    pub gateway: Option<IpAddr>,
    /// The node that has that address.
    pub node: Option<NodeId>,
}

/// The next hops of a prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NextHops(pub BTreeSet<NextHop>);

impl NextHops {
    /// The nodes among them.
    pub fn nodes(&self) -> BTreeSet<NodeId> {
        self.0.iter().filter_map(|hop| hop.node).collect()
    }

    /// How many next hops there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for NextHops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, hop) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            match (hop.node, hop.gateway) {
                (Some(node), _) => write!(f, "{comma}{node}")?,
                (None, Some(gateway)) => write!(f, "{comma}{gateway}")?,
                (None, None) => write!(f, "{comma}on link")?,
            }
        }
        Ok(())
    }
}

/// A routing table at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fib(pub BTreeMap<IpNet, NextHops>);

impl Fib {
    /// The next hops of a prefix; empty when it has no route.
    pub fn next_hops(&self, prefix: IpNet) -> NextHops {
        self.0.get(&prefix).cloned().unwrap_or_default()
    }

    /// The nodes that a prefix is routed to.
    pub fn nodes(&self, prefix: IpNet) -> BTreeSet<NodeId> {
        self.0.get(&prefix).map(NextHops::nodes).unwrap_or_default()
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Set(prefix, hops) => drop(self.0.insert(*prefix, hops.clone())),
            Change::Remove(prefix, hops) => {
                let Some(present) = self.0.get_mut(prefix) else { return };
                // IPv6 can lose its next hops one message at a time.
                present.0.retain(|hop| !hops.0.contains(hop));
                if present.is_empty() || hops.is_empty() || prefix.addr().is_ipv4() {
                    self.0.remove(prefix);
                }
            }
        }
    }
}

/// What one route message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The prefix now has exactly these next hops.
    Set(IpNet, NextHops),
    /// These next hops of the prefix are gone.
    Remove(IpNet, NextHops),
}

impl Change {
    pub fn prefix(&self) -> IpNet {
        match self {
            Self::Set(prefix, _) | Self::Remove(prefix, _) => *prefix,
        }
    }
}

/// A change and when it was seen (CLOCK_MONOTONIC).
#[derive(Debug, Clone)]
pub struct Event {
    pub at: Instant,
    pub change: Change,
}

/// Goes through changes once, in order, looking for the first moment at which something holds.
#[derive(Debug)]
struct Replay {
    fib: Fib,
    next: usize,
}

impl Replay {
    fn from(baseline: &Fib) -> Self {
        Self { fib: baseline.clone(), next: 0 }
    }

    /// The first moment from `since` on at which the table satisfies `holds`: `since` itself when it did then,
    /// what changed at that very moment included. `None`: not yet; ask again with the same events and more.
    fn find(&mut self, events: &[Event], since: Instant, holds: impl Fn(&Fib) -> bool) -> Option<Instant> {
        let before = events.partition_point(|event| event.at <= since);
        while self.next < before {
            self.step(events);
        }
        if self.next == before && holds(&self.fib) {
            return Some(since);
        }
        while self.next < events.len() {
            let at = self.step(events);
            if holds(&self.fib) {
                return Some(at);
            }
        }
        None
    }

    fn step(&mut self, events: &[Event]) -> Instant {
        let event = &events[self.next];
        self.fib.apply(&event.change);
        self.next += 1;
        event.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn hops(nodes: &[u8]) -> NextHops {
        let hop = |k: &u8| NextHop { gateway: Some(NodeId(*k).address6().into()), node: Some(NodeId(*k)) };
        NextHops(nodes.iter().map(hop).collect())
    }

    fn prefix(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    #[test]
    fn ipv6_loses_next_hops_one_by_one_and_ipv4_all_at_once() {
        let (v4, v6) = (prefix("10.200.0.20/32"), prefix("2001:db8::50/128"));
        let mut fib = Fib::default();
        fib.apply(&Change::Set(v4, hops(&[1, 2])));
        fib.apply(&Change::Set(v6, hops(&[1, 2])));
        fib.apply(&Change::Remove(v4, hops(&[1])));
        fib.apply(&Change::Remove(v6, hops(&[1])));
        assert!(fib.next_hops(v4).is_empty());
        assert_eq!(fib.nodes(v6), BTreeSet::from([NodeId(2)]));
        fib.apply(&Change::Remove(v6, hops(&[2])));
        assert_eq!(fib, Fib::default());
    }

    #[test]
    fn the_first_moment_is_looked_for_from_since_on() {
        let vip = prefix("10.200.0.20/32");
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let set = |ms, nodes: &[u8]| Event { at: at(ms), change: Change::Set(vip, hops(nodes)) };
        let events = [set(10, &[1, 2, 3]), set(20, &[1, 3]), set(30, &[1, 2, 3])];
        let all_three = |fib: &Fib| fib.nodes(vip).len() == 3;
        let moment = |since| Replay::from(&Fib::default()).find(&events, since, all_three);
        assert_eq!(moment(at(0)), Some(at(10)));
        assert_eq!(moment(at(15)), Some(at(15)), "it held already");
        assert_eq!(moment(at(20)), Some(at(30)), "a change at that very moment has happened");
        assert_eq!(moment(at(25)), Some(at(30)));
    }

    #[test]
    fn a_search_goes_on_where_it_stopped() {
        let vip = prefix("10.200.0.20/32");
        let start = Instant::now();
        let set = |ms, nodes: &[u8]| Event {
            at: start + Duration::from_millis(ms),
            change: Change::Set(vip, hops(nodes)),
        };
        let events = [set(10, &[1]), set(20, &[1, 2])];
        let two = |fib: &Fib| fib.nodes(vip).len() == 2;
        let mut search = Replay::from(&Fib::default());
        assert_eq!(search.find(&events[..1], start, two), None);
        assert_eq!(search.find(&events, start, two), Some(events[1].at));
    }
}

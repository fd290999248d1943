//! How long one VIP, or a thousand, take from the manifest to the ToR's FIB and back, and how long the same
//! commands take by hand on the next node of the same world, in turns.

use super::estate::{Estate, vip};
use super::hand::Hand;
use novaedge_lab::{Fib, FibWatch, Lab, NodeId};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);
const OURS: NodeId = NodeId(1);
const BY_HAND: NodeId = NodeId(2);

/// Two nodes: an agent on the first, a person at the second. One VIP is always there, so that the sessions
/// stand.
pub struct Race {
    pub estate: Estate,
    watch: FibWatch,
}

/// What the agent took, and what the same took by hand.
pub struct Pair {
    pub ours: Vec<Duration>,
    pub by_hand: Vec<Duration>,
}

impl Pair {
    /// The medians, and the ratio of ours to the other.
    pub fn medians(&self) -> (Duration, Duration, f64) {
        let (ours, by_hand) = (median(&self.ours), median(&self.by_hand));
        (ours, by_hand, ours.as_secs_f64() / by_hand.as_secs_f64())
    }
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

impl Race {
    pub fn start(name: &str) -> Self {
        let estate = Estate::with_agents(Lab::builder(name).nodes(2).without_backends(), &[1]);
        let watch = estate.lab.watch_fib().unwrap();
        estate.write("base.yaml", &vip("base", "address: 10.205.0.1", 300));
        watch.wait_for("10.205.0.1/32", Instant::now(), PATIENCE, |hops| !hops.is_empty()).unwrap();
        Self { estate, watch }
    }

    pub fn hand(&self) -> Hand<'_> {
        Hand::on(self.estate.lab.node(BY_HAND.0))
    }

    /// So many VIPs at once, from nothing, several times; they stay after the last.
    pub fn many(&self, hand: &Hand, count: u16, rounds: usize) -> Pair {
        let (ours, theirs) = (addresses(1, count), addresses(2, count));
        let named = |(i, address): (usize, &String)| {
            vip(&format!("v{i}"), &format!("address: {address}"), 300) + "---\n"
        };
        let all: String = ours.iter().enumerate().map(named).collect();
        let mut pair = Pair { ours: Vec::new(), by_hand: Vec::new() };
        for round in 0..rounds {
            if round > 0 {
                let since = Instant::now();
                self.estate.remove("many.yaml");
                hand.withdraw(&theirs);
                self.until_routed(OURS, 1, since);
                self.until_routed(BY_HAND, 0, since);
            }
            let since = Instant::now();
            self.estate.write("many.yaml", &all);
            pair.ours.push(self.until_routed(OURS, ours.len() + 1, since) - since);
            let since = Instant::now();
            hand.announce(&theirs);
            pair.by_hand.push(self.until_routed(BY_HAND, theirs.len(), since) - since);
        }
        pair
    }

    /// Until the ToR routes so many host routes to the node.
    fn until_routed(&self, node: NodeId, count: usize, since: Instant) -> Instant {
        let routed = |fib: &Fib| {
            let to_node = fib
                .0
                .iter()
                .filter(|(prefix, hops)| prefix.prefix_len() == 32 && hops.nodes().contains(&node));
            to_node.count()
        };
        self.watch
            .wait(&format!("{count} prefixes of {node}"), since, PATIENCE, |fib| routed(fib) == count)
            .unwrap()
    }

    /// One more, so many times: how long until it is there, and until it is gone again.
    pub fn one(&self, hand: &Hand, rounds: usize) -> (Pair, Pair) {
        let mut come = Pair { ours: Vec::new(), by_hand: Vec::new() };
        let mut go = Pair { ours: Vec::new(), by_hand: Vec::new() };
        for round in 1..=rounds {
            let (ours, theirs) = (format!("10.203.0.{round}"), format!("10.204.0.{round}"));
            let file = format!("one-{round}.yaml");
            come.ours.push(self.until(&ours, true, || {
                self.estate.write(&file, &vip(&format!("one-{round}"), &format!("address: {ours}"), 300));
            }));
            come.by_hand.push(self.until(&theirs, true, || hand.announce(std::slice::from_ref(&theirs))));
            go.ours.push(self.until(&ours, false, || self.estate.remove(&file)));
            go.by_hand.push(self.until(&theirs, false, || hand.withdraw(std::slice::from_ref(&theirs))));
        }
        (come, go)
    }

    fn until(&self, address: &str, routed: bool, act: impl FnOnce()) -> Duration {
        let since = Instant::now();
        act();
        let reached = |hops: &novaedge_lab::NextHops| hops.is_empty() != routed;
        self.watch.wait_for(&format!("{address}/32"), since, PATIENCE, reached).unwrap() - since
    }
}

fn addresses(of: u8, count: u16) -> Vec<String> {
    (0..count).map(|i| format!("10.2{of}.{}.{}", i / 250, 1 + i % 250)).collect()
}

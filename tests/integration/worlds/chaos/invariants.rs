//! What must hold at any moment.

use super::faults::Troubles;
use super::objects::{BY_VALUE, RECLAIM_DELAY};
use super::{STEADY, STEADY_ROUTE};
use crate::worlds::estate::Estate;
use novaedge_lab::fib::Change;
use novaedge_lab::{FibWatch, NodeId};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// What was seen of the ledger so far.
#[derive(Debug, Default)]
pub struct Witness {
    /// Who had an address last, and the Unix second when they were seen to.
    holders: BTreeMap<String, (String, u64)>,
    pub samples: usize,
}

impl Witness {
    pub fn look(&mut self, estate: &Estate, troubles: &Troubles) {
        self.samples += 1;
        let controller = estate.controller.as_ref().unwrap();
        assert!(
            !troubles.controller_runs() || controller.alive(),
            "the controller has died\n{}",
            controller.log()
        );
        self.look_at_ledger(estate);
        let mut seen: BTreeMap<String, (String, u8)> = BTreeMap::new();
        for k in (1..=3).filter(|k| !troubles.is_out_of_touch(NodeId(*k))) {
            assert!(estate.agent(k).alive(), "the agent of n{k} has died\n{}", estate.agent(k).log());
            let Ok(snapshot) = estate.snapshot(k) else { continue };
            for (address, vip) in addresses(&snapshot) {
                is_one_of_ours(&address, &vip);
                let (other, on) = seen.entry(address.clone()).or_insert_with(|| (vip.clone(), k));
                let strict = *on == k || is_given_by_pools_alone(&address);
                assert!(*other == vip || !strict, "{address} is {other}'s on n{on} and {vip}'s on n{k}");
            }
            let peers = snapshot["speaker"]["peers"].as_object().cloned().unwrap_or_default();
            let right = peers.iter().all(|(peer, what)| peer == "10.0.0.254" && what["asn"] == 64500);
            assert!(right && !peers.is_empty(), "n{k} is told of other peers: {peers:?}");
        }
    }

    /// Nobody gets an address that somebody had a moment ago, unless by writing it.
    fn look_at_ledger(&mut self, estate: &Estate) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        for line in estate.ledger("lead") {
            if !line["releasedAt"].is_null() {
                continue;
            }
            let text = |field: &str| line[field].as_str().unwrap().to_owned();
            let (address, vip) = (text("address"), text("vip"));
            let since = line["allocatedAt"].as_u64().unwrap();
            if let Some((before, seen)) = self.holders.insert(address.clone(), (vip.clone(), now)) {
                let may = before == vip || line["byValue"] == true || since >= seen + RECLAIM_DELAY;
                assert!(may, "{address} was {before}'s at {seen}, and was given to {vip} at {since}");
            }
        }
    }
}

/// The addresses in a snapshot, each with its VIP; one that is there twice comes twice.
pub fn addresses(snapshot: &Value) -> Vec<(String, String)> {
    let vips = snapshot["vips"].as_object().into_iter().flatten();
    vips.flat_map(|(name, vip)| {
        let all = vip["addresses"].as_array().into_iter().flatten();
        all.map(|address| (address.as_str().unwrap().to_owned(), name.clone()))
    })
    .collect()
}

fn is_one_of_ours(address: &str, vip: &str) {
    let steady = address.starts_with(&format!("{STEADY}/"));
    assert_eq!(steady, vip == "steady", "{address} is {vip}'s");
    let ours = ["10.200.1.", "10.200.2.", "2001:db8:1:", "2001:db8:2:"];
    assert!(steady || ours.iter().any(|block| address.starts_with(block)), "{address} is {vip}'s");
}

/// A user who moves an address that they wrote from one VIP to another is told on the nodes one after the other.
fn is_given_by_pools_alone(address: &str) -> bool {
    let last = address.strip_prefix("10.200.1.").and_then(|rest| rest.split('/').next()?.parse().ok());
    last.is_some_and(|last| !BY_VALUE.contains(&last)) || address.starts_with("2001:db8:1:")
}

/// At no moment was the steady VIP without a route, and no node was missing in it without a reason. Returns how
/// often its route changed.
pub fn check_routes(watch: &FibWatch, since: Instant, troubles: &Troubles) -> usize {
    let prefix = STEADY_ROUTE.parse().unwrap();
    let all: BTreeSet<NodeId> = (1..=3).map(NodeId).collect();
    let mut changes = 0;
    for event in watch.events(since).iter().filter(|event| event.change.prefix() == prefix) {
        changes += 1;
        let nodes = match &event.change {
            Change::Set(_, hops) => hops.nodes(),
            Change::Remove(..) => BTreeSet::new(),
        };
        assert!(!nodes.is_empty(), "{prefix} had no route {:?} after the start", event.at - since);
        for missing in all.difference(&nodes) {
            let excused = troubles.all.iter().any(|trouble| trouble.excuses(*missing, event.at));
            let near: Vec<_> = troubles.all.iter().filter(|trouble| trouble.node == *missing).collect();
            assert!(
                excused,
                "{missing} was without a route {:?} after the start, for no reason: {near:?}",
                event.at - since
            );
        }
    }
    changes
}

/// The addresses of ours that a node has.
pub fn on_node(estate: &Estate, k: u8) -> BTreeSet<IpAddr> {
    let lo = estate.lab.node(k).netns().ip("-o addr show dev lo").unwrap();
    let words = lo.lines().filter_map(|line| line.split_whitespace().nth(3)?.split('/').next()?.parse().ok());
    words.filter(|address: &IpAddr| !address.is_loopback()).collect()
}

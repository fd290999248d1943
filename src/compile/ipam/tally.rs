//! What a pool has, has given out, and can still give.

use super::ledger::{Given, Ledger};
use super::pool::Pool;
use super::record;
use super::settle::Pools;
use super::shared::Shared;
use super::spans::{Span, Taken};
use crate::api::condition::Reason;
use crate::api::pool::PoolStatus;
use crate::compile::rejection::Findings;
use crate::model::name::Name;
use crate::model::net::{Family, HostRoute};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Usable addresses; saturates, as everywhere here.
    pub total: u128,
    pub available: u128,
    /// What VIPs have of it, asked for by value or not.
    pub given: Vec<(HostRoute, Given)>,
    /// What they have given back, and nobody else may have yet.
    pub released: Vec<(HostRoute, Given)>,
    /// The pools that it overlaps, and the first stretch that both have.
    pub overlaps: BTreeMap<Name, Span>,
}

/// Counts all pools, and notes what is odd about them: `OutOfPool` and `Overlaps`.
pub fn all(
    pools: &Pools,
    ledger: &Ledger,
    unavailable: &Taken,
    shared: &Shared,
    about: &mut BTreeMap<Name, Findings>,
) -> BTreeMap<Name, Tally> {
    let mut entries: BTreeMap<&Name, Vec<(HostRoute, Given)>> = BTreeMap::new();
    for (route, entry) in ledger.iter() {
        entries.entry(&entry.pool).or_default().push((route, entry.clone()));
    }
    let tallies = pools.iter().map(|(name, pool)| {
        let (given, released): (Vec<_>, Vec<_>) =
            entries.remove(name).unwrap_or_default().into_iter().partition(|(_, entry)| entry.is_live());
        let overlaps = shared.get(name).cloned().unwrap_or_default();
        if let Some(findings) = about.get_mut(name) {
            note(pool, &given, &overlaps, findings);
        }
        (name.clone(), Tally { given, released, overlaps, ..count(pool, unavailable) })
    });
    tallies.collect()
}

fn count(pool: &Pool, unavailable: &Taken) -> Tally {
    let families = [Family::Ipv4, Family::Ipv6].map(|family| pool.spans(family));
    let sum = |numbers: [u128; 2]| numbers[0].saturating_add(numbers[1]);
    let total = sum(families.map(|spans| spans.size()));
    let available = total - sum(families.map(|spans| unavailable.count_in(spans))).min(total);
    Tally { total, available, ..Tally::default() }
}

fn note(pool: &Pool, given: &[(HostRoute, Given)], overlaps: &BTreeMap<Name, Span>, findings: &mut Findings) {
    let outside: Vec<_> = given.iter().filter(|(route, _)| !pool.contains(route.address())).collect();
    if let Some((route, entry)) = outside.first() {
        let message = format!(
            "{} addresses that VIPs have are in the pool no more, like {} of ProxyVIP {}; they stay with \
             them, because nothing is ever renumbered: add them again, or give those VIPs others",
            outside.len(),
            route.address(),
            entry.vip
        );
        findings.note("spec", Reason::OutOfPool, message);
    }
    if !overlaps.is_empty() {
        findings.note("spec", Reason::Overlaps, overlap(overlaps));
    }
}

fn overlap(overlaps: &BTreeMap<Name, Span>) -> String {
    let others: Vec<_> = overlaps.iter().take(3).map(|(name, span)| format!("{name} ({span})")).collect();
    let more = overlaps.len().saturating_sub(3);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!(
        "the pool shares addresses with {}{more}; each is given to one VIP only, and counts in all of them: \
         keep it in one pool to know which of them runs out",
        others.join(", ")
    )
}

/// The counts and the record; the conditions are `compile::status`'s.
impl From<&Tally> for PoolStatus {
    fn from(Tally { total, available, given, released, overlaps: _ }: &Tally) -> Self {
        let small = |count: u128| i64::try_from(count).unwrap_or(i64::MAX);
        Self {
            total: small(*total),
            allocated: small(given.len() as u128),
            available: small(*available),
            allocations: given.iter().map(|(route, given)| record::allocation(*route, given)).collect(),
            released: released.iter().filter_map(|(route, given)| record::release(*route, given)).collect(),
            conditions: Vec::new(),
            observed_generation: None,
        }
    }
}

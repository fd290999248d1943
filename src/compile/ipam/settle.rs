//! One settlement: the ledger as it was, and what is wanted now → the ledger as it must be written before
//! anything is told to a node.

use super::counter::Counter;
use super::ledger::{Allocations, Given, Ledger};
use super::pool::Pool;
use super::shared;
use super::spans::{Taken, number};
use super::tally::{self, Tally};
use super::wish::{self, Ask, Wish};
use crate::api::pool::PoolStatus;
use crate::compile::rejection::{Findings, Rejection};
use crate::compile::resources::Resources;
use crate::model::name::Name;
use crate::model::net::HostRoute;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

pub type Pools = BTreeMap<Name, Pool>;

/// What a settlement must know besides what is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outside {
    /// Addresses that are somebody's, and never a VIP's: see [`super::reserved`].
    pub reserved: BTreeSet<IpAddr>,
    /// What live agents may have on their nodes or in their daemons: what they report, and what the
    /// snapshots carry that they have been sent and have not all replaced yet. And what VIPs had in use last,
    /// which they go on with while an edit of theirs is refused.
    pub held: BTreeSet<HostRoute>,
    /// `held` is not all of it: whoever asks has just started, and agents have not been heard yet. Until they
    /// have been, what was released is nobody's.
    pub unheard: bool,
    /// Unix seconds.
    pub now: u64,
}

/// What became of the addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// To be written before anything below is used, unless it equals the one before.
    pub ledger: Ledger,
    /// For the VIPs that do not write all of their addresses.
    pub allocations: Allocations,
    pub pools: BTreeMap<Name, Tally>,
    /// About VIPs: `PoolExhausted`, `OutOfPool`, …; about pools: their bad entries, `Overlaps`, `OutOfPool`.
    pub rejections: Vec<Rejection>,
    /// Unix seconds when the next released address becomes free, so that somebody settles again then.
    pub wake: Option<u64>,
}

impl Settled {
    /// The pools' counts and allocations, for `compile::status`, which adds the conditions.
    pub fn statuses(&self) -> BTreeMap<Name, PoolStatus> {
        self.pools.iter().map(|(name, tally)| (name.clone(), tally.into())).collect()
    }
}

/// Settles all wishes. The same arguments give the same ledger, and settling a settled ledger again at the
/// same time changes nothing: a crash before or after the ledger is written loses nothing. `memory` is of the
/// settlement before, of whatever world: it changes what this one costs, and never what it says.
pub fn settle(world: &Resources, before: &Ledger, outside: &Outside, memory: &mut wish::Memory) -> Settled {
    let mut about: BTreeMap<Name, Findings> = BTreeMap::new();
    let pools = read(world, &mut about);
    let wishes = wish::read(world, memory);
    let mut ledger = before.clone();
    release(&mut ledger, &wishes, &pools, outside.now);
    reclaim(&mut ledger, &pools, outside);
    record(&mut ledger, &wishes, &pools, outside.now);

    let written = wishes.iter().flat_map(|wish| &wish.written).map(|route| route.address());
    let spoken_for: BTreeSet<IpAddr> = written.chain(outside.reserved.iter().copied()).collect();
    let remembered: Vec<IpAddr> = ledger.iter().map(|(route, _)| route.address()).collect();
    let held = outside.held.iter().map(|route| route.address());
    let taken: Taken = spoken_for.iter().copied().chain(remembered).chain(held).collect();
    let mut unavailable = taken.clone();
    let mut counter = Counter::new(&pools, ledger, spoken_for, taken, outside.now);
    let mut rejections: Vec<Rejection> =
        wishes.iter().flat_map(|wish| counter.serve(wish).into_rejections()).collect();
    let ledger = counter.close();

    for (route, _) in ledger.iter() {
        unavailable.insert(number(route.address()));
    }
    let shared = shared::with_others(&pools);
    let tallies = tally::all(&pools, &ledger, &unavailable, &shared, &mut about);
    rejections.extend(about.into_values().flat_map(Findings::into_rejections));
    rejections.sort();
    let wake = wake(&ledger, &pools, outside.now);
    Settled { allocations: ledger.allocations(), ledger, pools: tallies, rejections, wake }
}

fn read(world: &Resources, about: &mut BTreeMap<Name, Findings>) -> Pools {
    let pools = world.pools.iter().map(|(name, pool)| {
        let findings = about.entry(name.clone()).or_insert_with(|| Findings::about("ProxyIPPool", name));
        (name.clone(), Pool::read(&pool.spec, findings))
    });
    pools.collect()
}

/// Frees what no VIP has any more. A time of release that lies ahead, because the clock was set back, is
/// taken for now.
fn release(ledger: &mut Ledger, wishes: &[Arc<Wish>], pools: &Pools, now: u64) {
    let wishes: BTreeMap<&Name, &Wish> = wishes.iter().map(|wish| (&wish.vip, &**wish)).collect();
    for (route, given) in ledger.iter_mut() {
        let wish = wishes.get(&given.vip);
        if let Some(at) = given.released_at {
            given.released_at = Some(at.min(now));
        } else if !wish.is_some_and(|wish| keeps(wish, route, given, pools)) {
            given.released_at = Some(now);
        }
    }
}

fn keeps(wish: &Wish, route: HostRoute, given: &mut Given, pools: &Pools) -> bool {
    if given.uid.is_some() && wish.uid.is_some() && given.uid != wish.uid {
        return false;
    }
    match &wish.ask {
        Ask::Unclear => true,
        _ if wish.written.contains(&route) => {
            given.by_value = true;
            true
        }
        Ask::Nothing => false,
        Ask::FromPool { pool, missing } => {
            let inside = || pools.get(pool.as_str()).is_some_and(|pool| pool.contains(route.address()));
            let stays = missing.contains(&route.family()) && (!given.by_value || inside());
            given.by_value &= !stays;
            stays
        }
    }
}

/// Forgets what was released long enough ago, and is on no live node.
fn reclaim(ledger: &mut Ledger, pools: &Pools, outside: &Outside) {
    if outside.unheard {
        return;
    }
    ledger.retain(|route, given| match given.released_at {
        Some(at) => outside.now < free_at(at, given, pools) || outside.held.contains(&route),
        None => true,
    });
}

/// The delay of a pool that is gone.
const RECLAIM_DELAY: u64 = 30;

fn free_at(released_at: u64, given: &Given, pools: &Pools) -> u64 {
    let delay = pools.get(&given.pool).map_or(RECLAIM_DELAY, |pool| pool.reclaim_delay);
    released_at.saturating_add(delay)
}

/// Notes the addresses of pools that VIPs write themselves, so that they too come back with a delay. Of
/// two VIPs that write one, the older has it.
fn record(ledger: &mut Ledger, wishes: &[Arc<Wish>], pools: &Pools, now: u64) {
    for wish in wishes.iter().filter(|wish| wish.ask != Ask::Unclear) {
        for route in &wish.written {
            let known = |given: &Given| given.is_live() && given.vip == wish.vip;
            if ledger.get(*route).is_some_and(known) {
                continue;
            }
            let Some(pool) = home(wish, *route, pools) else { continue };
            let given = Given {
                vip: wish.vip.clone(),
                uid: wish.uid.clone(),
                pool: pool.clone(),
                by_value: true,
                allocated_at: now,
                released_at: None,
            };
            ledger.give(*route, given);
        }
    }
}

/// The pool that the address counts in: the VIP's own before others.
fn home<'a>(wish: &Wish, route: HostRoute, pools: &'a Pools) -> Option<&'a Name> {
    let own = match &wish.ask {
        Ask::FromPool { pool, .. } => pools.get_key_value(pool.as_str()),
        Ask::Nothing | Ask::Unclear => None,
    };
    let mut containing = own.into_iter().chain(pools).filter(|(_, pool)| pool.contains(route.address()));
    containing.next().map(|(name, _)| name)
}

fn wake(ledger: &Ledger, pools: &Pools, now: u64) -> Option<u64> {
    let times = ledger.iter().filter_map(|(_, given)| Some(free_at(given.released_at?, given, pools)));
    times.filter(|time| *time > now).min()
}

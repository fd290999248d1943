//! Where addresses are given out, one VIP after the other.
//!
//! What a waiting VIP could have had is set aside for it: a younger one does not take the IPv4 address of
//! an older dual-stack VIP that waits for its IPv6 address.

use super::ledger::{Given, Ledger};
use super::pool::Pool;
use super::settle::Pools;
use super::spans::{Taken, address, number};
use super::wish::{Ask, Wish};
use crate::api::condition::Reason;
use crate::compile::rejection::Findings;
use crate::model::name::Name;
use crate::model::net::{Family, HostRoute};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

#[derive(Debug)]
pub struct Counter<'a> {
    pools: &'a Pools,
    ledger: Ledger,
    /// By VIP, what the ledger remembers of it.
    known: BTreeMap<Name, Vec<HostRoute>>,
    /// Written by VIPs, or not ours at all.
    spoken_for: BTreeSet<IpAddr>,
    taken: Taken,
    /// Before this number a pool has nothing left.
    from: BTreeMap<(Name, Family), u128>,
    /// How many have found nothing so far.
    waiting: BTreeMap<(Name, Family), u64>,
    now: u64,
}

impl<'a> Counter<'a> {
    pub fn new(
        pools: &'a Pools,
        ledger: Ledger,
        spoken_for: BTreeSet<IpAddr>,
        taken: Taken,
        now: u64,
    ) -> Self {
        let mut known: BTreeMap<Name, Vec<HostRoute>> = BTreeMap::new();
        for (route, given) in ledger.iter() {
            known.entry(given.vip.clone()).or_default().push(route);
        }
        let (from, waiting) = (BTreeMap::new(), BTreeMap::new());
        Self { pools, ledger, known, spoken_for, taken, from, waiting, now }
    }

    /// Gives the VIP what it lacks: everything or nothing.
    pub fn serve(&mut self, wish: &Wish) -> Findings {
        let mut findings = Findings::about("ProxyVIP", &wish.vip);
        let Ask::FromPool { pool: wanted, missing } = &wish.ask else { return findings };
        let pool = self.pools.get_key_value(wanted.as_str());
        let mut lacking = Vec::new();
        for family in missing {
            match self.live(&wish.vip, *family) {
                Some((route, given)) => self.stays(route, given, wanted, pool, &mut findings),
                None => lacking.push(*family),
            }
        }
        match pool {
            _ if lacking.is_empty() => {}
            None => {
                let message = format!("there is no ProxyIPPool {wanted}; create it, or name another");
                findings.refuse("spec.poolRef.name", Reason::RefNotFound, message);
            }
            Some((name, pool)) if !pool.auto_assign => {
                let message = format!(
                    "ProxyIPPool {name} gives addresses only by value (autoAssign: false); write the one \
                     that the VIP is to have"
                );
                findings.refuse(field(lacking[0]), Reason::Missing, message);
            }
            Some((name, pool)) => self.give(wish, name, pool, &lacking, &mut findings),
        }
        findings
    }

    /// The ledger to write.
    pub fn close(self) -> Ledger {
        self.ledger
    }

    fn live(&self, vip: &Name, family: Family) -> Option<(HostRoute, &Given)> {
        let routes = self.known.get(vip)?.iter().filter(|route| route.family() == family);
        let mut entries = routes.filter_map(|route| Some((*route, self.ledger.get(*route)?)));
        entries.find(|(_, given)| given.is_live() && given.vip == *vip)
    }

    fn stays(
        &self,
        route: HostRoute,
        given: &Given,
        wanted: &str,
        pool: Option<(&Name, &Pool)>,
        findings: &mut Findings,
    ) {
        let address = route.address();
        let wrong = match pool {
            Some((_, pool)) if pool.contains(address) => return,
            Some((name, _)) => format!("ProxyIPPool {name} does not contain {address}"),
            None => format!("there is no ProxyIPPool {wanted}"),
        };
        let message = format!(
            "{wrong}; the VIP keeps {address}, which ProxyIPPool {} gave it, because nothing is ever \
             renumbered: add the address to the pool, or write into the VIP which one it is to have",
            given.pool
        );
        findings.note("spec.poolRef", Reason::OutOfPool, message);
    }

    fn give(&mut self, wish: &Wish, name: &Name, pool: &Pool, lacking: &[Family], findings: &mut Findings) {
        let found: Vec<_> =
            lacking.iter().map(|family| (*family, self.find(&wish.vip, name, pool, *family))).collect();
        for route in found.iter().filter_map(|(_, route)| *route) {
            self.taken.insert(number(route.address()));
        }
        let short: Vec<Family> =
            found.iter().filter(|(_, route)| route.is_none()).map(|(family, _)| *family).collect();
        if !short.is_empty() {
            let message = self.exhausted(name, pool, &short);
            findings.refuse("spec.poolRef", Reason::PoolExhausted, message);
            return;
        }
        for route in found.into_iter().filter_map(|(_, route)| route) {
            let given = Given {
                vip: wish.vip.clone(),
                uid: wish.uid.clone(),
                pool: name.clone(),
                by_value: false,
                allocated_at: self.now,
                released_at: None,
            };
            self.ledger.give(route, given);
        }
    }

    /// The VIP's own address of before, if it is remembered; otherwise the lowest that is free.
    fn find(&mut self, vip: &Name, name: &Name, pool: &Pool, family: Family) -> Option<HostRoute> {
        if let Some(own) = self.own(vip, pool, family) {
            return Some(own);
        }
        let from = self.from.entry((name.clone(), family)).or_default();
        let free = pool.spans(family).first_free(*from, |number| self.taken.run_end(number));
        *from = free.unwrap_or(u128::MAX);
        HostRoute::new(address(free?)).ok()
    }

    fn own(&self, vip: &Name, pool: &Pool, family: Family) -> Option<HostRoute> {
        let routes = self.known.get(vip)?.iter().filter(|route| route.family() == family);
        let entries = routes.filter_map(|route| Some((*route, self.ledger.get(*route)?)));
        let own = entries.filter(|(route, given)| {
            let free = !self.spoken_for.contains(&route.address());
            given.vip == *vip && free && pool.contains(route.address())
        });
        own.max_by_key(|(_, given)| given.released_at).map(|(route, _)| route)
    }

    fn exhausted(&mut self, name: &Name, pool: &Pool, short: &[Family]) -> String {
        let of = |family: &Family| {
            let total = pool.spans(*family).size();
            format!("none of its {total} {} addresses is free", word(*family))
        };
        let counts = short.iter().map(of).collect::<Vec<_>>().join(", and ");
        let mut before = 0;
        for family in short {
            let waiting = self.waiting.entry((name.clone(), *family)).or_default();
            before = before.max(*waiting);
            *waiting += 1;
        }
        format!(
            "ProxyIPPool {name} is exhausted: {counts}, and {before} older VIPs wait for one; add addresses to \
             the pool, or delete VIPs that are not needed"
        )
    }
}

fn word(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "IPv4",
        Family::Ipv6 => "IPv6",
    }
}

fn field(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "spec.address",
        Family::Ipv6 => "spec.ipv6Address",
    }
}

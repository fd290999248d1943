//! The ledger as the statuses of pools and VIPs record it, in a cluster.
//!
//! A pool's status is the record, and the pool object the lock on it. A VIP's status says its addresses as
//! well: where a pool's record was lost (the pool was made anew, a backup was restored), or its pool is gone, the
//! VIPs' own word stands in.

use super::ledger::{Given, Ledger};
use crate::api::ProxyVIP;
use crate::api::pool::{PoolAllocation, PoolRelease, PoolStatus};
use crate::api::vip_status::VipStatus;
use crate::compile::resources::Resources;
use crate::model::name::Name;
use crate::model::net::{Family, HostRoute};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub fn allocation(route: HostRoute, given: &Given) -> PoolAllocation {
    PoolAllocation {
        address: route.address().to_string(),
        vip_ref: given.vip.to_string(),
        allocated_at: time(given.allocated_at),
        by_value: given.by_value,
    }
}

/// `None`: a VIP has it.
pub fn release(route: HostRoute, given: &Given) -> Option<PoolRelease> {
    Some(PoolRelease {
        address: route.address().to_string(),
        vip_ref: given.vip.to_string(),
        allocated_at: time(given.allocated_at),
        released_at: time(given.released_at?),
    })
}

/// What the pools record of the ledger. Of a pool that is not there nothing is recorded but by its VIPs.
pub fn records(ledger: &Ledger) -> BTreeMap<Name, PoolStatus> {
    let mut records: BTreeMap<Name, PoolStatus> = BTreeMap::new();
    for (route, given) in ledger.iter() {
        let record = records.entry(given.pool.clone()).or_default();
        match release(route, given) {
            Some(release) => record.released.push(release),
            None => record.allocations.push(allocation(route, given)),
        }
    }
    records
}

/// Whether both record the same.
pub fn same(a: &PoolStatus, b: &PoolStatus) -> bool {
    a.allocations == b.allocations && a.released == b.released
}

/// What a record says that is not taken from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    pub pool: Name,
    pub address: String,
    pub why: &'static str,
}

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pool, address, why } = self;
        write!(f, "the status of ProxyIPPool {pool} records {address}, {why}; the record is corrected")
    }
}

/// The ledger that all statuses together record, and what of them it leaves out. `now` is in Unix seconds.
pub fn ledger(
    pools: &BTreeMap<Name, PoolStatus>,
    vips: &BTreeMap<Name, VipStatus>,
    world: &Resources,
    now: u64,
) -> (Ledger, Vec<Odd>) {
    let mut reading = Reading::default();
    for (pool, status) in pools {
        for PoolAllocation { address, vip_ref, allocated_at, by_value } in &status.allocations {
            let given = |vip| Given { by_value: *by_value, ..fresh(vip, pool, seconds(allocated_at)) };
            reading.take(pool, address, vip_ref, given);
        }
    }
    for (pool, status) in pools {
        for PoolRelease { address, vip_ref, allocated_at, released_at } in &status.released {
            let released_at = Some(seconds(released_at));
            let given = |vip| Given { released_at, ..fresh(vip, pool, seconds(allocated_at)) };
            reading.take(pool, address, vip_ref, given);
        }
    }
    for (name, status) in vips {
        let Some(pool) = world.vips.get(name).and_then(|vip| pool_of(vip, world)) else { continue };
        let own = status.allocated_address.iter().chain(&status.allocated_ipv6_address);
        for route in own.filter_map(|address| HostRoute::parse(address).ok()) {
            reading.remember(route, fresh(name.clone(), &pool, now));
        }
    }
    (reading.ledger, reading.odd)
}

fn fresh(vip: Name, pool: &Name, allocated_at: u64) -> Given {
    Given { vip, uid: None, pool: pool.clone(), by_value: false, allocated_at, released_at: None }
}

#[derive(Default)]
struct Reading {
    ledger: Ledger,
    has: BTreeSet<(Name, Family)>,
    odd: Vec<Odd>,
}

impl Reading {
    fn take(&mut self, pool: &Name, address: &str, vip: &str, given: impl FnOnce(Name) -> Given) {
        let outcome = match (HostRoute::parse(address), Name::parse(vip)) {
            (Ok(route), Ok(vip)) => self.add(route, given(vip)),
            (Err(_), _) => Err("which is no address"),
            (_, Err(_)) => Err("for what is no ProxyVIP"),
        };
        if let Err(why) = outcome {
            self.odd.push(Odd { pool: pool.clone(), address: address.to_owned(), why });
        }
    }

    fn add(&mut self, route: HostRoute, given: Given) -> Result<(), &'static str> {
        if self.ledger.get(route).is_some() {
            return Err("which is recorded twice");
        }
        if given.is_live() && !self.has.insert((given.vip.clone(), route.family())) {
            return Err("for a ProxyVIP that has another one of the same family");
        }
        self.ledger.give(route, given);
        Ok(())
    }

    /// A VIP says that it has the address; the pools' records go before.
    fn remember(&mut self, route: HostRoute, given: Given) {
        let own_release = self.ledger.get(route).is_some_and(|entry| entry.vip == given.vip);
        if !own_release {
            let _ = self.add(route, given);
        }
    }
}

fn pool_of(vip: &ProxyVIP, world: &Resources) -> Option<Name> {
    let template = || world.templates.get(vip.spec.template_ref.as_ref()?.name.as_str());
    let reference = vip.spec.pool_ref.as_ref().or_else(|| template()?.spec.pool_ref.as_ref());
    Name::parse(reference?.name.clone()).ok()
}

fn time(seconds: u64) -> Time {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    Time(Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX))
}

fn seconds(Time(time): &Time) -> u64 {
    u64::try_from(time.as_second()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn world(vips: &[&str]) -> Resources {
        let mut world = Resources::default();
        for vip in vips {
            let object = json!({ "metadata": { "name": vip }, "spec": {
                "mode": "BGP", "ports": [80], "poolRef": { "name": "p" } } });
            world.vips.insert(name(vip), serde_json::from_value(object).unwrap());
        }
        world
    }

    fn pools(status: serde_json::Value) -> BTreeMap<Name, PoolStatus> {
        [(name("p"), serde_json::from_value(status).unwrap())].into()
    }

    fn says(vip: &str, address: &str) -> (Name, VipStatus) {
        (name(vip), VipStatus { allocated_address: Some(address.to_owned()), ..VipStatus::default() })
    }

    fn live(ledger: &Ledger) -> Vec<String> {
        let live = ledger.iter().filter(|(_, given)| given.is_live());
        live.map(|(route, given)| format!("{} {}", route.address(), given.vip)).collect()
    }

    #[test]
    fn what_is_recorded_is_what_comes_back() {
        let mut before = Ledger::default();
        let given = |vip, released_at| Given { released_at, ..fresh(name(vip), &name("p"), 7) };
        before.give(HostRoute::parse("10.0.0.1").unwrap(), given("web", None));
        before.give(HostRoute::parse("10.0.0.2").unwrap(), Given { by_value: true, ..given("shop", None) });
        before.give(HostRoute::parse("10.0.0.3").unwrap(), given("old", Some(9)));
        before.give(HostRoute::parse("2001:db8::1").unwrap(), given("web", None));
        let (after, odd) = ledger(&records(&before), &BTreeMap::new(), &Resources::default(), 99);
        assert_eq!((after, odd), (before, Vec::new()));
    }

    #[test]
    fn a_record_that_was_lost_is_made_anew_from_the_vips() {
        let vips = BTreeMap::from([says("web", "10.0.0.1"), says("shop", "10.0.0.2")]);
        let (found, _) = ledger(&pools(json!({})), &vips, &world(&["web", "shop"]), 99);
        assert_eq!(live(&found), ["10.0.0.1 web", "10.0.0.2 shop"]);
        assert_eq!(found.get(HostRoute::parse("10.0.0.1").unwrap()).unwrap().pool, name("p"));
    }

    #[test]
    fn a_pools_record_goes_before_a_vips_word() {
        let at = "2026-01-01T00:00:00Z";
        let status = json!({ "allocations": [{ "address": "10.0.0.1", "vipRef": "web", "allocatedAt": at }],
            "released": [{ "address": "10.0.0.2", "vipRef": "shop", "allocatedAt": at, "releasedAt": at }] });
        let vips =
            BTreeMap::from([says("web", "10.0.0.9"), says("shop", "10.0.0.2"), says("api", "10.0.0.1")]);
        let (found, odd) = ledger(&pools(status), &vips, &world(&["web", "shop", "api"]), 99);
        assert_eq!((live(&found), odd.len()), (vec!["10.0.0.1 web".to_owned()], 0));
    }

    #[test]
    fn what_contradicts_itself_gives_nothing_twice() {
        let at = "2026-01-01T00:00:00Z";
        let of = |address: &str, vip: &str| json!({ "address": address, "vipRef": vip, "allocatedAt": at });
        let allocations = [
            of("10.0.0.1", "web"),
            of("10.0.0.1", "shop"),
            of("10.0.0.2", "web"),
            of("10.0.0.300", "api"),
            of("10.0.0.3", "No Name"),
        ];
        let (found, odd) = ledger(
            &pools(json!({ "allocations": allocations })),
            &BTreeMap::new(),
            &Resources::default(),
            99,
        );
        assert_eq!((live(&found), odd.len()), (vec!["10.0.0.1 web".to_owned()], 4));
        assert!(odd[0].to_string().contains("recorded twice"), "{}", odd[0]);
    }
}

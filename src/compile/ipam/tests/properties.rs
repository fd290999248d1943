//! What holds whatever is edited, and whenever the controller crashes.
//!
//! The model is the world around the ledger: a disk, agents that take snapshots late, and a controller that
//! dies before or after each of its writes.

use super::*;
use crate::model::net::Family;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const VIPS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const POOLS: [&str; 2] = ["p", "q"];

#[derive(Debug, Clone)]
enum Step {
    Vip(usize, Option<&'static str>),
    Pool(usize, Option<&'static str>),
    Pass(u64),
    /// The controller settles, and dies after so many of its writes: ledger, snapshot.
    Settle(usize),
    /// An agent takes the newest snapshot and lets go of everything else.
    Take(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let vip = prop::sample::select(vec![
        None,
        Some("{poolRef: {name: p}}"),
        Some("{poolRef: {name: q}}"),
        Some("{poolRef: {name: p}, addressFamily: ipv6}"),
        Some("{poolRef: {name: p}, addressFamily: dual}"),
        Some("{poolRef: {name: q}, addressFamily: dual}"),
        Some("{address: 10.0.0.2}"),
        Some("{poolRef: {name: p}, address: 10.0.0.1, addressFamily: dual}"),
        Some("{address: nonsense, poolRef: {name: p}}"),
    ]);
    let pool = prop::sample::select(vec![
        None,
        Some("{addresses: [10.0.0.1-10.0.0.3, '2001:db8::1-2001:db8::2'], reclaimDelay: 5s}"),
        Some("{addresses: [10.0.0.2-10.0.0.4, '2001:db8::2'], reclaimDelay: 0s}"),
        Some("{addresses: [10.0.0.3, '2001:db8::2-2001:db8::4', nonsense], reclaimDelay: 20s}"),
        Some("{cidrs: [10.0.0.0/29, '2001:db8::/125'], autoAssign: false}"),
    ]);
    prop_oneof![
        3 => (0..VIPS.len(), vip).prop_map(|(nth, spec)| Step::Vip(nth, spec)),
        2 => (0..POOLS.len(), pool).prop_map(|(nth, spec)| Step::Pool(nth, spec)),
        2 => (0_u64..15).prop_map(Step::Pass),
        5 => (0_usize..=2).prop_map(Step::Settle),
        3 => (0_usize..2).prop_map(Step::Take),
    ]
}

type Snapshot = BTreeMap<HostRoute, Name>;

#[derive(Default)]
struct Estate {
    world: Resources,
    now: u64,
    disk: Ledger,
    newest: Snapshot,
    agents: [BTreeSet<(HostRoute, Name)>; 2],
    /// Of all pools so far: what one edit made free stays free after the next.
    delays: BTreeSet<u64>,
    /// Addresses that VIPs have because their specs wrote them once: the user's word waits for nobody.
    by_word: BTreeSet<(HostRoute, Name)>,
    /// When an address was last in a snapshot, and whose it was.
    last_seen: BTreeMap<HostRoute, (Name, u64)>,
}

fn wishes(world: &Resources) -> Vec<Arc<wish::Wish>> {
    wish::read(world, &mut Memory::default())
}

impl Estate {
    fn run(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Vip(nth, None) => drop(self.world.vips.remove(&name(VIPS[*nth]))),
            Step::Pool(nth, None) => drop(self.world.pools.remove(&name(POOLS[*nth]))),
            Step::Vip(nth, Some(spec)) => {
                let before = self.world.vips.remove(&name(VIPS[*nth]));
                let mut made = world(&format!("vip {}: {spec}", VIPS[*nth])).vips;
                let vip = Arc::make_mut(made.get_mut(VIPS[*nth]).unwrap());
                let age = u32::try_from(self.now % 50).unwrap();
                let created = serde_json::from_value(format!("2024-01-01T00:00:{age:02}Z").into()).unwrap();
                vip.metadata.creation_timestamp =
                    before.map_or(Some(created), |vip| vip.metadata.creation_timestamp.clone());
                self.world.vips.extend(made);
            }
            Step::Pool(nth, Some(spec)) => {
                let pools = world(&format!("pool {}: {spec}", POOLS[*nth])).pools;
                self.delays.extend(pools.values().map(|pool| pool.spec.reclaim_delay.get().as_secs()));
                self.world.pools.extend(pools);
            }
            Step::Pass(seconds) => self.now += seconds,
            Step::Settle(writes) => self.settle(*writes)?,
            Step::Take(nth) => {
                self.agents[*nth] = self.newest.iter().map(|(route, vip)| (*route, vip.clone())).collect();
            }
        }
        Ok(())
    }

    fn outside(&self) -> Outside {
        let on_agents = self.agents.iter().flatten().map(|(route, _)| *route);
        let held = on_agents.chain(self.newest.keys().copied()).collect();
        Outside { held, now: self.now, ..Outside::default() }
    }

    fn settle(&mut self, writes: usize) -> Result<(), TestCaseError> {
        let settled = settle(&self.world, &self.disk, &self.outside());
        self.check(&settled)?;
        if writes >= 1 {
            let text = serde_json::to_string(&settled.ledger).unwrap();
            self.disk = serde_json::from_str(&text).expect("it reads back");
            let disk = &self.disk;
            let remembers =
                |route: HostRoute, vip: &Name| disk.get(route).is_some_and(|given| given.vip == *vip);
            self.by_word.retain(|(route, vip)| remembers(*route, vip));
            let by_value = disk.iter().filter(|(_, given)| given.by_value && given.is_live());
            self.by_word.extend(by_value.map(|(route, given)| (route, given.vip.clone())));
            let again = settle(&self.world, &self.disk, &self.outside());
            prop_assert_eq!(&again, &settled, "settled twice");
        }
        if writes >= 2 {
            self.publish(&settled)?;
        }
        Ok(())
    }

    /// One settlement by itself.
    fn check(&self, settled: &Settled) -> Result<(), TestCaseError> {
        let written: BTreeSet<HostRoute> =
            wishes(&self.world).iter().flat_map(|wish| wish.written.clone()).collect();
        let before = self.disk.allocations();
        let mut seen = BTreeSet::new();
        for (vip, addresses) in &settled.allocations {
            for route in addresses.iter() {
                prop_assert!(seen.insert(route), "{route} twice");
                let kept = before.get(vip).is_some_and(|old| old.contains(route.address()));
                let own = self.disk.get(route).is_some_and(|given| given.vip == *vip);
                prop_assert!(kept || own || !written.contains(&route), "{route} is written by another VIP");
            }
        }
        for wish in wishes(&self.world) {
            let wish::Ask::FromPool { pool, missing } = &wish.ask else { continue };
            let has = settled.allocations.get(&wish.vip);
            let had = before.get(&wish.vip);
            let of = |addresses: Option<&crate::model::vip::Addresses>, family: Family| {
                addresses.and_then(|all| all.iter().find(|route| route.family() == family))
            };
            for family in missing {
                if let Some(old) = of(had, *family) {
                    prop_assert_eq!(of(has, *family), Some(old), "{} was renumbered", wish.vip);
                }
            }
            let count = missing.iter().filter(|family| of(has, **family).is_some()).count();
            let half = had.is_none() && count > 0 && count < missing.len();
            let by_value = self.disk.iter().any(|(_, given)| given.vip == wish.vip && given.by_value);
            prop_assert!(!half || by_value, "{} has half of what it asked for", wish.vip);
            if count < missing.len()
                && self.world.pools.get(pool.as_str()).is_some_and(|pool| pool.spec.auto_assign)
            {
                let waits = format!("ProxyVIP {}: spec.poolRef: PoolExhausted", wish.vip);
                prop_assert!(said(settled).contains(&waits), "{} waits in silence", wish.vip);
            }
        }
        self.in_turn(settled)
    }

    /// Nobody is given an address that an older one in the same queue waits for.
    fn in_turn(&self, settled: &Settled) -> Result<(), TestCaseError> {
        let mut waiting: BTreeSet<(String, Family)> = BTreeSet::new();
        for wish in wishes(&self.world) {
            let wish::Ask::FromPool { pool, missing } = &wish.ask else { continue };
            let has = |family: Family, allocations: &Allocations| {
                allocations.get(&wish.vip).is_some_and(|all| all.iter().any(|route| route.family() == family))
            };
            let remembered = self.disk.iter().any(|(_, given)| given.vip == wish.vip);
            let got = missing.iter().filter(|family| has(**family, &settled.allocations)).count();
            for family in missing {
                let new = has(*family, &settled.allocations) && !has(*family, &self.disk.allocations());
                let queue = (pool.clone(), *family);
                prop_assert!(
                    !new || remembered || missing.len() > 1 || !waiting.contains(&queue),
                    "{} overtook",
                    wish.vip
                );
            }
            if got == 0 && missing.len() == 1 {
                waiting.extend(missing.iter().map(|family| (pool.clone(), *family)));
            }
        }
        Ok(())
    }

    /// A snapshot gets out: no agent may then see an address change hands under it.
    fn publish(&mut self, settled: &Settled) -> Result<(), TestCaseError> {
        let given = settled.allocations.iter();
        let next: Snapshot =
            given.flat_map(|(vip, all)| all.iter().map(move |route| (route, vip.clone()))).collect();
        for (route, vip) in &next {
            if self.by_word.contains(&(*route, vip.clone())) {
                self.last_seen.insert(*route, (vip.clone(), self.now));
                continue;
            }
            for (held, owner) in self.agents.iter().flatten() {
                prop_assert!(
                    held != route || owner == vip,
                    "{route} is held for {owner}, and given to {vip}"
                );
            }
            if let Some((owner, at)) = self.last_seen.get(route).filter(|(owner, _)| owner != vip) {
                let least = self.delays.first().copied().unwrap_or(30);
                prop_assert!(self.now >= at + least.min(30), "{route} went from {owner} to {vip} too early");
            }
            self.last_seen.insert(*route, (vip.clone(), self.now));
        }
        self.newest = next;
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn every_promise_holds_whatever_happens(steps in prop::collection::vec(step(), 1..60)) {
        let mut estate = Estate { now: 1000, ..Estate::default() };
        for step in &steps {
            estate.run(step)?;
        }
    }
}

//! The status of pools: what they have given out is passed on; here they get their conditions.

use super::Facts;
use super::problems::{Problems, told};
use super::verdict::{Clock, Verdict};
use crate::api::condition::{ConditionType, Reason};
use crate::api::pool::{PoolStatus, ProxyIPPool};
use crate::model::name::Name;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The lists of a pool's spec whose elements it can do without.
const LISTS: [&str; 2] = ["spec.cidrs", "spec.addresses"];

pub fn statuses(facts: &Facts<'_>, problems: &Problems<'_>) -> BTreeMap<Name, PoolStatus> {
    let status = |(name, object): (&Name, &Arc<ProxyIPPool>)| {
        let generation = object.metadata.generation;
        let before = facts.before.and_then(|before| before.pools.get(name));
        let clock = Clock {
            now: facts.now,
            generation,
            before: before.map(|before| before.conditions.as_slice()).unwrap_or_default(),
        };
        let given = facts.pools.get(name).cloned().unwrap_or_default();
        let conditions = clock.conditions(conditions(name, &given, problems));
        (name.clone(), PoolStatus { conditions, observed_generation: generation, ..given })
    };
    facts.world.pools.iter().map(status).collect()
}

fn conditions(name: &Name, given: &PoolStatus, problems: &Problems<'_>) -> [Verdict; 2] {
    let about = problems.about("ProxyIPPool", name);
    let accepted = about.except(&[Reason::Overlaps]).accepted(&LISTS);
    let ready = match accepted.reason == Reason::Accepted.as_str() {
        false => Verdict { kind: ConditionType::Ready, ..accepted },
        true => {
            let message = format!("{} of {} addresses can be given out.", given.available, given.total);
            Verdict::new(ConditionType::Ready, true, Reason::Usable, message)
        }
    };
    let kind = ConditionType::Overlaps;
    let mut overlaps = about.because(&[Reason::Overlaps]).peekable();
    let overlaps = match overlaps.peek().is_some() {
        true => Verdict::new(kind, true, Reason::Overlaps, told(overlaps)),
        false => Verdict::new(kind, false, Reason::NoOverlap, "No other pool has any of its addresses."),
    };
    [ready, overlaps]
}

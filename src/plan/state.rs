//! A VIP's phase, and why it is not further (spec §2.1): decisions are data with reasons.

use super::announce::RoutingPlan;
use super::facts::NodeFacts;
use super::leave::Leave;
use super::readiness::{Answer, Readiness, guard};
use super::routers;
use crate::model::leaving::Leaving;
use crate::model::name::Name;
use crate::model::net::HostRoute;
use crate::model::snapshot::Snapshot;
use crate::model::status::{Phase, Reason};
use crate::model::vip::Vip;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VipState {
    pub phase: Phase,
    /// In the order in which they matter; of an announced VIP, its flaws.
    pub reasons: Vec<Reason>,
}

pub(super) fn of_all(
    snapshot: &Snapshot,
    facts: &NodeFacts,
    readiness: &BTreeMap<Name, Readiness>,
    routing: &RoutingPlan,
) -> BTreeMap<Name, VipState> {
    let of_one = |(name, vip): (&Name, &Arc<Vip>)| {
        let decided = facts.leaving.get(name);
        (name.clone(), of(vip, facts, decided, &readiness[name], routing))
    };
    snapshot.vips.iter().map(of_one).collect()
}

fn of(
    vip: &Vip,
    facts: &NodeFacts,
    decided: Option<&Leaving>,
    readiness: &Readiness,
    routing: &RoutingPlan,
) -> VipState {
    // Of two addresses, the one that is further behind says how far the VIP is.
    let leave = vip.addresses.iter().map(|route| facts.step(route)).min().unwrap_or_default();
    let planned = vip.addresses.iter().all(|route| routing.announces(route));
    let in_daemon = vip.addresses.iter().all(|route| facts.is_announced(route));
    let phase = match (leave, planned && facts.observed.daemon.is_some()) {
        (Leave::Withdrawn | Leave::Stopped | Leave::Released, _) => Phase::Withdrawn,
        (_, false) => Phase::Preparing,
        (leave, true) if leave > Leave::Staying => Phase::Draining,
        (_, true) if in_daemon && routers::hear(vip, facts) => Phase::Announced,
        (_, true) => Phase::Ready,
    };
    VipState { phase, reasons: reasons(vip, facts, decided, readiness, routing, phase) }
}

fn reasons(
    vip: &Vip,
    facts: &NodeFacts,
    decided: Option<&Leaving>,
    readiness: &Readiness,
    routing: &RoutingPlan,
    phase: Phase,
) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = decided.map(told).into_iter().collect();
    if phase == Phase::Withdrawn {
        return reasons;
    }
    reasons.extend(readiness.reasons.iter().cloned());
    reasons.extend(vip.addresses.iter().find_map(|route| unguarded(route, facts)));
    // An address that waits for its ports is no news of its own.
    let wanted = vip.addresses.iter().filter(|route| readiness.may_hold(*route, facts));
    reasons.extend(wanted.filter_map(|route| not_held(route, facts)));
    if facts.observed.daemon.is_none() {
        reasons.push(Reason::DaemonNotAnswering { error: facts.observed.trouble.clone() });
    } else {
        reasons.extend(facts.refusal_of(vip));
        // Why the daemon lacks what it was not given is told above.
        if phase != Phase::Preparing {
            reasons.extend(vip.addresses.iter().filter_map(|route| not_in_daemon(route, facts)));
        }
        reasons.extend(routers::missing(vip, facts, routing));
    }
    if vip.used_ports.is_empty() {
        reasons.push(Reason::NoListeners);
    }
    reasons
}

fn told(decided: &Leaving) -> Reason {
    match decided.clone() {
        Leaving::Granted { cause } => Reason::Leaving { cause },
        Leaving::Held { cause, by } => Reason::Held { cause, by },
    }
}

fn unguarded(route: HostRoute, facts: &NodeFacts) -> Option<Reason> {
    let error = match (guard(route, facts), &facts.guarded.trouble) {
        (Answer::Yes, _) => return None,
        (_, Some(trouble)) => trouble.clone(),
        (_, None) => "they are being put in place".to_owned(),
    };
    Some(Reason::NotGuarded { error })
}

fn not_held(address: HostRoute, facts: &NodeFacts) -> Option<Reason> {
    let error = facts.held.refused.get(&address).or(facts.held.trouble.as_ref()).cloned();
    (!facts.is_held(address)).then_some(Reason::AddressNotHeld { address, error })
}

fn not_in_daemon(address: HostRoute, facts: &NodeFacts) -> Option<Reason> {
    match (facts.is_announced(address), facts.observed.refused.get(&address)) {
        (true, _) => None,
        (false, Some(error)) => Some(Reason::DaemonRefused { address, error: error.clone() }),
        (false, None) => Some(Reason::NotInDaemon { address }),
    }
}

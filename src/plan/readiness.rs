//! May this VIP's addresses be held, and announced? (spec §2.1)
//!
//! Each condition answers with yes, no, or unknown; the weakest answer counts. Unknown keeps what is.

use super::facts::NodeFacts;
use super::whole::Whole;
use crate::model::listener::{Listener, ListenerKey, Serves};
use crate::model::name::{Key, Name};
use crate::model::net::{HostRoute, Port};
use crate::model::observed::ListenerState;
use crate::model::snapshot::Serving;
use crate::model::status::Reason;
use crate::model::vip::Vip;
use std::collections::{BTreeMap, BTreeSet};

/// The weakest comes first, so that `min` joins conditions that must all hold and `max` alternatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    No,
    Unknown,
    Yes,
}

impl Answer {
    /// What to do about something that `is` already so, or not.
    pub fn or_keep(self, is: bool) -> bool {
        self == Self::Yes || (self == Self::Unknown && is)
    }
}

/// What all addresses of a VIP share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// Every port that a gateway listens on is bound.
    pub ports: Answer,
    /// A healthy backend stands behind one of them.
    pub backends: Answer,
    /// What the two lack, in the order in which it matters.
    pub reasons: Vec<Reason>,
}

impl Readiness {
    /// An address is held once its ports are bound and only they can be reached through it.
    pub fn may_hold(&self, route: HostRoute, facts: &NodeFacts) -> bool {
        self.ports.min(guard(route, facts)).or_keep(facts.is_held(route))
    }

    /// The address must be there already: daemons announce what the kernel has. That the daemon answers is
    /// no condition: the plan is for the moment when it does.
    pub fn may_announce(&self, route: HostRoute, facts: &NodeFacts) -> bool {
        let sure = self.ports.min(self.backends).min(guard(route, facts));
        facts.is_held(route) && sure.or_keep(facts.is_announced(route))
    }
}

pub(super) fn of_all(whole: &Whole<'_>, facts: &NodeFacts) -> BTreeMap<Name, Readiness> {
    whole.vips.iter().map(|(name, vip)| ((*name).clone(), of(name, vip, &whole.serving, facts))).collect()
}

fn of(name: &Name, vip: &Vip, serving: &Serving, facts: &NodeFacts) -> Readiness {
    let mut readiness = Readiness { ports: Answer::Yes, backends: Answer::Yes, reasons: Vec::new() };
    let mut healthiest = None;
    let mut starving = Vec::new();
    for &port in &vip.used_ports {
        let key = ListenerKey { vip: name.clone(), port };
        let (bound, missing) = bound(&key, facts);
        readiness.ports = readiness.ports.min(bound);
        readiness.reasons.extend(missing);
        let (healthy, missing) =
            healthy(port, serving.listeners.get(&key).map(|listener| &**listener), serving, facts);
        healthiest = healthiest.max(Some(healthy));
        starving.extend(missing);
    }
    readiness.reasons.extend(starving);
    if vip.withdraw_when_no_backends {
        // A VIP that nothing uses is announced so that it can be tried.
        readiness.backends = healthiest.unwrap_or(Answer::Yes);
    }
    readiness
}

fn bound(key: &ListenerKey, facts: &NodeFacts) -> (Answer, Option<Reason>) {
    let port = key.port;
    match facts.served.listeners.get(key) {
        Some(ListenerState::Bound) => (Answer::Yes, None),
        Some(ListenerState::PortInUse { holder }) => {
            (Answer::No, Some(Reason::PortInUse { port, holder: holder.clone() }))
        }
        Some(ListenerState::Failed { error }) => {
            (Answer::No, Some(Reason::PortFailed { port, error: error.clone() }))
        }
        None => (Answer::Unknown, Some(Reason::PortNotBound { port })),
    }
}

fn healthy(
    port: Port,
    listener: Option<&Listener>,
    serving: &Serving,
    facts: &NodeFacts,
) -> (Answer, Option<Reason>) {
    let backends = listener.map(backends_of).unwrap_or_default();
    let healthiest = backends.into_iter().map(|key| health(key, serving, facts)).max();
    match healthiest.unwrap_or(Answer::No) {
        Answer::Yes => (Answer::Yes, None),
        Answer::Unknown => (Answer::Unknown, Some(Reason::BackendsUnchecked { port })),
        Answer::No => (Answer::No, Some(Reason::NoHealthyBackend { port })),
    }
}

/// The backends that get any of the listener's traffic.
fn backends_of(listener: &Listener) -> BTreeSet<&Key> {
    let weighted: Vec<_> = match &listener.serves {
        Serves::Http(hosts) => {
            hosts.iter().flat_map(|host| &host.rules).flat_map(|rule| &rule.backends).collect()
        }
        Serves::Tcp(backends) => backends.iter().collect(),
    };
    weighted.into_iter().filter(|share| share.weight > 0).map(|share| &share.backend).collect()
}

fn health(key: &Key, serving: &Serving, facts: &NodeFacts) -> Answer {
    let endpoints = serving.backends.get(key).map_or(0, |backend| backend.endpoints.len());
    match (endpoints, facts.served.backends.get(key)) {
        // With `trafficPolicy: Local`, a node without endpoints of its own.
        (0, _) => Answer::No,
        (_, Some(health)) if health.healthy() > 0 => Answer::Yes,
        (_, Some(health)) if !health.unknown() => Answer::No,
        (_, Some(_) | None) => Answer::Unknown,
    }
}

/// Whether only the VIP's own services can be reached through the address.
pub fn guard(route: HostRoute, facts: &NodeFacts) -> Answer {
    match (facts.guarded.addresses.contains(&route.address()), &facts.guarded.trouble) {
        (true, _) => Answer::Yes,
        (false, Some(_)) => Answer::No,
        // The rules are being put in place, or put back.
        (false, None) => Answer::Unknown,
    }
}

//! What has changed between two documents: an event for every transition of a condition, and for every agent
//! that comes or goes. With Kubernetes they become Events of the object.

use super::EstateStatus;
use super::verdict::Truth;
use crate::api::condition::{ConditionType, Reason};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Display;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// `ProxyVIP web`, as in a rejection.
    pub object: String,
    pub reason: String,
    pub message: String,
    /// Something is wrong since now.
    pub warning: bool,
}

/// In the order of kinds and names. Nothing is said about what a controller finds at its start (`before` is
/// `None`), nor about objects that are gone.
pub fn events(before: Option<&EstateStatus>, now: &EstateStatus) -> Vec<Event> {
    let Some(before) = before else { return Vec::new() };
    let mut events = agents(before, now);
    let conditions = conditions(before);
    for (object, is) in self::conditions(now) {
        let was = conditions.get(&object).copied().unwrap_or_default();
        events.extend(is.iter().filter_map(|condition| transition(&object, condition, was)));
    }
    events
}

/// Of every kind that has conditions of its own, under `KIND NAME`.
fn conditions(status: &EstateStatus) -> BTreeMap<String, &[Condition]> {
    let mut all = BTreeMap::new();
    all.extend(named("ProxyVIP", &status.vips, |vip| &vip.status.conditions));
    all.extend(named("ProxyGateway", &status.gateways, |gateway| &gateway.conditions));
    all.extend(named("ProxyBackend", &status.backends, |backend| &backend.conditions));
    all.extend(named("ProxyPolicy", &status.policies, |policy| &policy.conditions));
    all.extend(named("ProxyVIPTemplate", &status.templates, |template| &template.conditions));
    all.extend(named("ProxyIPPool", &status.pools, |pool| &pool.conditions));
    for (key, route) in &status.routes {
        // One gateway's word stands for all: what a route lacks it lacks everywhere, or says where.
        let worst = route.parents.iter().max_by_key(|parent| bad(&parent.conditions));
        all.extend(worst.map(|parent| (format!("ProxyRoute {key}"), parent.conditions.as_slice())));
    }
    all
}

fn named<'a, K: Display, V>(
    kind: &'a str,
    objects: &'a BTreeMap<K, V>,
    conditions: impl Fn(&'a V) -> &'a Vec<Condition> + 'a,
) -> impl Iterator<Item = (String, &'a [Condition])> {
    objects.iter().map(move |(key, object)| (format!("{kind} {key}"), conditions(object).as_slice()))
}

fn bad(conditions: &[Condition]) -> usize {
    conditions.iter().filter(|condition| condition.status != quiet(&condition.type_)).count()
}

fn transition(object: &str, is: &Condition, was: &[Condition]) -> Option<Event> {
    let was = was.iter().find(|was| was.type_ == is.type_);
    let (status, reason) = match was {
        Some(was) => (was.status.as_str(), was.reason.as_str()),
        // A new object: all that is worth a word is what is not as it should be.
        None => (quiet(&is.type_), is.reason.as_str()),
    };
    let good = good(&is.type_);
    if is.status == status && (is.reason == reason || is.status == good) {
        return None;
    }
    Some(Event {
        object: object.to_owned(),
        reason: is.reason.clone(),
        message: is.message.clone(),
        warning: is.status != good,
    })
}

/// The status that means that all is well.
fn good(kind: &str) -> &'static str {
    let bad_if_true = [
        ConditionType::Degraded,
        ConditionType::Conflicted,
        ConditionType::NoListeners,
        ConditionType::DaemonUntested,
        ConditionType::Overlaps,
    ];
    match bad_if_true.iter().any(|bad| bad.as_str() == kind) {
        true => Truth::False.as_str(),
        false => Truth::True.as_str(),
    }
}

/// The status that a new object has before anything happened.
fn quiet(kind: &str) -> &'static str {
    let comes_later = [ConditionType::Ready, ConditionType::AddressAllocated, ConditionType::Programmed];
    match comes_later.iter().any(|later| later.as_str() == kind) {
        true => Truth::False.as_str(),
        false => good(kind),
    }
}

fn agents(before: &EstateStatus, now: &EstateStatus) -> Vec<Event> {
    let mut events = Vec::new();
    for (name, node) in &now.nodes {
        let was = before.nodes.get(name).is_some_and(|before| before.alive);
        if node.alive == was {
            continue;
        }
        let (reason, message) = match node.alive {
            true => (Reason::AgentConnected, "Its agent is connected."),
            false => (Reason::AgentSilent, "Its agent is not connected any more."),
        };
        events.push(Event {
            object: format!("Node {name}"),
            reason: reason.to_string(),
            message: message.to_owned(),
            warning: !node.alive,
        });
    }
    events
}

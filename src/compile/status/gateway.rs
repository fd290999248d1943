//! The status of gateways: which listeners are used, and whether nodes listen.

use super::Facts;
use super::attached::Attached;
use super::problems::{About, Problems, told};
use super::verdict::{Clock, Verdict};
use super::words::count;
use crate::api::ProxyGateway;
use crate::api::condition::{ConditionType, Reason};
use crate::api::gateway::{GatewayStatus, ListenerStatus};
use crate::model::listener::ListenerKey;
use crate::model::name::{Key, Name};
use crate::model::net::Port;
use crate::model::observed::ListenerState;
use std::collections::BTreeMap;
use std::sync::Arc;

const LISTS: [&str; 1] = ["spec.listeners"];

pub fn statuses(facts: &Facts<'_>, problems: &Problems<'_>) -> BTreeMap<Key, GatewayStatus> {
    let attached = Attached::new(facts, problems);
    let status = |(key, object): (&Key, &Arc<ProxyGateway>)| {
        (key.clone(), status(key, object, &attached, facts, problems))
    };
    facts.world.gateways.iter().map(status).collect()
}

fn status(
    key: &Key,
    object: &ProxyGateway,
    attached: &Attached<'_>,
    facts: &Facts<'_>,
    problems: &Problems<'_>,
) -> GatewayStatus {
    let about = problems.about("ProxyGateway", key);
    let before = facts.before.and_then(|before| before.gateways.get(key));
    let generation = object.metadata.generation;
    let clock = |before| Clock { now: facts.now, generation, before };
    let listeners = object.spec.listeners.iter().enumerate().map(|(index, listener)| {
        let about = about.under(&format!("{}[{index}]", LISTS[0]));
        let before = before.and_then(|before| before.listeners.iter().find(|l| l.name == listener.name));
        let before = before.map(|before| before.conditions.as_slice()).unwrap_or_default();
        ListenerStatus {
            name: listener.name.clone(),
            attached_routes: attached.to(key, listener),
            conditions: clock(before).conditions(of_listener(&about)),
        }
    });
    let vip = Name::parse(object.spec.vip_ref.as_str()).ok();
    let addresses = vip.and_then(|vip| facts.vips.get(&vip)?.addresses);
    let verdicts = [about.accepted(&LISTS), about.resolved_refs(), programmed(object, &about, facts)];
    GatewayStatus {
        addresses: addresses.iter().flat_map(|all| all.iter()).map(|r| r.address().to_string()).collect(),
        listeners: listeners.collect(),
        conditions: clock(before.map(|before| before.conditions.as_slice()).unwrap_or_default())
            .conditions(verdicts),
        observed_generation: generation,
    }
}

fn of_listener(about: &About<'_>) -> [Verdict; 3] {
    let conflicts: Vec<_> = about.because(&[Reason::Conflicted]).collect();
    let kind = ConditionType::Conflicted;
    let conflicted = match conflicts.is_empty() {
        true => Verdict::new(kind, false, Reason::NoConflict, "No older listener wants what it has."),
        false => Verdict::new(kind, true, Reason::Conflicted, told(conflicts)),
    };
    [about.accepted(&[]), conflicted, about.resolved_refs()]
}

/// On how many candidates of the VIP all of its listeners that are used are bound.
fn programmed(object: &ProxyGateway, about: &About<'_>, facts: &Facts<'_>) -> Verdict {
    let kind = ConditionType::Programmed;
    let vip = Name::parse(object.spec.vip_ref.as_str()).ok();
    let Some((name, vip)) = vip.and_then(|name| Some((name.clone(), facts.vips.get(&name)?))) else {
        return Verdict::new(kind, false, Reason::NotProgrammed, "Its VIP is not used.");
    };
    let used = object
        .spec
        .listeners
        .iter()
        .enumerate()
        .filter(|(index, _)| about.under(&format!("{}[{index}]", LISTS[0])).refused().next().is_none());
    let ports: Vec<Port> = used.filter_map(|(_, listener)| Port::new(listener.port)).collect();
    let listens = |node: &&Name| {
        let report = facts.attendance.get(*node).filter(|attendance| attendance.alive);
        let report = report.and_then(|attendance| attendance.status.as_ref());
        let bound = |port: &Port| {
            let key = ListenerKey { vip: name.clone(), port: *port };
            report.is_some_and(|report| report.served.listeners.get(&key) == Some(&ListenerState::Bound))
        };
        !ports.is_empty() && ports.iter().all(bound)
    };
    let listening = vip.nodes.iter().filter(listens).count();
    let verb = if listening == 1 { "listens" } else { "listen" };
    let message = format!("{listening} of {} {verb} on all its ports.", count(vip.nodes.len(), "node"));
    let reason = if listening > 0 { Reason::Programmed } else { Reason::NotProgrammed };
    Verdict::new(kind, listening > 0, reason, message)
}

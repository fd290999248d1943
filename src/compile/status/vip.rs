//! The status of a VIP.

use super::estate::VipSummary;
use super::problems::Problems;
use super::share::{self, Share};
use super::verdict::{Clock, Verdict};
use super::{Count, Facts, VipFacts, address, degraded, ready, seen, untested};
use crate::api::ProxyVIP;
use crate::api::condition::{ConditionType, Reason};
use crate::api::vip_status::VipStatus;
use crate::model::name::Name;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The lists of a VIP's spec whose elements it can do without.
const LISTS: [&str; 1] = ["spec.bgpConfig.peers"];

pub fn summaries(facts: &Facts<'_>, problems: &Problems<'_>) -> BTreeMap<Name, VipSummary> {
    let summary =
        |(name, object): (&Name, &Arc<ProxyVIP>)| (name.clone(), summary(name, object, facts, problems));
    facts.world.vips.iter().map(summary).collect()
}

fn summary(name: &Name, object: &ProxyVIP, facts: &Facts<'_>, problems: &Problems<'_>) -> VipSummary {
    let refused = VipFacts { mode: written_mode(object), ..VipFacts::default() };
    let used = facts.vips.get(name);
    let vip = used.unwrap_or(&refused);
    let shares = share::shares(name, vip, facts);
    let about = problems.about("ProxyVIP", name);
    let verdicts = [
        // To wait for an address is nothing wrong with the object.
        about.except(&[Reason::PoolExhausted, Reason::OutOfPool]).accepted(&LISTS),
        address::allocated(vip, &about),
        ready::ready(used, &shares),
        degraded::degraded(used, &shares),
        address::conflicted(&about),
        no_listeners(vip, used.is_some()),
        untested::untested(&shares),
    ];
    let before = facts.before.and_then(|before| before.vips.get(name));
    let clock = Clock {
        now: facts.now,
        generation: object.metadata.generation,
        before: before.map(|before| before.status.conditions.as_slice()).unwrap_or_default(),
    };
    VipSummary {
        uid: object.metadata.uid.clone(),
        mode: vip.mode.clone(),
        pool: vip.pool.clone(),
        min_healthy_nodes: vip.min_healthy,
        leaving: vip.leaving.clone(),
        status: status(object, vip, &shares, facts, clock.conditions(verdicts)),
    }
}

fn status(
    object: &ProxyVIP,
    vip: &VipFacts,
    shares: &[Share<'_>],
    facts: &Facts<'_>,
    conditions: Vec<Condition>,
) -> VipStatus {
    let from_pool = vip.addresses.filter(|_| vip.pool.is_some());
    let gave = |written: &Option<String>, given: Option<String>| given.filter(|_| written.is_none());
    let announcing: Vec<String> =
        shares.iter().filter(|share| share.announces).map(|share| share.node.to_string()).collect();
    let peers = seen::peers(object, facts.world);
    let healthy = Count { good: vip.healthy.len(), all: vip.nodes.len() };
    VipStatus {
        addresses: vip.addresses.iter().flat_map(|all| all.iter()).map(|route| route.to_string()).collect(),
        allocated_address: gave(
            &object.spec.address,
            from_pool.and_then(|all| all.ipv4()).map(|address| address.to_string()),
        ),
        allocated_ipv6_address: gave(
            &object.spec.ipv6_address,
            from_pool.and_then(|all| all.ipv6()).map(|address| address.to_string()),
        ),
        active_node: announcing.first().cloned(),
        announcing_nodes: announcing,
        healthy_nodes: Some(i32::try_from(healthy.good).unwrap_or(i32::MAX)),
        healthy: Some(healthy.to_string()),
        nodes: seen::listed(shares)
            .map(|share| seen::node(share, facts.attendance.get(share.node), &peers))
            .collect(),
        bfd_session_state: seen::worst_bfd(shares, &peers).map(|state| state.to_string()),
        conditions,
        observed_generation: object.metadata.generation,
    }
}

fn no_listeners(vip: &VipFacts, used: bool) -> Verdict {
    let kind = ConditionType::NoListeners;
    if vip.listeners {
        return Verdict::new(kind, false, Reason::HasListeners, "A gateway or a Service uses it.");
    }
    let message = match used {
        true => "No gateway or Service listens on it; it is announced so that it can be tried.",
        false => "No gateway or Service listens on it.",
    };
    Verdict::new(kind, true, Reason::NoListeners, message)
}

fn written_mode(object: &ProxyVIP) -> String {
    let written = object.spec.mode.and_then(|mode| serde_json::to_value(mode).ok());
    written.and_then(|mode| mode.as_str().map(str::to_owned)).unwrap_or_default()
}

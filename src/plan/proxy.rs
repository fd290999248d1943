//! What the proxy serves.

use super::facts::NodeFacts;
use super::leave::Leave;
use super::whole::Whole;
use crate::model::net::HostRoute;
use crate::model::snapshot::Serving;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// What the proxy should serve.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxyPlan {
    pub serving: Serving,
    /// At these, every response asks its connection to end; HTTP/2 connections get a GOAWAY.
    pub lame_ducks: BTreeSet<IpAddr>,
}

/// What is in flight is finished: an address is served until its route is gone and nothing more can come.
pub(super) fn plan(whole: &Whole<'_>, facts: &NodeFacts) -> ProxyPlan {
    let mut serving = Serving::clone(&whole.serving);
    let stopped: BTreeSet<IpAddr> = at(whole, facts, |step| step >= Leave::Stopped);
    if !stopped.is_empty() {
        serving.listeners.retain(|_, listener| {
            if !listener.addresses.is_disjoint(&stopped) {
                Arc::make_mut(listener).addresses.retain(|address| !stopped.contains(address));
            }
            !listener.addresses.is_empty()
        });
    }
    ProxyPlan { serving, lame_ducks: at(whole, facts, |step| step > Leave::Staying) }
}

fn at(whole: &Whole<'_>, facts: &NodeFacts, which: impl Fn(Leave) -> bool) -> BTreeSet<IpAddr> {
    let chosen = |(route, step): &(&HostRoute, &Leave)| which(**step) && whole.bearers.contains_key(*route);
    facts.leave.iter().filter(chosen).map(|(route, _)| route.address()).collect()
}

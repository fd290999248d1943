//! What can be reached through our addresses (spec §2.12).

use super::facts::NodeFacts;
use super::leave::Leave;
use super::whole::Whole;
use crate::model::net::{HostRoute, Port, Transport};
use crate::model::observed::ListenerState;
use crate::model::snapshot::Serving;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// What `netfilter` should let through to our addresses: these services and ICMP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExposurePlan {
    pub addresses: BTreeSet<IpAddr>,
    pub services: BTreeSet<(IpAddr, Transport, Port)>,
    /// New TCP connections to these are dropped without an answer.
    pub muted: BTreeSet<IpAddr>,
}

/// Every address is guarded before it is held and until it is gone. A service is let through only while a
/// listener of ours has the port: otherwise a daemon of the host on the wildcard address would answer. An
/// address of ours that no VIP has is deaf.
pub(super) fn plan(whole: &Whole<'_>, facts: &NodeFacts) -> ExposurePlan {
    let mut routes: BTreeSet<HostRoute> =
        facts.held.addresses.union(&facts.observed.announced).copied().collect();
    routes.extend(whole.bearers.keys().filter(|route| facts.step(**route) < Leave::Released));
    let deaf = |route: &&HostRoute| facts.step(**route).is_muted() || !whole.bearers.contains_key(*route);
    let muted = routes.iter().filter(deaf).map(|route| route.address()).collect();
    let addresses: BTreeSet<IpAddr> = routes.iter().map(|route| route.address()).collect();
    let mut services = services(&whole.serving, facts);
    services.retain(|(address, ..)| addresses.contains(address));
    ExposurePlan { addresses, services, muted }
}

fn services(serving: &Serving, facts: &NodeFacts) -> BTreeSet<(IpAddr, Transport, Port)> {
    let mut services = BTreeSet::new();
    for (key, listener) in &serving.listeners {
        if facts.served.listeners.get(key) == Some(&ListenerState::Bound) {
            let open = listener.addresses.iter().map(|address| (*address, Transport::Tcp, key.port));
            services.extend(open);
        }
    }
    services
}

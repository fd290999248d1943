//! Which addresses the node holds.

use super::facts::NodeFacts;
use super::leave::Leave;
use super::readiness::Readiness;
use super::whole::Whole;
use crate::model::name::Name;
use crate::model::net::HostRoute;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long the kernel keeps an address that its agent stopped refreshing (spec §2.12).
pub const LIFETIME: Duration = Duration::from_secs(3);

/// What `l2` should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkPlan {
    pub addresses: BTreeSet<HostRoute>,
    pub lifetime: Duration,
}

/// A VIP withheld for its backends or its daemon still has its address, so that it can be tried from the
/// node itself. An address that leaves is not taken anew, and none is taken away under a route: it stays until
/// the daemon has let go, unless its departure is over.
pub(super) fn plan(whole: &Whole<'_>, facts: &NodeFacts, readiness: &BTreeMap<Name, Readiness>) -> LinkPlan {
    let wanted = |(route, name): &(&HostRoute, &&Name)| {
        readiness[**name].may_hold(**route, facts) && (facts.is_to_stay(**route) || facts.is_held(**route))
    };
    let mut addresses: BTreeSet<HostRoute> =
        whole.bearers.iter().filter(wanted).map(|(route, _)| *route).collect();
    addresses.extend(facts.held.addresses.intersection(&facts.observed.announced));
    addresses.retain(|route| facts.step(*route) < Leave::Released);
    LinkPlan { addresses, lifetime: LIFETIME }
}

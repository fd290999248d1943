//! Which addresses the node holds.

use super::facts::NodeFacts;
use super::leave::Leave;
use super::linger::Lingering;
use super::readiness::Readiness;
use crate::model::name::Name;
use crate::model::net::HostRoute;
use crate::model::snapshot::Snapshot;
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
/// node itself. An address is never taken away under a route: it stays until the daemon has let go.
pub(super) fn plan(
    snapshot: &Snapshot,
    facts: &NodeFacts,
    lingering: &Lingering,
    readiness: &BTreeMap<Name, Readiness>,
) -> LinkPlan {
    let mut addresses = BTreeSet::new();
    if facts.leave < Leave::Released {
        let wanted = |(name, ready): (&Name, &Readiness)| -> Vec<HostRoute> {
            let routes = snapshot.vips[name].addresses.iter();
            routes.filter(|route| ready.may_hold(*route, facts)).collect()
        };
        addresses.extend(readiness.iter().flat_map(wanted));
        addresses.extend(lingering.kept.keys().filter(|route| facts.is_held(**route)));
        addresses.extend(facts.held.addresses.intersection(&facts.observed.announced));
    }
    LinkPlan { addresses, lifetime: LIFETIME }
}

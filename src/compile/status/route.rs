//! The status of routes: what each of their gateways makes of them.

use super::Facts;
use super::problems::Problems;
use super::verdict::Clock;
use crate::api::ProxyRoute;
use crate::api::route::{ParentRef, RouteParentStatus, RouteStatus};
use crate::model::name::Key;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The lists of a route's spec whose elements it can do without.
pub const LISTS: [&str; 2] = ["spec.rules", PARENTS];

const PARENTS: &str = "spec.parentRefs";

pub fn statuses(facts: &Facts<'_>, problems: &Problems<'_>) -> BTreeMap<Key, RouteStatus> {
    let status =
        |(key, object): (&Key, &Arc<ProxyRoute>)| (key.clone(), status(key, object, facts, problems));
    facts.world.routes.iter().map(status).collect()
}

fn status(key: &Key, object: &ProxyRoute, facts: &Facts<'_>, problems: &Problems<'_>) -> RouteStatus {
    let about = problems.about("ProxyRoute", key);
    let before = facts.before.and_then(|before| before.routes.get(key));
    let parents = parents(key, object, facts).into_iter().map(|(index, parent)| {
        // What is wrong with another parent is no news of this one's.
        let own = match index {
            Some(index) => about.without_other_elements(PARENTS, index),
            None => about.clone(),
        };
        let same = |before: &&RouteParentStatus| before.parent_ref == parent;
        let before = before.and_then(|before| before.parents.iter().find(same));
        let clock = Clock {
            now: facts.now,
            generation: object.metadata.generation,
            before: before.map(|before| before.conditions.as_slice()).unwrap_or_default(),
        };
        let conditions = clock.conditions([own.accepted(&LISTS[..1]), own.resolved_refs()]);
        RouteParentStatus { parent_ref: parent, conditions }
    });
    RouteStatus { parents: parents.collect(), observed_generation: object.metadata.generation }
}

/// Those that are written, or all gateways of its namespace.
fn parents(key: &Key, object: &ProxyRoute, facts: &Facts<'_>) -> Vec<(Option<usize>, ParentRef)> {
    let written = &object.spec.parent_refs;
    if !written.is_empty() {
        return written.iter().cloned().enumerate().map(|(index, parent)| (Some(index), parent)).collect();
    }
    let own = facts.world.gateways.keys().filter(|gateway| gateway.namespace == key.namespace);
    let refer = |gateway: &Key| ParentRef {
        name: gateway.name.to_string(),
        namespace: Some(gateway.namespace.to_string()),
        section_name: None,
        port: None,
    };
    own.map(|gateway| (None, refer(gateway))).collect()
}

//! How many routes mean a listener. Indexed once for all gateways: estates have as many routes as gateways.

use super::Facts;
use super::problems::Problems;
use super::route::LISTS;
use crate::api::ProxyRoute;
use crate::api::listener::{Listener, Protocol};
use crate::api::route::ParentRef;
use crate::model::name::Key;
use std::collections::BTreeMap;

/// Routes that are not refused as a whole.
#[derive(Debug, Default)]
pub struct Attached<'a> {
    /// How many name no gateway, and so mean all of their namespace.
    everywhere: BTreeMap<&'a str, usize>,
    /// Those that name one, by its namespace and name.
    named: BTreeMap<(&'a str, &'a str), Vec<(&'a Key, &'a ProxyRoute)>>,
}

impl<'a> Attached<'a> {
    pub fn new(facts: &Facts<'a>, problems: &Problems<'_>) -> Self {
        let mut attached = Self::default();
        for (key, route) in &facts.world.routes {
            if problems.about("ProxyRoute", key).outside(&LISTS).refused().next().is_some() {
                continue;
            }
            if route.spec.parent_refs.is_empty() {
                *attached.everywhere.entry(key.namespace.as_str()).or_default() += 1;
            }
            for parent in &route.spec.parent_refs {
                let routes = attached.named.entry(gateway(key, parent)).or_default();
                if routes.last().is_none_or(|(last, _)| *last != key) {
                    routes.push((key, route));
                }
            }
        }
        attached
    }

    pub fn to(&self, key: &Key, listener: &Listener) -> i32 {
        let at = (key.namespace.as_str(), key.name.as_str());
        let http = matches!(listener.protocol, Protocol::Http | Protocol::Https);
        let means = |parent: &ParentRef| {
            let named = parent.section_name.is_some() || parent.port.is_some();
            parent.section_name.as_ref().is_none_or(|section| *section == listener.name)
                && parent.port.is_none_or(|port| port == listener.port)
                && (named || http)
        };
        let named = self.named.get(&at).into_iter().flatten().filter(|(route, object)| {
            object.spec.parent_refs.iter().any(|parent| gateway(route, parent) == at && means(parent))
        });
        let everywhere = self.everywhere.get(at.0).filter(|_| http).copied().unwrap_or_default();
        i32::try_from(named.count() + everywhere).unwrap_or(i32::MAX)
    }
}

/// The gateway that is named: its namespace and name.
fn gateway<'a>(route: &'a Key, parent: &'a ParentRef) -> (&'a str, &'a str) {
    (parent.namespace.as_deref().unwrap_or(route.namespace.as_str()), parent.name.as_str())
}

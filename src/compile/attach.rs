//! Which routes belong to which listeners.

use super::gateway::{Offer, Offered, Takes};
use super::memo::{Made, Same};
use super::precedence::intersection;
use super::rejection::{Findings, Rejection};
use super::route::{Route, Routed};
use crate::api::condition::Reason;
use crate::model::http::{Hostname, WeightedBackend};
use crate::model::name::Key;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A listener with its routes, from the oldest on.
#[derive(Debug)]
pub struct Attached<'a> {
    pub offer: &'a Arc<Offer>,
    pub routes: Vec<Same<Routed>>,
}

/// What a listener's routes bring.
#[derive(Debug)]
pub enum Traffic<'a> {
    /// Each route with the hostnames that it and the listener share.
    Http(Vec<(Vec<Hostname>, &'a Route)>),
    Tcp(Vec<WeightedBackend>),
}

/// All listeners, in the order of their gateways.
pub fn attach<'a, I, J>(
    offers: &'a [Made<Key, I, Offered>],
    routes: &[Made<Key, J, Routed>],
) -> Vec<Attached<'a>> {
    let mut attached = Vec::new();
    let mut first = Vec::with_capacity(offers.len());
    for gateway in offers {
        first.push(attached.len());
        attached.extend(gateway.output.offers.iter().map(|offer| Attached { offer, routes: Vec::new() }));
    }
    for routed in by_age(routes) {
        for place in meant(routed, offers, &first) {
            attached[place].routes.push(Same::of(routed));
        }
    }
    attached
}

/// Each listener once, however many parents mean it. `first`: the place of each gateway's first listener.
fn meant<I>(routed: &Routed, offers: &[Made<Key, I, Offered>], first: &[usize]) -> BTreeSet<usize> {
    let mut places = BTreeSet::new();
    let Some(route) = &routed.route else { return places };
    for parent in &routed.parents {
        let gateways = match &parent.gateway {
            Some(key) => {
                let from = offers.partition_point(|made| made.key < *key);
                from..from + usize::from(offers.get(from).is_some_and(|made| made.key == *key))
            }
            None => {
                let namespace = &route.key.namespace;
                let from = offers.partition_point(|made| made.key.namespace < *namespace);
                from..offers.partition_point(|made| made.key.namespace <= *namespace)
            }
        };
        for gateway in gateways {
            let listeners = offers[gateway].output.offers.iter().enumerate();
            let taken = listeners.filter(|(_, offer)| parent.means(offer));
            places.extend(taken.map(|(place, _)| first[gateway] + place));
        }
    }
    places
}

fn by_age<J>(routes: &[Made<Key, J, Routed>]) -> Vec<&Arc<Routed>> {
    let mut usable: Vec<_> =
        routes.iter().filter_map(|made| Some((&made.output.route.as_ref()?.age, &made.output))).collect();
    usable.sort_by_key(|(age, _)| *age);
    usable.into_iter().map(|(_, routed)| routed).collect()
}

/// What the routes of one listener bring, from the oldest on.
pub fn traffic<'a>(
    offer: &Offer,
    routes: &'a [Same<Routed>],
    rejections: &mut Vec<Rejection>,
) -> Traffic<'a> {
    let mut traffic = match offer.takes {
        Takes::Http(_) => Traffic::Http(Vec::new()),
        Takes::Tcp => Traffic::Tcp(Vec::new()),
    };
    let mut taker = None;
    for route in routes.iter().filter_map(|routed| routed.route.as_ref()) {
        let mut findings = Findings::about("ProxyRoute", &route.key);
        join((offer, &mut traffic, &mut taker), route, &mut findings);
        rejections.extend(findings.into_rejections());
    }
    traffic
}

/// The route that has a TCP listener.
type Taker<'a> = Option<&'a Key>;

fn join<'a>(
    (offer, traffic, taker): (&Offer, &mut Traffic<'a>, &mut Taker<'a>),
    route: &'a Route,
    findings: &mut Findings,
) {
    match (traffic, &offer.takes) {
        (Traffic::Http(routes), Takes::Http(names)) => {
            let shared = intersection(names, &route.hostnames);
            if shared.is_empty() {
                let message = format!(
                    "listener {} of ProxyGateway {} answers none of them; add one there, or name another",
                    offer.section, offer.gateway
                );
                findings.refuse("spec.hostnames", Reason::InvalidValue, message);
            } else {
                routes.push((shared, route));
            }
        }
        (Traffic::Tcp(backends), _) => {
            if let Some(older) = taker {
                let message = format!(
                    "the older ProxyRoute {older} has the TCP listener {} of ProxyGateway {}; name another",
                    offer.section, offer.gateway
                );
                findings.refuse("spec.parentRefs", Reason::Conflicted, message);
            } else if let Some(shares) = whole_stream(route, offer, findings) {
                *backends = shares;
                *taker = Some(&route.key);
            }
        }
        (Traffic::Http(_), Takes::Tcp) => {}
    }
}

/// Bytes can go one way only.
fn whole_stream(route: &Route, offer: &Offer, findings: &mut Findings) -> Option<Vec<WeightedBackend>> {
    match (route.rules.as_slice(), route.hostnames.as_slice()) {
        ([rule], [Hostname::Any]) if rule.takes_all => Some(rule.backends.clone()),
        _ => {
            let message = format!(
                "listener {} of ProxyGateway {} is TCP: its route has one rule, and no hostnames or matches",
                offer.section, offer.gateway
            );
            findings.refuse("spec.rules", Reason::InvalidValue, message);
            None
        }
    }
}

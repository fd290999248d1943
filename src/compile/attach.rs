//! Which routes belong to which listeners.

use super::backend::Upstreams;
use super::gateway::{Offer, Takes};
use super::parent::{self, Parent};
use super::precedence::intersection;
use super::rejection::{Findings, Rejection};
use super::route::{self, Route};
use super::scene::Scene;
use crate::api::condition::Reason;
use crate::api::route::ProxyRoute;
use crate::model::http::{Hostname, WeightedBackend};
use crate::model::name::Key;
use std::collections::{BTreeMap, BTreeSet};

/// A listener with everything that its routes bring.
#[derive(Debug)]
pub struct Attached {
    pub offer: Offer,
    pub traffic: Traffic,
    /// The route that has a TCP listener.
    taker: Option<Key>,
}

#[derive(Debug)]
pub enum Traffic {
    /// Each route with the hostnames that it and the listener share.
    Http(Vec<(Vec<Hostname>, Route)>),
    Tcp(Vec<WeightedBackend>),
}

pub fn attach(
    offers: Vec<Offer>,
    backends: &Upstreams,
    scene: &Scene,
    rejections: &mut Vec<Rejection>,
) -> Vec<Attached> {
    let empty = |offer: &Offer| match offer.takes {
        Takes::Http(_) => Traffic::Http(Vec::new()),
        Takes::Tcp => Traffic::Tcp(Vec::new()),
    };
    let mut attached: BTreeMap<Key, Vec<Attached>> = BTreeMap::new();
    for offer in offers {
        let one = Attached { traffic: empty(&offer), taker: None, offer };
        attached.entry(one.offer.gateway.clone()).or_default().push(one);
    }
    for (route, object, mut findings) in by_age(backends, scene, rejections) {
        let parents = parent::parents(&route.key, object, scene, &mut findings);
        for (gateway, place) in meant(&parents, &attached) {
            if let Some(listener) = attached.get_mut(gateway).and_then(|listeners| listeners.get_mut(place)) {
                join(listener, &route, &mut findings);
            }
        }
        rejections.extend(findings.into_rejections());
    }
    attached.into_values().flatten().collect()
}

/// Each listener once, however many parents mean it.
fn meant<'a>(parents: &'a [Parent], attached: &BTreeMap<Key, Vec<Attached>>) -> BTreeSet<(&'a Key, usize)> {
    let mut places = BTreeSet::new();
    for parent in parents {
        for gateway in &parent.gateways {
            let listeners = attached.get(gateway).into_iter().flatten().enumerate();
            let taken = listeners.filter(|(_, listener)| parent.means(&listener.offer));
            places.extend(taken.map(|(place, _)| (gateway, place)));
        }
    }
    places
}

fn by_age<'a>(
    backends: &Upstreams,
    scene: &Scene<'a>,
    rejections: &mut Vec<Rejection>,
) -> Vec<(Route, &'a ProxyRoute, Findings)> {
    let mut routes = Vec::new();
    for (key, object) in &scene.world.routes {
        let mut findings = Findings::about("ProxyRoute", key);
        match route::route(key, object, backends, scene, &mut findings) {
            Some(route) => routes.push((route, &**object, findings)),
            None => rejections.extend(findings.into_rejections()),
        }
    }
    routes.sort_by(|(a, ..), (b, ..)| a.age.cmp(&b.age));
    routes
}

fn join(listener: &mut Attached, route: &Route, findings: &mut Findings) {
    let Attached { offer, traffic, taker } = listener;
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
                routes.push((shared, route.clone()));
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
                *taker = Some(route.key.clone());
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

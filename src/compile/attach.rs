//! Which routes belong to which listeners.

use super::gateway::{Offer, Takes};
use super::here::Here;
use super::precedence::intersection;
use super::refs;
use super::rejection::{Findings, Rejection};
use super::route::{self, Route};
use crate::api::condition::Reason;
use crate::api::listener::Protocol;
use crate::api::route::{ParentRef, ProxyRoute};
use crate::model::backend::Backend;
use crate::model::http::{Hostname, WeightedBackend};
use crate::model::name::Key;
use std::collections::BTreeMap;

/// A listener with everything that its routes bring.
#[derive(Debug)]
pub struct Attached {
    pub offer: Offer,
    pub traffic: Traffic,
}

#[derive(Debug)]
pub enum Traffic {
    /// Each route with the hostnames that it and the listener share.
    Http(Vec<(Vec<Hostname>, Route)>),
    Tcp(Vec<WeightedBackend>),
}

pub fn attach(
    offers: Vec<Offer>,
    backends: &BTreeMap<Key, Backend>,
    here: &Here,
    rejections: &mut Vec<Rejection>,
) -> Vec<Attached> {
    let empty = |offer: &Offer| match offer.takes {
        Takes::Http(_) => Traffic::Http(Vec::new()),
        Takes::Tcp => Traffic::Tcp(Vec::new()),
    };
    let mut attached: Vec<_> =
        offers.into_iter().map(|offer| Attached { traffic: empty(&offer), offer }).collect();
    let mut takers = BTreeMap::new();
    for (route, object, mut findings) in by_age(backends, here, rejections) {
        let parents = parents(&route, object, here, &mut findings);
        for (place, listener) in attached.iter_mut().enumerate() {
            if parents.iter().any(|parent| parent.is(&listener.offer)) {
                join(listener, &route, takers.entry(place).or_default(), &mut findings);
            }
        }
        rejections.extend(findings.into_rejections());
    }
    attached
}

fn by_age<'a>(
    backends: &BTreeMap<Key, Backend>,
    here: &Here<'a>,
    rejections: &mut Vec<Rejection>,
) -> Vec<(Route, &'a ProxyRoute, Findings)> {
    let mut routes = Vec::new();
    for (key, object) in &here.world.routes {
        let mut findings = Findings::about("ProxyRoute", key);
        match route::route(key, object, backends, here, &mut findings) {
            Some(route) => routes.push((route, object, findings)),
            None => rejections.extend(findings.into_rejections()),
        }
    }
    routes.sort_by(|(a, ..), (b, ..)| a.age.cmp(&b.age));
    routes
}

/// A parent of a route, resolved.
#[derive(Debug)]
enum Parent<'a> {
    /// Every HTTP listener of the namespace.
    Namespace(&'a Key),
    Gateway {
        key: Key,
        section: Option<&'a str>,
        port: Option<u16>,
    },
}

impl Parent<'_> {
    /// A TCP listener has to be named, since nothing in the request tells whether it is meant.
    fn is(&self, offer: &Offer) -> bool {
        let http = matches!(offer.takes, Takes::Http(_));
        match self {
            Self::Namespace(route) => http && offer.gateway.namespace == route.namespace,
            Self::Gateway { key, section, port } => {
                let named = section.is_none_or(|section| section == offer.section)
                    && port.is_none_or(|port| port == offer.at.port.get());
                *key == offer.gateway && named && (http || section.is_some() || port.is_some())
            }
        }
    }
}

fn parents<'a>(
    route: &'a Route,
    object: &'a ProxyRoute,
    here: &Here,
    findings: &mut Findings,
) -> Vec<Parent<'a>> {
    let written = &object.spec.parent_refs;
    if written.is_empty() {
        let mut gateways = here.world.gateways.keys();
        if !gateways.any(|gateway| gateway.namespace == route.key.namespace) {
            let message = format!(
                "namespace {} has no ProxyGateway; create one, or name one of another namespace here",
                route.key.namespace
            );
            findings.refuse("spec.parentRefs", Reason::RefNotFound, message);
        }
        return vec![Parent::Namespace(&route.key)];
    }
    let resolve = |(index, parent)| self::parent(route, parent, index, here, findings);
    written.iter().enumerate().filter_map(resolve).collect()
}

/// What is wrong is told here; that the gateway's VIP is not this node's is nothing wrong.
fn parent<'a>(
    route: &Route,
    written: &'a ParentRef,
    index: usize,
    here: &Here,
    findings: &mut Findings,
) -> Option<Parent<'a>> {
    let ParentRef { name, namespace, section_name, port } = written;
    let field = format!("spec.parentRefs[{index}]");
    let key = refs::key(&route.key.namespace, namespace.as_ref(), name);
    let key = findings.valid(format!("{field}.name"), key)?;
    let Some(gateway) = here.world.gateways.get(&key) else {
        let message = format!("there is no ProxyGateway {key}; create it, or name another");
        findings.refuse(format!("{field}.name"), Reason::RefNotFound, message);
        return None;
    };
    if let Err(message) = refs::permitted("ProxyGateway", &key, &gateway.metadata, &route.key.namespace) {
        findings.refuse(format!("{field}.namespace"), Reason::RefNotPermitted, message);
        return None;
    }
    let meant = gateway.spec.listeners.iter().filter(|listener| {
        section_name.as_ref().is_none_or(|section| *section == listener.name)
            && port.is_none_or(|port| port == listener.port)
    });
    let http = |protocol| matches!(protocol, Protocol::Http | Protocol::Https);
    let named = section_name.is_some() || port.is_some();
    if !meant.into_iter().any(|listener| named || http(listener.protocol)) {
        let message = match named {
            true => format!("ProxyGateway {key} has no such listener; correct sectionName or port"),
            false => {
                format!("ProxyGateway {key} has no HTTP listener; name the one that is meant as sectionName")
            }
        };
        findings.refuse(field, Reason::RefNotFound, message);
        return None;
    }
    Some(Parent::Gateway { key, section: section_name.as_deref(), port: *port })
}

fn join(listener: &mut Attached, route: &Route, taker: &mut Option<Key>, findings: &mut Findings) {
    let Attached { offer, traffic } = listener;
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

//! `ProxyRoute` → hostnames, and rules that know where they go.

use super::backend::{Read, Upstreams};
use super::gateway::hostnames;
use super::memo::{Made, Memo, Same};
use super::parent::{self, Parent};
use super::refs;
use super::rejection::{Findings, Rejection};
use super::scene::{Scene, Seniority};
use crate::api::ProxyGateway;
use crate::api::condition::Reason;
use crate::api::route::{BackendRef, ParentRef, ProxyRoute, RouteRule, RouteSpec};
use crate::model::http::{Hostname, Match, WeightedBackend};
use crate::model::name::{Key, Name};
use std::collections::BTreeSet;
use std::time::Duration;

/// A route that is not attached to anything yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub key: Key,
    pub age: Seniority<Key>,
    /// `Any` where none are written.
    pub hostnames: Vec<Hostname>,
    pub rules: Vec<ParsedRule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedRule {
    /// Its place in the route.
    pub index: usize,
    pub matches: Vec<Match>,
    /// Whether matches are written at all.
    pub takes_all: bool,
    pub backends: Vec<WeightedBackend>,
    pub timeout: Option<Duration>,
}

/// All that [`read`] reads.
#[derive(Debug, PartialEq)]
pub struct Written {
    object: Same<ProxyRoute>,
    /// That it refers to, in the order in which they are written.
    backends: Vec<Option<Same<Read>>>,
    parents: Vec<Option<Same<ProxyGateway>>>,
    /// Its namespace has a gateway.
    has_neighbour: bool,
}

/// What became of a route.
#[derive(Debug)]
pub struct Routed {
    /// `None`: it is refused.
    pub route: Option<Route>,
    pub parents: Vec<Parent>,
    found: Vec<Rejection>,
}

pub type Memory = Memo<Key, Written, Routed>;

pub fn routes<'m>(
    scene: &Scene,
    upstreams: &Upstreams,
    memory: &'m mut Memory,
    rejections: &mut Vec<Rejection>,
) -> &'m [Made<Key, Written, Routed>] {
    let gateways = &scene.world.gateways;
    let namespaces: BTreeSet<&Name> = gateways.keys().map(|key| &key.namespace).collect();
    let inputs = scene.world.routes.iter().map(|(key, object)| {
        let spec = &object.spec;
        let backend = |reference: &BackendRef| {
            let BackendRef { name, namespace, weight: _ } = reference;
            let key = refs::key(&key.namespace, namespace.as_ref(), name).ok()?;
            upstreams.get(&key).map(Same::of)
        };
        let gateway = |reference: &ParentRef| {
            let ParentRef { name, namespace, section_name: _, port: _ } = reference;
            let key = refs::key(&key.namespace, namespace.as_ref(), name).ok()?;
            gateways.get(&key).map(Same::of)
        };
        let written = Written {
            object: Same::of(object),
            backends: spec.rules.iter().flat_map(|rule| &rule.backend_refs).map(backend).collect(),
            parents: spec.parent_refs.iter().map(gateway).collect(),
            has_neighbour: namespaces.contains(&key.namespace),
        };
        (key.clone(), written)
    });
    let made = memory.of_each(inputs, read);
    rejections.extend(made.iter().flat_map(|made| &made.output.found).cloned());
    made
}

/// A stage of the compiler (see [`super::memo`]).
fn read(key: &Key, written: &Written) -> Routed {
    let Written { object, backends, parents, has_neighbour } = written;
    let mut findings = Findings::about("ProxyRoute", key);
    let route = route(key, object, &mut backends.iter().map(Option::as_ref), &mut findings);
    let parents = match route {
        Some(_) => parent::parents(key, object, parents, *has_neighbour, &mut findings),
        None => Vec::new(),
    };
    Routed { route, parents, found: findings.into_rejections() }
}

/// Backends in the order in which they are referred to.
type InOrder<'a, 'b> = &'b mut dyn Iterator<Item = Option<&'a Same<Read>>>;

/// A rule that is refused keeps its matches and answers 500 (Gateway API's word for it): its requests must
/// not fall to another rule, past a filter that the author asked for.
fn route(key: &Key, object: &ProxyRoute, backends: InOrder, findings: &mut Findings) -> Option<Route> {
    // `parent` reads the parents.
    let RouteSpec { hostnames: names, parent_refs: _, rules } = &object.spec;
    let hostnames = hostnames(names, "spec", findings)?;
    if rules.is_empty() {
        findings.refuse("spec.rules", Reason::Missing, "write at least one rule");
    }
    let parse = |(index, written): (usize, &RouteRule)| rule(key, index, written, backends, findings);
    let rules = rules.iter().enumerate().map(parse).collect();
    Some(Route {
        key: key.clone(),
        age: Seniority::new(&object.metadata, false, key.clone()),
        hostnames,
        rules,
    })
}

fn rule(
    route: &Key,
    index: usize,
    written: &RouteRule,
    backends: InOrder,
    findings: &mut Findings,
) -> ParsedRule {
    let RouteRule { matches, filters, backend_refs, retry, timeout, mirror, max_request_body_size } = written;
    let field = format!("spec.rules[{index}]");
    let takes_all = matches.is_empty();
    let matches = super::matches::matches(matches, &field, findings);
    let supported = findings.whole(|findings| {
        findings.absent(format!("{field}.filters"), filters.first());
        findings.absent(format!("{field}.retry"), retry.as_ref());
        findings.absent(format!("{field}.mirror"), mirror.as_ref());
        findings.absent(format!("{field}.maxRequestBodySize"), max_request_body_size.as_ref());
        Some(())
    });
    let mut shares = Vec::new();
    for (place, reference) in backend_refs.iter().enumerate() {
        let field = format!("{field}.backendRefs[{place}]");
        shares.extend(share(route, reference, &field, backends.next().flatten(), findings));
    }
    if backend_refs.is_empty() && supported.is_some() {
        findings.refuse(format!("{field}.backendRefs"), Reason::Missing, "write where the requests go");
    }
    let backends = supported.map(|()| shares).unwrap_or_default();
    // Gateway API: 0s switches the limit off.
    let timeout = timeout.map(|timeout| timeout.get()).filter(|timeout| !timeout.is_zero());
    ParsedRule { index, matches, takes_all, backends, timeout }
}

/// A reference that is refused is left out: the others take its share.
fn share(
    route: &Key,
    written: &BackendRef,
    field: &str,
    backend: Option<&Same<Read>>,
    findings: &mut Findings,
) -> Option<WeightedBackend> {
    let BackendRef { name, namespace, weight } = written;
    let key = refs::key(&route.namespace, namespace.as_ref(), name);
    let key = findings.valid(format!("{field}.name"), key)?;
    let Some(backend) = backend else {
        let message = format!("there is no ProxyBackend {key}; create it, or name another");
        findings.refuse(format!("{field}.name"), Reason::RefNotFound, message);
        return None;
    };
    if let Err(message) = refs::permitted("ProxyBackend", &key, &backend.object.metadata, &route.namespace) {
        findings.refuse(format!("{field}.namespace"), Reason::RefNotPermitted, message);
        return None;
    }
    if backend.upstream.is_none() {
        let message = format!("ProxyBackend {key} cannot be used; see what is wrong with it");
        findings.refuse(format!("{field}.name"), Reason::RefNotFound, message);
        return None;
    }
    Some(WeightedBackend { backend: key, weight: *weight })
}

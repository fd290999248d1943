//! `ProxyRoute` → hostnames, and rules that know where they go.

use super::backend::Upstreams;
use super::gateway::hostnames;
use super::refs;
use super::rejection::Findings;
use super::scene::{Scene, Seniority};
use crate::api::condition::Reason;
use crate::api::route::{BackendRef, ProxyRoute, RouteRule, RouteSpec};
use crate::model::http::{Hostname, Match, WeightedBackend};
use crate::model::name::Key;
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

/// A rule that is refused keeps its matches and answers 500 (Gateway API's word for it): its requests must
/// not fall to another rule, past a filter that the author asked for.
pub fn route(
    key: &Key,
    object: &ProxyRoute,
    backends: &Upstreams,
    scene: &Scene,
    findings: &mut Findings,
) -> Option<Route> {
    // `attach` reads the parents.
    let RouteSpec { hostnames: names, parent_refs: _, rules } = &object.spec;
    let hostnames = hostnames(names, "spec", findings)?;
    if rules.is_empty() {
        findings.refuse("spec.rules", Reason::Missing, "write at least one rule");
    }
    let parse = |(index, written): (usize, &RouteRule)| rule(key, index, written, backends, scene, findings);
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
    backends: &Upstreams,
    scene: &Scene,
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
        shares.extend(share(route, reference, &field, backends, scene, findings));
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
    backends: &Upstreams,
    scene: &Scene,
    findings: &mut Findings,
) -> Option<WeightedBackend> {
    let BackendRef { name, namespace, weight } = written;
    let key = refs::key(&route.namespace, namespace.as_ref(), name);
    let key = findings.valid(format!("{field}.name"), key)?;
    let Some(object) = scene.world.backends.get(&key) else {
        let message = format!("there is no ProxyBackend {key}; create it, or name another");
        findings.refuse(format!("{field}.name"), Reason::RefNotFound, message);
        return None;
    };
    if let Err(message) = refs::permitted("ProxyBackend", &key, &object.metadata, &route.namespace) {
        findings.refuse(format!("{field}.namespace"), Reason::RefNotPermitted, message);
        return None;
    }
    if !backends.contains_key(&key) {
        let message = format!("ProxyBackend {key} cannot be used; see what is wrong with it");
        findings.refuse(format!("{field}.name"), Reason::RefNotFound, message);
        return None;
    }
    Some(WeightedBackend { backend: key, weight: *weight })
}

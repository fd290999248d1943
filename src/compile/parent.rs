//! `spec.parentRefs[]` → the gateways, or single listeners, that a route is for.

use super::gateway::{Offer, Takes};
use super::refs;
use super::rejection::Findings;
use super::scene::Scene;
use crate::api::condition::Reason;
use crate::api::listener::Protocol;
use crate::api::route::{ParentRef, ProxyRoute};
use crate::model::name::Key;

/// A parent, resolved.
#[derive(Debug)]
pub struct Parent<'a> {
    pub gateways: Vec<Key>,
    section: Option<&'a str>,
    port: Option<u16>,
}

impl Parent<'_> {
    /// Which listeners of its gateways are meant. A TCP listener has to be named, since nothing in a
    /// connection tells which route it is for.
    pub fn means(&self, offer: &Offer) -> bool {
        let named = self.section.is_some() || self.port.is_some();
        self.section.is_none_or(|section| section == offer.section)
            && self.port.is_none_or(|port| port == offer.at.port.get())
            && (named || matches!(offer.takes, Takes::Http(_)))
    }
}

pub fn parents<'a>(
    route: &Key,
    object: &'a ProxyRoute,
    scene: &Scene,
    findings: &mut Findings,
) -> Vec<Parent<'a>> {
    let written = &object.spec.parent_refs;
    if written.is_empty() {
        return vec![own_namespace(route, scene, findings)];
    }
    let resolve = |(index, parent)| self::parent(route, parent, index, scene, findings);
    written.iter().enumerate().filter_map(resolve).collect()
}

fn own_namespace(route: &Key, scene: &Scene, findings: &mut Findings) -> Parent<'static> {
    let namespace = &route.namespace;
    let gateways = scene.world.gateways.keys().filter(|gateway| gateway.namespace == *namespace);
    let gateways: Vec<Key> = gateways.cloned().collect();
    if gateways.is_empty() {
        let message = format!(
            "namespace {namespace} has no ProxyGateway; create one, or name one of another namespace"
        );
        findings.refuse("spec.parentRefs", Reason::RefNotFound, message);
    }
    Parent { gateways, section: None, port: None }
}

/// What is wrong is told here; that the gateway's VIP is not this node's is nothing wrong.
fn parent<'a>(
    route: &Key,
    written: &'a ParentRef,
    index: usize,
    scene: &Scene,
    findings: &mut Findings,
) -> Option<Parent<'a>> {
    let ParentRef { name, namespace, section_name, port } = written;
    let field = format!("spec.parentRefs[{index}]");
    let key = refs::key(&route.namespace, namespace.as_ref(), name);
    let key = findings.valid(format!("{field}.name"), key)?;
    let Some(gateway) = scene.world.gateways.get(&key) else {
        let message = format!("there is no ProxyGateway {key}; create it, or name another");
        findings.refuse(format!("{field}.name"), Reason::RefNotFound, message);
        return None;
    };
    if let Err(message) = refs::permitted("ProxyGateway", &key, &gateway.metadata, &route.namespace) {
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
    Some(Parent { gateways: vec![key], section: section_name.as_deref(), port: *port })
}

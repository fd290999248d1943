//! `spec.parentRefs[]` → the gateways, or single listeners, that a route is for.

use super::gateway::{Offer, Takes};
use super::memo::Same;
use super::refs;
use super::rejection::Findings;
use crate::api::ProxyGateway;
use crate::api::condition::Reason;
use crate::api::listener::Protocol;
use crate::api::route::{ParentRef, ProxyRoute};
use crate::model::name::Key;

/// A parent, resolved.
#[derive(Debug)]
pub struct Parent {
    /// `None`: all of the route's namespace.
    pub gateway: Option<Key>,
    section: Option<String>,
    port: Option<u16>,
}

impl Parent {
    /// Which listeners of its gateways are meant. A TCP listener has to be named, since nothing in a
    /// connection tells which route it is for.
    pub fn means(&self, offer: &Offer) -> bool {
        let named = self.section.is_some() || self.port.is_some();
        self.section.as_ref().is_none_or(|section| *section == offer.section)
            && self.port.is_none_or(|port| port == offer.at.port.get())
            && (named || matches!(offer.takes, Takes::Http(_)))
    }
}

/// `gateways`: those that are written, in their order; `None`: there is no such gateway.
pub fn parents(
    route: &Key,
    object: &ProxyRoute,
    gateways: &[Option<Same<ProxyGateway>>],
    has_neighbour: bool,
    findings: &mut Findings,
) -> Vec<Parent> {
    let written = &object.spec.parent_refs;
    if written.is_empty() {
        return vec![own_namespace(route, has_neighbour, findings)];
    }
    let resolve = |(index, (parent, gateway)): (usize, (&ParentRef, &Option<_>))| {
        self::parent(route, parent, index, gateway.as_ref(), findings)
    };
    written.iter().zip(gateways).enumerate().filter_map(resolve).collect()
}

fn own_namespace(route: &Key, has_neighbour: bool, findings: &mut Findings) -> Parent {
    let namespace = &route.namespace;
    if !has_neighbour {
        let message = format!(
            "namespace {namespace} has no ProxyGateway; create one, or name one of another namespace"
        );
        findings.refuse("spec.parentRefs", Reason::RefNotFound, message);
    }
    Parent { gateway: None, section: None, port: None }
}

/// What is wrong is told here; that the gateway's VIP is not this node's is nothing wrong.
fn parent(
    route: &Key,
    written: &ParentRef,
    index: usize,
    gateway: Option<&Same<ProxyGateway>>,
    findings: &mut Findings,
) -> Option<Parent> {
    let ParentRef { name, namespace, section_name, port } = written;
    let field = format!("spec.parentRefs[{index}]");
    let key = refs::key(&route.namespace, namespace.as_ref(), name);
    let key = findings.valid(format!("{field}.name"), key)?;
    let Some(gateway) = gateway else {
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
    Some(Parent { gateway: Some(key), section: section_name.clone(), port: *port })
}

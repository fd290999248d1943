//! `ProxyGateway` → what each of its listeners offers to take in.

use super::rejection::{Findings, Rejection};
use super::scene::{Scene, Seniority};
use super::vips::Vips;
use crate::api::condition::Reason;
use crate::api::gateway::{GatewaySpec, ProxyGateway};
use crate::api::listener::{Listener as Written, Protocol};
use crate::model::http::Hostname;
use crate::model::listener::ListenerKey;
use crate::model::name::{Key, Name};
use crate::model::net::Port;
use std::collections::BTreeSet;

/// A listener of a gateway that can be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub gateway: Key,
    pub section: String,
    /// Its place in the gateway.
    pub index: usize,
    pub at: ListenerKey,
    pub takes: Takes,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Takes {
    /// Requests for these hosts; at least one.
    Http(Vec<Hostname>),
    Tcp,
}

impl Offer {
    pub fn seniority(&self, scene: &Scene, serving: bool) -> Seniority<(Key, usize)> {
        let default = Default::default();
        let metadata = scene.world.gateways.get(&self.gateway).map_or(&default, |gateway| &gateway.metadata);
        Seniority::new(metadata, serving, (self.gateway.clone(), self.index))
    }

    /// As `Accepted` remembers it.
    pub fn id(&self) -> String {
        format!("{}/{}", self.gateway, self.section)
    }

    pub fn field(&self) -> String {
        format!("spec.listeners[{}]", self.index)
    }
}

pub fn offers(scene: &Scene, vips: &Vips, rejections: &mut Vec<Rejection>) -> Vec<Offer> {
    let mut offers = Vec::new();
    for (key, object) in &scene.world.gateways {
        let mut findings = Findings::about("ProxyGateway", key);
        offers.extend(gateway(key, object, scene, vips, &mut findings).unwrap_or_default());
        rejections.extend(findings.into_rejections());
    }
    offers
}

/// A listener that is refused is left out; anything else that is refused refuses the gateway.
fn gateway(
    key: &Key,
    object: &ProxyGateway,
    scene: &Scene,
    vips: &Vips,
    findings: &mut Findings,
) -> Option<Vec<Offer>> {
    let GatewaySpec { vip_ref, listeners, redirect_scheme, compression, access_log, custom_error_pages } =
        &object.spec;
    let vip = findings.whole(|findings| {
        findings.absent("spec.redirectScheme", redirect_scheme.as_ref().filter(|redirect| redirect.enabled));
        findings.absent("spec.compression", compression.as_ref().filter(|compression| compression.enabled));
        findings.absent("spec.accessLog", access_log.as_ref().filter(|log| log.enabled));
        findings.absent("spec.customErrorPages", custom_error_pages.first());
        vip(key, vip_ref, scene, vips, findings)
    })?;
    let mut names = BTreeSet::new();
    let mut offers = Vec::new();
    for (index, listener) in listeners.iter().enumerate() {
        let field = format!("spec.listeners[{index}]");
        if !names.insert(&listener.name) {
            let message =
                format!("a listener {:?} is there already; give each a name of its own", listener.name);
            findings.refuse(format!("{field}.name"), Reason::Duplicate, message);
            continue;
        }
        let offered = findings.whole(|findings| self::listener(listener, &field, &vip, vips, findings));
        offers.extend(offered.map(|(port, takes)| Offer {
            gateway: key.clone(),
            section: listener.name.clone(),
            index,
            at: ListenerKey { vip: vip.clone(), port },
            takes,
        }));
    }
    Some(offers)
}

/// `None` without a word: the VIP has its own rejection.
fn vip(gateway: &Key, reference: &str, scene: &Scene, vips: &Vips, findings: &mut Findings) -> Option<Name> {
    let name = Name::parse(reference).ok().filter(|name| scene.world.vips.contains_key(name));
    let Some(name) = name else {
        let message = format!("there is no ProxyVIP {reference}; create it, or name another");
        findings.refuse("spec.vipRef", Reason::RefNotFound, message);
        return None;
    };
    let used = vips.used.get(&name)?;
    let allowed = used.version.draft.allowed_namespaces.as_ref();
    if allowed.is_some_and(|allowed| !allowed.contains(gateway.namespace.as_str())) {
        let message = format!(
            "ProxyVIP {name} is not open to namespace {0}; add {0} to its spec.allowedNamespaces",
            gateway.namespace
        );
        findings.refuse("spec.vipRef", Reason::NamespaceNotAllowed, message);
        return None;
    }
    Some(name)
}

fn listener(
    written: &Written,
    field: &str,
    vip: &Name,
    vips: &Vips,
    findings: &mut Findings,
) -> Option<(Port, Takes)> {
    let Written {
        name: _,
        port,
        protocol,
        hostnames,
        tls,
        ssl_redirect,
        redirect_scheme,
        proxy_protocol,
        max_request_body_size,
        allowed_source_ranges,
    } = written;
    let takes = takes(*protocol, hostnames, field, findings);
    if takes.is_some() {
        // With a protocol that is refused anyway, these are no further news.
        foreign(field, "tls", tls.is_some(), findings);
        foreign(field, "sslRedirect", *ssl_redirect == Some(true), findings);
    }
    let redirects = redirect_scheme.as_ref().filter(|redirect| redirect.enabled);
    findings.absent(format!("{field}.redirectScheme"), redirects);
    let named = proxy_protocol.as_ref().filter(|protocol| protocol.enabled);
    findings.absent(format!("{field}.proxyProtocol"), named);
    findings.absent(format!("{field}.maxRequestBodySize"), max_request_body_size.as_ref());
    findings.absent(format!("{field}.allowedSourceRanges"), allowed_source_ranges.first());
    let port = self::port(*port, field, vip, vips, findings);
    Some((port?, takes?))
}

fn takes(protocol: Protocol, hostnames: &[String], field: &str, findings: &mut Findings) -> Option<Takes> {
    let unsupported = match protocol {
        Protocol::Http => return self::hostnames(hostnames, field, findings).map(Takes::Http),
        Protocol::Tcp => {
            foreign(field, "hostnames", !hostnames.is_empty(), findings);
            return Some(Takes::Tcp);
        }
        Protocol::Https => "HTTPS",
        Protocol::Tls => "TLS",
        Protocol::Udp => "UDP",
    };
    let message = format!("protocol {unsupported} is not supported yet by this version; write HTTP or TCP");
    findings.refuse(format!("{field}.protocol"), Reason::NotSupported, message);
    None
}

/// A name that is refused is left out; a list of which nothing remains does not mean "all".
pub(super) fn hostnames(written: &[String], field: &str, findings: &mut Findings) -> Option<Vec<Hostname>> {
    if written.is_empty() {
        return Some(vec![Hostname::Any]);
    }
    let parse = |(index, text): (usize, &String)| {
        findings.valid(format!("{field}.hostnames[{index}]"), Hostname::parse(text))
    };
    let parsed: Vec<_> = written.iter().enumerate().filter_map(parse).collect();
    (!parsed.is_empty()).then_some(parsed)
}

fn foreign(field: &str, name: &str, present: bool, findings: &mut Findings) {
    if present {
        let message = format!("{name} does not belong to a listener of this protocol; remove it");
        findings.refuse(format!("{field}.{name}"), Reason::InvalidValue, message);
    }
}

fn port(number: u16, field: &str, vip: &Name, vips: &Vips, findings: &mut Findings) -> Option<Port> {
    let ports = &vips.used.get(vip)?.version.draft.ports;
    if let Some(port) = Port::new(number).filter(|port| ports.contains(port)) {
        return Some(port);
    }
    let has = ports.iter().map(Port::to_string).collect::<Vec<_>>().join(", ");
    let message =
        format!("ProxyVIP {vip} does not list port {number} (it has {has}); add it to its spec.ports");
    findings.refuse(format!("{field}.port"), Reason::PortNotInVip, message);
    None
}

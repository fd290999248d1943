//! `ProxyGateway` → what each of its listeners offers to take in.

use super::memo::{Made, Memo, Same};
use super::rejection::{Findings, Rejection};
use super::scene::{Scene, Seniority};
use super::vip::Draft;
use super::vips::Vips;
use crate::api::condition::Reason;
use crate::api::gateway::{GatewaySpec, ProxyGateway};
use crate::api::listener::{Listener, Protocol};
use crate::model::http::Hostname;
use crate::model::listener::ListenerKey;
use crate::model::name::{Key, Name};
use crate::model::net::Port;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A listener of a gateway that can be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub gateway: Key,
    pub section: String,
    /// Its place in the gateway.
    pub index: usize,
    pub at: ListenerKey,
    pub takes: Takes,
    /// As of one that is not in service.
    pub age: Seniority<(Key, usize)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Takes {
    /// Requests for these hosts; at least one.
    Http(Vec<Hostname>),
    Tcp,
}

impl Offer {
    /// As `Accepted` remembers it.
    pub fn id(&self) -> String {
        format!("{}/{}", self.gateway, self.section)
    }

    pub fn field(&self) -> String {
        format!("spec.listeners[{}]", self.index)
    }
}

/// All that [`read`] reads.
#[derive(Debug, PartialEq)]
pub struct Written {
    object: Same<ProxyGateway>,
    vip: TheVip,
}

/// The VIP that the gateway names.
#[derive(Debug, PartialEq)]
enum TheVip {
    Missing,
    /// It has its own rejection.
    Refused,
    Used(Same<Draft>),
}

/// What became of a gateway.
#[derive(Debug)]
pub struct Offered {
    pub offers: Vec<Arc<Offer>>,
    found: Vec<Rejection>,
}

pub type Memory = Memo<Key, Written, Offered>;

pub fn offers<'m>(
    scene: &Scene,
    vips: &Vips,
    memory: &'m mut Memory,
    rejections: &mut Vec<Rejection>,
) -> &'m [Made<Key, Written, Offered>] {
    let inputs = scene.world.gateways.iter().map(|(key, object)| {
        let vip = match vips.used.get(object.spec.vip_ref.as_str()) {
            Some(used) => TheVip::Used(Same::of(&used.version.draft)),
            None if scene.world.vips.contains_key(object.spec.vip_ref.as_str()) => TheVip::Refused,
            None => TheVip::Missing,
        };
        (key.clone(), Written { object: Same::of(object), vip })
    });
    let made = memory.of_each(inputs, read);
    rejections.extend(made.iter().flat_map(|made| &made.output.found).cloned());
    made
}

/// A stage of the compiler (see [`super::memo`]).
fn read(key: &Key, Written { object, vip }: &Written) -> Offered {
    let mut findings = Findings::about("ProxyGateway", key);
    let offers = gateway(key, object, vip, &mut findings).unwrap_or_default();
    Offered { offers: offers.into_iter().map(Arc::new).collect(), found: findings.into_rejections() }
}

/// A listener that is refused is left out; anything else that is refused refuses the gateway.
fn gateway(
    key: &Key,
    object: &ProxyGateway,
    the_vip: &TheVip,
    findings: &mut Findings,
) -> Option<Vec<Offer>> {
    let GatewaySpec { vip_ref, listeners, redirect_scheme, compression, access_log, custom_error_pages } =
        &object.spec;
    let (vip, draft) = findings.whole(|findings| {
        findings.absent("spec.redirectScheme", redirect_scheme.as_ref().filter(|redirect| redirect.enabled));
        findings.absent("spec.compression", compression.as_ref().filter(|compression| compression.enabled));
        findings.absent("spec.accessLog", access_log.as_ref().filter(|log| log.enabled));
        findings.absent("spec.customErrorPages", custom_error_pages.first());
        vip(key, vip_ref, the_vip, findings)
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
        let offered = findings.whole(|findings| self::listener(listener, &field, &vip, draft, findings));
        offers.extend(offered.map(|(port, takes)| Offer {
            gateway: key.clone(),
            section: listener.name.clone(),
            index,
            at: ListenerKey { vip: vip.clone(), port },
            takes,
            age: Seniority::new(&object.metadata, false, (key.clone(), index)),
        }));
    }
    Some(offers)
}

/// `None` without a word: the VIP has its own rejection.
fn vip<'v>(
    gateway: &Key,
    reference: &str,
    vip: &'v TheVip,
    findings: &mut Findings,
) -> Option<(Name, &'v Draft)> {
    let (name, draft) = match (Name::parse(reference), vip) {
        (Ok(name), TheVip::Used(draft)) => (name, draft),
        (Ok(_), TheVip::Refused) => return None,
        (Err(_), _) | (_, TheVip::Missing) => {
            let message = format!("there is no ProxyVIP {reference}; create it, or name another");
            findings.refuse("spec.vipRef", Reason::RefNotFound, message);
            return None;
        }
    };
    let allowed = draft.terms.allowed_namespaces.as_ref();
    if allowed.is_some_and(|allowed| !allowed.contains(gateway.namespace.as_str())) {
        let message = format!(
            "ProxyVIP {name} is not open to namespace {0}; add {0} to its spec.allowedNamespaces",
            gateway.namespace
        );
        findings.refuse("spec.vipRef", Reason::NamespaceNotAllowed, message);
        return None;
    }
    Some((name, draft))
}

fn listener(
    written: &Listener,
    field: &str,
    vip: &Name,
    draft: &Draft,
    findings: &mut Findings,
) -> Option<(Port, Takes)> {
    let Listener {
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
    let port = self::port(*port, field, vip, &draft.terms.ports, findings);
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

fn port(
    number: u16,
    field: &str,
    vip: &Name,
    ports: &BTreeSet<Port>,
    findings: &mut Findings,
) -> Option<Port> {
    if let Some(port) = Port::new(number).filter(|port| ports.contains(port)) {
        return Some(port);
    }
    let has = ports.iter().map(Port::to_string).collect::<Vec<_>>().join(", ");
    let message =
        format!("ProxyVIP {vip} does not list port {number} (it has {has}); add it to its spec.ports");
    findings.refuse(format!("{field}.port"), Reason::PortNotInVip, message);
    None
}

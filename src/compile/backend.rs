//! `ProxyBackend` → an upstream group.

use super::memo::{Memo, Same};
use super::rejection::{Findings, Rejection};
use super::scene::Scene;
use crate::api::backend::{
    BackendProtocol, BackendSpec, Endpoint as Written, LbPolicy as WrittenPolicy, ProxyBackend, TrafficPolicy,
};
use crate::api::condition::Reason;
use crate::api::duration::Duration;
use crate::model::backend::{Backend, Endpoint, LbPolicy, UpstreamProtocol};
use crate::model::name::{Key, Name};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// A backend with the endpoints of all nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    backend: Arc<Backend>,
    policy: TrafficPolicy,
}

impl Upstream {
    /// Whether nodes use different endpoints.
    pub fn differs_by_node(&self) -> bool {
        self.policy == TrafficPolicy::Local
    }

    /// As the node uses it.
    pub fn at(&self, node: &Name) -> Arc<Backend> {
        let Self { backend, policy } = self;
        if *policy == TrafficPolicy::Cluster {
            return Arc::clone(backend);
        }
        let mut own = Backend::clone(backend);
        own.endpoints.retain(|endpoint| endpoint.node.as_ref() == Some(node));
        Arc::new(own)
    }
}

/// What became of a ProxyBackend.
#[derive(Debug)]
pub struct Read {
    pub object: Same<ProxyBackend>,
    /// `None`: it is refused.
    pub upstream: Option<Upstream>,
    found: Vec<Rejection>,
}

pub type Upstreams = BTreeMap<Key, Arc<Read>>;

pub type Memory = Memo<Key, Same<ProxyBackend>, Read>;

pub fn compile(scene: &Scene, memory: &mut Memory, rejections: &mut Vec<Rejection>) -> Upstreams {
    let inputs = scene.world.backends.iter().map(|(key, object)| (key.clone(), Same::of(object)));
    let made = memory.of_each(inputs, read);
    rejections.extend(made.iter().flat_map(|made| &made.output.found).cloned());
    made.iter().map(|made| (made.key.clone(), Arc::clone(&made.output))).collect()
}

/// A stage of the compiler (see [`super::memo`]).
fn read(key: &Key, object: &Same<ProxyBackend>) -> Read {
    let mut findings = Findings::about("ProxyBackend", key);
    let upstream = backend(object, &mut findings);
    Read { object: object.clone(), upstream, found: findings.into_rejections() }
}

/// An endpoint that is refused is left out; anything else that is refused refuses the backend.
fn backend(object: &ProxyBackend, findings: &mut Findings) -> Option<Upstream> {
    let BackendSpec {
        service_ref,
        endpoints,
        traffic_policy,
        lb_policy,
        connect_timeout,
        idle_timeout,
        protocol,
        tls,
        connection_pool,
        session_affinity,
        slow_start,
        upstream_proxy_protocol,
        health_check,
        circuit_breaker,
    } = &object.spec;
    let mut backend = findings.whole(|findings| {
        findings.absent("spec.serviceRef", service_ref.as_ref());
        findings.absent("spec.tls", tls.as_ref());
        findings.absent("spec.connectionPool", connection_pool.as_ref());
        findings.absent("spec.sessionAffinity", session_affinity.as_ref());
        findings.absent("spec.slowStart", slow_start.filter(|time| !time.get().is_zero()).as_ref());
        let sends_header = upstream_proxy_protocol.as_ref().filter(|protocol| protocol.enabled);
        findings.absent("spec.upstreamProxyProtocol", sends_header);
        findings.absent("spec.circuitBreaker", circuit_breaker.as_ref());
        if endpoints.is_empty() && service_ref.is_none() {
            findings.refuse(
                "spec.endpoints",
                Reason::Missing,
                "write the endpoints, each with address and port",
            );
        }
        let policy = policy(*lb_policy, findings);
        let protocol = self::protocol(*protocol, findings);
        let connect_timeout = positive("spec.connectTimeout", *connect_timeout, findings);
        let idle_timeout = positive("spec.idleTimeout", *idle_timeout, findings);
        let health_check = super::health::check(health_check.as_ref(), findings);
        Some(Backend {
            endpoints: Vec::new(),
            policy: policy?,
            protocol: protocol?,
            connect_timeout: connect_timeout?,
            idle_timeout: idle_timeout?,
            health_check: health_check?,
        })
    })?;
    backend.endpoints = self::endpoints(endpoints, *traffic_policy, findings);
    Some(Upstream { backend: Arc::new(backend), policy: *traffic_policy })
}

pub(super) fn positive(
    field: &str,
    written: Duration,
    findings: &mut Findings,
) -> Option<std::time::Duration> {
    let time = written.get();
    findings.valid(field, if time.is_zero() { Err("write a time longer than 0s") } else { Ok(time) })
}

fn policy(written: WrittenPolicy, findings: &mut Findings) -> Option<LbPolicy> {
    match written {
        WrittenPolicy::RoundRobin => Some(LbPolicy::RoundRobin),
        WrittenPolicy::P2C => Some(LbPolicy::P2c),
        WrittenPolicy::Ewma => Some(LbPolicy::Ewma),
        WrittenPolicy::LeastConn
        | WrittenPolicy::RingHash
        | WrittenPolicy::Maglev
        | WrittenPolicy::SourceHash
        | WrittenPolicy::Sticky => {
            let message = format!(
                "lbPolicy {written:?} is not supported yet by this version; write RoundRobin, P2C or EWMA"
            );
            findings.refuse("spec.lbPolicy", Reason::NotSupported, message);
            None
        }
    }
}

fn protocol(written: BackendProtocol, findings: &mut Findings) -> Option<UpstreamProtocol> {
    let unsupported = match written {
        BackendProtocol::Http => return Some(UpstreamProtocol::Http1),
        BackendProtocol::H2C => return Some(UpstreamProtocol::H2c),
        BackendProtocol::Tcp => return Some(UpstreamProtocol::Tcp),
        BackendProtocol::Https => "HTTPS",
        BackendProtocol::Grpc => "gRPC",
        BackendProtocol::Udp => "UDP",
    };
    let message =
        format!("protocol {unsupported} is not supported yet by this version; write HTTP, H2C or TCP");
    findings.refuse("spec.protocol", Reason::NotSupported, message);
    None
}

fn endpoints(written: &[Written], policy: TrafficPolicy, findings: &mut Findings) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for (index, written) in written.iter().enumerate() {
        let field = format!("spec.endpoints[{index}]");
        let Some(endpoint) = findings.whole(|findings| endpoint(written, policy, &field, findings)) else {
            continue;
        };
        if endpoints.iter().any(|other| other.address == endpoint.address) {
            let message = format!("{} is in the list twice; keep one", endpoint.address);
            findings.refuse(field, Reason::InvalidValue, message);
        } else {
            endpoints.push(endpoint);
        }
    }
    endpoints
}

fn endpoint(
    written: &Written,
    policy: TrafficPolicy,
    field: &str,
    findings: &mut Findings,
) -> Option<Endpoint> {
    let Written { address, port, weight, node_name } = written;
    let message = format!("{address:?} is not an IP address; write the endpoint's, like 10.0.0.11");
    let usable = address.parse().ok().filter(|ip: &IpAddr| !ip.is_unspecified() && !ip.is_multicast());
    let ip = findings.valid(format!("{field}.address"), usable.ok_or(message));
    if *port == 0 {
        findings.refuse(format!("{field}.port"), Reason::InvalidValue, "a port is 1 to 65535");
    }
    let field = format!("{field}.nodeName");
    if policy == TrafficPolicy::Local && node_name.is_none() {
        let message = "trafficPolicy Local needs to know the endpoint's node; write its name";
        findings.refuse(&field, Reason::Missing, message);
    }
    let node = match node_name {
        Some(name) => Some(findings.valid(field, Name::parse(name.as_str()))?),
        None => None,
    };
    Some(Endpoint { address: SocketAddr::new(ip?, *port), weight: *weight, node })
}

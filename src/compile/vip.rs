//! `ProxyVIP` → what all nodes make of it.

use super::address;
use super::memo::Same;
use super::needs::needs;
use super::rejection::{Findings, Rejection};
use super::resources::Resources;
use super::shape::{Met, Shape, ShapeKey};
use crate::api::ProxyVIPTemplate;
use crate::api::condition::Reason;
use crate::api::vip::{Drain, DrainTrigger, HealthPolicy, Mode, ProxyVIP, VipSpec};
use crate::model::capability::Field;
use crate::model::name::Name;
use crate::model::net::Port;
use crate::model::vip::Addresses;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// A spec that can be used.
#[derive(Debug)]
pub struct Draft {
    pub addresses: Addresses,
    pub terms: Arc<Terms>,
    pub shape: Arc<Shape>,
}

/// What is the VIP's own business.
#[derive(Debug)]
pub struct Terms {
    pub ports: BTreeSet<Port>,
    /// Whose gateways and Services may use the VIP; `None`: everybody's.
    pub allowed_namespaces: Option<BTreeSet<String>>,
    pub min_healthy_nodes: u32,
    pub withdraw_when_no_backends: bool,
    /// What counts as a wish to leave.
    pub drain_on: BTreeSet<DrainTrigger>,
    pub drain_period: Duration,
    /// What not every routing daemon carries out.
    pub needs: BTreeSet<Field>,
}

/// All that [`read`] reads.
#[derive(Debug, PartialEq)]
pub struct Written {
    pub object: Same<ProxyVIP>,
    /// That the VIP names, if there is one.
    pub template: Option<Same<ProxyVIPTemplate>>,
    pub given: Given,
}

/// Addresses that the VIP has from pools. `None`: nobody here gives any out.
pub type Given = Option<Option<Addresses>>;

/// A VIP as far as it can be understood by itself.
#[derive(Debug)]
pub struct Reading {
    /// With everything that the template gives; `None`: the template is missing.
    pub spec: Option<Arc<VipSpec>>,
    pub addresses: Option<Addresses>,
    terms: Option<Arc<Terms>>,
    pub shape: Option<ShapeKey>,
    found: Vec<Rejection>,
}

/// All that [`draft`] reads.
#[derive(Debug, PartialEq)]
pub struct Understood {
    pub reading: Same<Reading>,
    pub shape: Option<Same<Met>>,
}

/// What became of it.
#[derive(Debug)]
pub struct Drafted {
    /// `None`: it is refused.
    pub draft: Option<Arc<Draft>>,
    pub found: Vec<Rejection>,
}

/// A VIP as it is written. All that is wrong is taken down in one go. A stage of the compiler (see
/// [`super::memo`]), as are the next two.
pub fn read(name: &Name, written: &Written) -> Reading {
    let Written { object, template, given } = written;
    let mut findings = Findings::about("ProxyVIP", name);
    match spec(object, template.as_deref(), &mut findings) {
        Some(spec) => {
            let addresses = addresses(&spec, *given, &mut findings);
            reading(Arc::new(spec), addresses, findings)
        }
        None => Reading {
            spec: None,
            addresses: None,
            terms: None,
            shape: None,
            found: findings.into_rejections(),
        },
    }
}

/// A VIP as it was last in use.
pub fn read_again(name: &Name, (spec, addresses): &(Same<VipSpec>, Addresses)) -> Reading {
    reading(Arc::clone(&spec.0), Some(*addresses), Findings::about("ProxyVIP", name))
}

/// With the shape that it has in common with others.
pub fn draft(name: &Name, understood: &Understood) -> Drafted {
    let Understood { reading, shape: met } = understood;
    let mut findings = Findings::about("ProxyVIP", name);
    findings.repeat(&reading.found);
    let shape = met.as_ref().and_then(|met| {
        findings.repeat(&met.found);
        met.shape.clone()
    });
    let draft = match (reading.addresses, reading.terms.clone(), shape) {
        (Some(addresses), Some(terms), Some(shape)) => {
            let carried = shape.carries(addresses, &mut findings);
            carried.map(|()| Arc::new(Draft { addresses, terms, shape }))
        }
        _ => None,
    };
    Drafted { draft, found: findings.into_rejections() }
}

/// The template that the VIP names.
pub fn template<'a>(vip: &ProxyVIP, world: &'a Resources) -> Option<&'a Arc<ProxyVIPTemplate>> {
    world.templates.get(vip.spec.template_ref.as_ref()?.name.as_str())
}

/// The spec with everything that the template gives.
pub fn spec(vip: &ProxyVIP, template: Option<&ProxyVIPTemplate>, findings: &mut Findings) -> Option<VipSpec> {
    let Some(reference) = &vip.spec.template_ref else { return Some(vip.spec.clone()) };
    if template.is_none() {
        let message = format!("there is no ProxyVIPTemplate {}; create it, or name another", reference.name);
        findings.refuse("spec.templateRef.name", Reason::RefNotFound, message);
    }
    Some(vip.spec.clone().inherit(&template?.spec))
}

/// The addresses that the spec asks for; `None`: it has none, or none yet. What the spec does not write comes
/// from a pool.
fn addresses(spec: &VipSpec, pools: Given, findings: &mut Findings) -> Option<Addresses> {
    let given = pools.flatten().filter(|_| spec.pool_ref.is_some());
    let Some(given) = given else { return address::written(spec, pools.is_some(), findings) };
    let v4 = given.ipv4().map(|address| address.to_string());
    let v6 = given.ipv6().map(|address| address.to_string());
    let (address, ipv6_address) = match (&spec.address, v4) {
        // What is written is the IPv6 address.
        (Some(written), Some(v4)) => (Some(v4), Some(written.clone())),
        (Some(written), None) => (Some(written.clone()), v6.or_else(|| spec.ipv6_address.clone())),
        (None, v4) => (v4, v6.or_else(|| spec.ipv6_address.clone())),
    };
    let whole = VipSpec { address, ipv6_address, ..spec.clone() };
    address::written(&whole, true, findings)
}

fn reading(spec: Arc<VipSpec>, addresses: Option<Addresses>, mut findings: Findings) -> Reading {
    let terms = terms(&spec, &mut findings).map(Arc::new);
    let shape = ShapeKey::of(&spec);
    Reading { spec: Some(spec), addresses, terms, shape, found: findings.into_rejections() }
}

fn terms(spec: &VipSpec, findings: &mut Findings) -> Option<Terms> {
    let VipSpec {
        mode,
        template_ref: _,
        // These four are the business of `address` and `ipam`.
        address: _,
        ipv6_address: _,
        address_family: _,
        pool_ref: _,
        ports,
        health_policy,
        allowed_namespaces,
        // Auto is off, with a reason, where it cannot work: everywhere in this version.
        flow_keeping: _,
        interface,
        l2,
        drain,
        withdraw_when_no_backends,
        bgp_config,
        ospf_config,
        // These are the business of `shape`.
        node_selector: _,
        bfd: _,
    } = spec;
    let default = Drain::default();
    let Drain { on, period } = drain.as_ref().unwrap_or(&default);
    let (ports, min_healthy_nodes) = findings.whole(|findings| {
        blocks_fit_the_mode(*mode, bgp_config.is_some(), ospf_config.is_some(), findings);
        foreign("spec.interface", interface.is_some(), Mode::L2ARP, *mode, findings);
        foreign("spec.l2", l2.is_some(), Mode::L2ARP, *mode, findings);
        let ports = self::ports(ports, findings);
        let min_healthy_nodes = min_healthy_nodes(health_policy.as_ref(), findings);
        Some((ports?, min_healthy_nodes?))
    })?;
    Some(Terms {
        ports,
        allowed_namespaces: allowed_namespaces.as_ref().map(|names| names.iter().cloned().collect()),
        min_healthy_nodes,
        withdraw_when_no_backends: withdraw_when_no_backends.unwrap_or(true),
        drain_on: on.iter().copied().collect(),
        drain_period: period.get(),
        needs: needs(spec),
    })
}

fn blocks_fit_the_mode(mode: Option<Mode>, bgp: bool, ospf: bool, findings: &mut Findings) {
    match mode {
        Some(Mode::Bgp) if !bgp => {
            findings.refuse("spec.bgpConfig", Reason::Missing, "mode BGP needs bgpConfig: localAS and peers");
        }
        Some(Mode::Ospf) if !ospf => {
            findings.refuse("spec.ospfConfig", Reason::Missing, "mode OSPF needs ospfConfig: areaID");
        }
        Some(Mode::Bgp | Mode::Ospf) => {}
        Some(Mode::L2ARP) => {
            let message = "mode L2ARP is not supported yet by this version; write BGP or OSPF";
            findings.refuse("spec.mode", Reason::NotSupported, message);
        }
        None => {
            let message = "mode is required: BGP or OSPF (here, or in the template)";
            findings.refuse("spec.mode", Reason::Missing, message);
        }
    }
    foreign("spec.bgpConfig", bgp, Mode::Bgp, mode, findings);
    foreign("spec.ospfConfig", ospf, Mode::Ospf, mode, findings);
}

/// What belongs to another mode than the VIP has. Of a mode that cannot be used, nothing more is said.
fn foreign(field: &str, present: bool, of: Mode, mode: Option<Mode>, findings: &mut Findings) {
    if present && matches!(mode, Some(Mode::Bgp | Mode::Ospf)) && mode != Some(of) {
        let name = match of {
            Mode::L2ARP => "L2ARP",
            Mode::Bgp => "BGP",
            Mode::Ospf => "OSPF",
        };
        let message = format!("{field} belongs to mode {name}; remove it");
        findings.refuse(field, Reason::InvalidValue, message);
    }
}

fn ports(written: &[u16], findings: &mut Findings) -> Option<BTreeSet<Port>> {
    let mut ports = BTreeSet::new();
    if written.is_empty() {
        findings.refuse(
            "spec.ports",
            Reason::Missing,
            "write the ports that the VIP serves, like 80 and 443",
        );
    }
    for (index, number) in written.iter().enumerate() {
        let field = format!("spec.ports[{index}]");
        match Port::new(*number) {
            None => findings.refuse(field, Reason::InvalidValue, "a port is 1 to 65535"),
            Some(port) if !ports.insert(port) => {
                findings.refuse(
                    field,
                    Reason::InvalidValue,
                    format!("port {port} is in the list twice; keep one"),
                );
            }
            Some(_) => {}
        }
    }
    Some(ports)
}

fn min_healthy_nodes(written: Option<&HealthPolicy>, findings: &mut Findings) -> Option<u32> {
    let Some(HealthPolicy { min_healthy_nodes }) = written else { return Some(1) };
    let least = if *min_healthy_nodes > 0 { Ok(*min_healthy_nodes) } else { Err("write 1 or more") };
    findings.valid("spec.healthPolicy.minHealthyNodes", least)
}

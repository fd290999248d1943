//! `ProxyVIP` → what all nodes make of it.

use super::address;
use super::needs::needs;
use super::rejection::Findings;
use super::resources::Resources;
use super::scene::Allocations;
use super::shape::{Config, Shape, Shapes};
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
    pub shape: Arc<Shape>,
}

/// The spec with everything that the template gives.
pub fn spec(vip: &ProxyVIP, world: &Resources, findings: &mut Findings) -> Option<VipSpec> {
    let Some(reference) = &vip.spec.template_ref else { return Some(vip.spec.clone()) };
    let name = &reference.name;
    let template = Name::parse(name.clone()).ok().and_then(|name| world.templates.get(&name));
    if template.is_none() {
        let message = format!("there is no ProxyVIPTemplate {name}; create it, or name another");
        findings.refuse("spec.templateRef.name", Reason::RefNotFound, message);
    }
    Some(vip.spec.clone().inherit(&template?.spec))
}

/// The addresses that the spec asks for; `None`: it has none, or none yet. What the spec does not write comes
/// from a pool.
pub fn addresses(
    name: &Name,
    spec: &VipSpec,
    pools: Option<&Allocations>,
    findings: &mut Findings,
) -> Option<Addresses> {
    let given = pools.filter(|_| spec.pool_ref.is_some()).and_then(|given| given.get(name));
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

/// All that is wrong is taken down in one go.
pub fn draft(
    spec: &VipSpec,
    addresses: Option<Addresses>,
    shapes: &mut Shapes,
    findings: &mut Findings,
) -> Option<Draft> {
    let VipSpec {
        mode,
        template_ref: _,
        // These four are the business of `address` and `ipam`.
        address: _,
        ipv6_address: _,
        address_family: _,
        pool_ref: _,
        ports,
        node_selector,
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
        bfd,
    } = spec;
    let default = Drain::default();
    let Drain { on, period } = drain.as_ref().unwrap_or(&default);
    let own = findings.whole(|findings| {
        blocks_fit_the_mode(*mode, bgp_config.is_some(), ospf_config.is_some(), findings);
        foreign("spec.interface", interface.is_some(), Mode::L2ARP, *mode, findings);
        foreign("spec.l2", l2.is_some(), Mode::L2ARP, *mode, findings);
        let ports = self::ports(ports, findings);
        let min_healthy_nodes = min_healthy_nodes(health_policy.as_ref(), findings);
        Some((ports?, min_healthy_nodes?))
    });
    let config = Config::of(*mode, bgp_config.as_ref(), ospf_config.as_ref())?;
    let shape = shapes.of((node_selector.as_ref(), config, bfd.as_ref()), findings);
    let ((ports, min_healthy_nodes), addresses, shape) = (own?, addresses?, shape?);
    shape.carries(addresses, findings)?;
    Some(Draft {
        addresses,
        ports,
        allowed_namespaces: allowed_namespaces.as_ref().map(|names| names.iter().cloned().collect()),
        min_healthy_nodes,
        withdraw_when_no_backends: withdraw_when_no_backends.unwrap_or(true),
        drain_on: on.iter().copied().collect(),
        drain_period: period.get(),
        needs: needs(spec),
        shape,
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

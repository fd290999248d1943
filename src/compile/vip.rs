//! `ProxyVIP` → a VIP of this node.

use super::bfd;
use super::bgp::{self, BgpWish};
use super::here::Here;
use super::rejection::Findings;
use super::selector::Selector;
use crate::api::condition::Reason;
use crate::api::vip::{Drain, HealthPolicy, Mode, ProxyVIP, VipSpec};
use crate::model::name::Name;
use crate::model::net::Port;
use std::collections::BTreeSet;
use std::time::Duration;

/// All of a VIP but its addresses, as far as this node is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub ports: BTreeSet<Port>,
    pub wish: BgpWish,
    pub min_healthy_nodes: u32,
    pub withdraw_when_no_backends: bool,
    pub drain_period: Duration,
}

/// What the nodes make of a VIP that is well-formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// This node is no candidate.
    Elsewhere,
    /// It is, but lacks something that the VIP needs of it.
    Unfit,
    Here(Box<Candidate>),
}

/// The spec with everything that the template gives.
pub fn spec(vip: &ProxyVIP, here: &Here, findings: &mut Findings) -> Option<VipSpec> {
    let Some(reference) = &vip.spec.template_ref else { return Some(vip.spec.clone()) };
    let name = &reference.name;
    let template = Name::parse(name.clone()).ok().and_then(|name| here.world.templates.get(&name));
    if template.is_none() {
        let message = format!("there is no ProxyVIPTemplate {name}; create it, or name another");
        findings.refuse("spec.templateRef.name", Reason::RefNotFound, message);
    }
    Some(vip.spec.clone().inherit(&template?.spec))
}

pub fn verdict(spec: &VipSpec, here: &Here, findings: &mut Findings) -> Option<Verdict> {
    let VipSpec {
        mode,
        template_ref: _,
        // These three are the business of `address`.
        address: _,
        ipv6_address: _,
        address_family: _,
        pool_ref: _,
        ports,
        node_selector,
        health_policy,
        // `gateway` asks for it.
        allowed_namespaces: _,
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
    let (selector, ports, min_healthy_nodes, drain_period, bfd, block) = findings.whole(|findings| {
        mode_is_bgp(*mode, findings);
        if *mode == Some(Mode::Bgp) {
            foreign("spec.interface", interface.is_some(), "L2ARP", findings);
            foreign("spec.l2", l2.is_some(), "L2ARP", findings);
            foreign("spec.ospfConfig", ospf_config.is_some(), "OSPF", findings);
        }
        if *mode == Some(Mode::Bgp) && bgp_config.is_none() {
            findings.refuse("spec.bgpConfig", Reason::Missing, "mode BGP needs bgpConfig: localAS and peers");
        }
        let selector = Selector::parse(node_selector.as_ref(), "spec.nodeSelector", findings);
        let ports = self::ports(ports, findings);
        let min_healthy_nodes = min_healthy_nodes(health_policy.as_ref(), findings);
        let drain_period = drain_period(drain.as_ref(), findings);
        let bfd = bfd::profile(bfd.as_ref(), findings);
        let block = bgp::block(bgp_config.as_ref()?, findings);
        Some((selector?, ports?, min_healthy_nodes?, drain_period?, bfd?, block?))
    })?;
    if !here.is_selected(&selector) {
        return Some(Verdict::Elsewhere);
    }
    let peers = bgp_config.iter().flat_map(|config| &config.peers);
    let Some(mut wish) = bgp::wish(block, peers, bfd, here, findings) else {
        return Some(Verdict::Unfit);
    };
    router_id_is_this_nodes(&mut wish, &selector, here, findings);
    let withdraw_when_no_backends = withdraw_when_no_backends.unwrap_or(true);
    let candidate = Candidate { ports, wish, min_healthy_nodes, withdraw_when_no_backends, drain_period };
    Some(Verdict::Here(Box::new(candidate)))
}

fn mode_is_bgp(mode: Option<Mode>, findings: &mut Findings) {
    let unsupported = match mode {
        Some(Mode::Bgp) => return,
        Some(Mode::L2ARP) => "L2ARP",
        Some(Mode::Ospf) => "OSPF",
        None => {
            let message = "mode is required: BGP (here, or in the template)";
            return findings.refuse("spec.mode", Reason::Missing, message);
        }
    };
    let message = format!("mode {unsupported} is not supported yet by this version; write BGP");
    findings.refuse("spec.mode", Reason::NotSupported, message);
}

fn foreign(field: &str, present: bool, mode: &str, findings: &mut Findings) {
    if present {
        let message = format!("{field} belongs to mode {mode}; remove it");
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

fn drain_period(written: Option<&Drain>, findings: &mut Findings) -> Option<Duration> {
    let default = Drain::default();
    let Drain { on, period } = written.unwrap_or(&default);
    let set = |drain: &Drain| drain.on.iter().copied().collect::<BTreeSet<_>>();
    if on.iter().copied().collect::<BTreeSet<_>>() != set(&default) {
        let message =
            "choosing the triggers of a drain is not supported yet by this version; remove spec.drain.on";
        findings.refuse("spec.drain.on", Reason::NotSupported, message);
    }
    Some(period.get())
}

/// A literal router id is honoured where exactly one node is selected (spec §2.4).
fn router_id_is_this_nodes(wish: &mut BgpWish, selector: &Selector, here: &Here, findings: &mut Findings) {
    let Some(id) = wish.router_id else { return };
    if !here.is_the_only_one(selector) {
        wish.router_id = None;
        let message = format!(
            "{id} is not used, because the VIP is not known to be one node's alone; each uses its own IPv4 address. \
             Remove routerID, or select exactly one Node by nodeSelector"
        );
        findings.note("spec.bgpConfig.routerID", Reason::RouterIdPerNode, message);
    }
}

//! What many VIPs of an estate share: the nodes that they select, their speaker and its peers.
//!
//! A shape is read once, however many VIPs have it; what is found about it is told of each of them.

use super::bfd;
use super::bgp::{self, Block};
use super::memo::Same;
use super::ospf;
use super::peer::{self, Entry};
use super::rejection::{Findings, Rejection};
use super::scene::Site;
use super::selector::Selector;
use super::speakers::Wish;
use super::surroundings::Surroundings;
use crate::api::bfd::BfdConfig;
use crate::api::bgp::BgpConfig;
use crate::api::condition::Reason;
use crate::api::ospf::OspfConfig;
use crate::api::vip::{Mode, VipSpec};
use crate::model::bfd::BfdProfile;
use crate::model::bgp::Password;
use crate::model::name::Name;
use crate::model::ospf::Authentication;
use crate::model::vip::Addresses;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde::Serialize;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// In one compile, equal shapes are one in memory.
#[derive(Debug)]
pub struct Shape {
    selector: Selector,
    protocol: Protocol,
    /// The node that may use a literal router id.
    only_one: Option<Name>,
}

#[derive(Debug)]
enum Protocol {
    Bgp { block: Block, entries: Vec<Entry> },
    Ospf(ospf::Block),
}

impl Shape {
    /// Whether the node is a candidate.
    pub fn selects(&self, site: &Site) -> bool {
        self.selector.matches(site.labels)
    }

    /// What is asked of this node's speaker; `None`: it lacks something that the VIPs need of it.
    pub fn wish(&self, site: &Site, without: &BTreeSet<IpAddr>, findings: &mut Findings) -> Option<Wish> {
        let may_name_itself = self.only_one.as_ref() == Some(site.name);
        match &self.protocol {
            Protocol::Bgp { block, entries } => {
                let entries = entries.iter().filter(|entry| !without.contains(&entry.address()));
                let mut wish = bgp::wish(block, entries, site, findings)?;
                wish.router_id = wish.router_id.filter(|_| may_name_itself);
                Some(Wish::Bgp(wish))
            }
            Protocol::Ospf(block) => {
                let mut wish = block.wish();
                wish.speaker.router_id = wish.speaker.router_id.filter(|_| may_name_itself);
                Some(Wish::Ospf(wish))
            }
        }
    }

    /// Of all nodes' sessions.
    pub fn peers(&self) -> impl Iterator<Item = IpAddr> {
        self.entries().iter().map(Entry::address)
    }

    /// Passwords and keys from Secrets, each with the name under which it is remembered.
    pub fn passwords(&self) -> impl Iterator<Item = (&String, &Password)> {
        let key = match &self.protocol {
            Protocol::Bgp { .. } => None,
            Protocol::Ospf(block) => block.remembered.as_ref().map(|(name, key)| (name, key)),
        };
        self.entries().iter().filter_map(Entry::password).chain(key)
    }

    /// Whether the protocol can carry these addresses as it is told to.
    pub fn carries(&self, addresses: Addresses, findings: &mut Findings) -> Option<()> {
        let has_simple_password = match &self.protocol {
            Protocol::Bgp { .. } => false,
            Protocol::Ospf(block) => matches!(block.speaker.authentication, Authentication::Simple(_)),
        };
        if addresses.ipv6().is_none() || !has_simple_password {
            return Some(());
        }
        let message =
            "OSPFv3 has no simple passwords (RFC 7166 §1); write md5 for a VIP with an IPv6 address";
        findings.refuse("spec.ospfConfig.authType", Reason::InvalidValue, message);
        None
    }

    fn entries(&self) -> &[Entry] {
        match &self.protocol {
            Protocol::Bgp { entries, .. } => entries,
            Protocol::Ospf(_) => &[],
        }
    }
}

/// A shape that was read.
#[derive(Debug)]
pub struct Met {
    /// `None`: it is refused.
    pub shape: Option<Arc<Shape>>,
    pub found: Vec<Rejection>,
}

/// What a shape is known by: the text of all that makes it.
#[derive(Debug, Clone)]
pub struct ShapeKey {
    text: Arc<str>,
    /// Of any VIP that has it.
    spec: Arc<VipSpec>,
}

impl ShapeKey {
    /// `None`: the VIP lacks the block of its mode.
    pub fn of(spec: &Arc<VipSpec>) -> Option<Self> {
        // Specs come from JSON or YAML, so there is nothing in them that JSON cannot say.
        let text = serde_json::to_string(&written(spec)?).unwrap_or_default();
        Some(Self { text: text.into(), spec: Arc::clone(spec) })
    }
}

impl Ord for ShapeKey {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.text, &other.text) { Ordering::Equal } else { self.text.cmp(&other.text) }
    }
}

impl PartialOrd for ShapeKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ShapeKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for ShapeKey {}

/// The block of the VIP's mode.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum Config<'a> {
    Bgp(&'a BgpConfig),
    Ospf(&'a OspfConfig),
}

impl<'a> Config<'a> {
    pub fn of(mode: Option<Mode>, bgp: Option<&'a BgpConfig>, ospf: Option<&'a OspfConfig>) -> Option<Self> {
        match mode {
            Some(Mode::Ospf) => ospf.map(Self::Ospf),
            Some(Mode::Bgp | Mode::L2ARP) | None => bgp.map(Self::Bgp),
        }
    }
}

/// The part of a VIP's spec that makes its shape.
type Written<'a> = (Option<&'a LabelSelector>, Config<'a>, Option<&'a BfdConfig>);

fn written(spec: &VipSpec) -> Option<Written<'_>> {
    let config = Config::of(spec.mode, spec.bgp_config.as_ref(), spec.ospf_config.as_ref())?;
    Some((spec.node_selector.as_ref(), config, spec.bfd.as_ref()))
}

/// A stage of the compiler (see [`super::memo`]).
pub fn read(key: &ShapeKey, surroundings: &Same<Surroundings>) -> Met {
    let mut findings = Findings::about("ProxyVIP", "");
    let shape = written(&key.spec).and_then(|written| shape(written, surroundings, &mut findings));
    Met { shape: shape.map(Arc::new), found: findings.into_rejections() }
}

fn shape(
    (selector, config, bfd): Written,
    surroundings: &Surroundings,
    findings: &mut Findings,
) -> Option<Shape> {
    let (selector, bfd, protocol) = findings.whole(|findings| {
        let selector = Selector::parse(selector, "spec.nodeSelector", findings);
        let bfd = bfd::profile(bfd, findings);
        let protocol = match config {
            Config::Bgp(config) => bgp_block(config, bfd.flatten(), findings),
            Config::Ospf(config) => {
                ospf::block(config, bfd.flatten(), surroundings, findings).map(Protocol::Ospf)
            }
        };
        Some((selector?, bfd?, protocol?))
    })?;
    let only_one = surroundings.only_one(&selector);
    let (router_id, field) = match &protocol {
        Protocol::Bgp { block, .. } => (block.router_id, "spec.bgpConfig.routerID"),
        Protocol::Ospf(block) => (block.speaker.router_id, "spec.ospfConfig.routerID"),
    };
    router_id_is_one_nodes(router_id, field, only_one, findings);
    let protocol = match (protocol, config) {
        (Protocol::Bgp { block, .. }, Config::Bgp(config)) => {
            let read = |(index, peer)| {
                peer::entry(peer, format!("spec.bgpConfig.peers[{index}]"), bfd, surroundings, findings)
            };
            let entries = config.peers.iter().enumerate().filter_map(read).collect();
            Protocol::Bgp { block, entries }
        }
        (protocol, _) => protocol,
    };
    Some(Shape { selector, protocol, only_one: only_one.cloned() })
}

/// Its peers are read when nothing else is amiss.
fn bgp_block(config: &BgpConfig, bfd: Option<BfdProfile>, findings: &mut Findings) -> Option<Protocol> {
    if config.peers.is_empty() && bfd.is_some() {
        let message = "without peers the sessions are the operator's; turn BFD on there and remove it here";
        findings.refuse("spec.bfd", Reason::InvalidValue, message);
    }
    bgp::block(config, findings).map(|block| Protocol::Bgp { block, entries: Vec::new() })
}

/// A literal router id is honoured where exactly one node is selected (spec §2.4).
fn router_id_is_one_nodes(
    id: Option<Ipv4Addr>,
    field: &str,
    only_one: Option<&Name>,
    findings: &mut Findings,
) {
    let Some(id) = id.filter(|_| only_one.is_none()) else { return };
    let message = format!(
        "{id} is not used, because the VIP is not known to be one node's alone; each uses its own IPv4. \
         Remove routerID, or select exactly one Node by nodeSelector"
    );
    findings.note(field, Reason::RouterIdPerNode, message);
}

//! What many VIPs of an estate share: the nodes that they select, their speaker and its peers.
//!
//! A shape is read once, however many VIPs have it; what is found about it is told of each of them.

use super::bfd;
use super::bgp::{self, BgpWish, Block};
use super::peer::{self, Entry};
use super::rejection::{Findings, Rejection};
use super::scene::{Scene, Site};
use super::selector::Selector;
use crate::api::bfd::BfdConfig;
use crate::api::bgp::BgpConfig;
use crate::api::condition::Reason;
use crate::model::name::Name;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

#[derive(Debug)]
pub struct Shape {
    /// Equal shapes are one.
    pub id: usize,
    selector: Selector,
    block: Block,
    entries: Vec<Entry>,
    /// The node that may use a literal router id.
    only_one: Option<Name>,
}

impl Shape {
    /// Whether the node is a candidate.
    pub fn selects(&self, site: &Site) -> bool {
        self.selector.matches(site.labels)
    }

    /// What is asked of this node's speaker; `None`: it lacks something that the VIPs need of it.
    pub fn wish(&self, site: &Site, without: &BTreeSet<IpAddr>, findings: &mut Findings) -> Option<BgpWish> {
        let entries = self.entries.iter().filter(|entry| !without.contains(&entry.address()));
        let mut wish = bgp::wish(&self.block, entries, site, findings)?;
        if wish.router_id.is_some() && self.only_one.as_ref() != Some(site.name) {
            wish.router_id = None;
        }
        Some(wish)
    }

    /// Of all nodes' sessions.
    pub fn peers(&self) -> impl Iterator<Item = IpAddr> {
        self.entries.iter().map(Entry::address)
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// The shapes that have been met.
#[derive(Debug)]
pub struct Shapes<'a> {
    scene: &'a Scene<'a>,
    known: BTreeMap<String, Met>,
}

#[derive(Debug)]
struct Met {
    /// `None`: it is refused.
    shape: Option<Arc<Shape>>,
    found: Vec<Rejection>,
}

/// The part of a VIP's spec that makes its shape.
type Written<'a> = (Option<&'a LabelSelector>, &'a BgpConfig, Option<&'a BfdConfig>);

impl<'a> Shapes<'a> {
    pub fn new(scene: &'a Scene<'a>) -> Self {
        Self { scene, known: BTreeMap::new() }
    }

    pub fn of(&mut self, written: Written, findings: &mut Findings) -> Option<Arc<Shape>> {
        // Specs come from JSON or YAML, so there is nothing in them that JSON cannot say.
        let text = serde_json::to_string(&written).unwrap_or_default();
        let id = self.known.len();
        let scene = self.scene;
        let met = self.known.entry(text).or_insert_with(|| {
            let mut findings = Findings::about("ProxyVIP", "");
            let shape = read(id, written, scene, &mut findings).map(Arc::new);
            Met { shape, found: findings.into_rejections() }
        });
        findings.repeat(&met.found);
        met.shape.clone()
    }
}

fn read(
    id: usize,
    (selector, config, bfd): Written,
    scene: &Scene,
    findings: &mut Findings,
) -> Option<Shape> {
    let (selector, bfd, block) = findings.whole(|findings| {
        let selector = Selector::parse(selector, "spec.nodeSelector", findings);
        let bfd = bfd::profile(bfd, findings);
        let block = bgp::block(config, findings);
        Some((selector?, bfd?, block?))
    })?;
    if config.peers.is_empty() && bfd.is_some() {
        let message = "without peers the sessions are the operator's; turn BFD on there and remove it here";
        findings.refuse("spec.bfd", Reason::InvalidValue, message);
        return None;
    }
    let only_one = scene.only_one(&selector);
    router_id_is_one_nodes(&block, only_one, findings);
    let read =
        |(index, peer)| peer::entry(peer, format!("spec.bgpConfig.peers[{index}]"), bfd, scene, findings);
    let entries = config.peers.iter().enumerate().filter_map(read).collect();
    Some(Shape { id, selector, block, entries, only_one: only_one.cloned() })
}

/// A literal router id is honoured where exactly one node is selected (spec §2.4).
fn router_id_is_one_nodes(block: &Block, only_one: Option<&Name>, findings: &mut Findings) {
    let Some(id) = block.router_id.filter(|_| only_one.is_none()) else { return };
    let message = format!(
        "{id} is not used, because the VIP is not known to be one node's alone; each uses its own IPv4 address. \
         Remove routerID, or select exactly one Node by nodeSelector"
    );
    findings.note("spec.bgpConfig.routerID", Reason::RouterIdPerNode, message);
}

//! Addresses that no pool may give to a VIP: they are somebody's already.

use crate::api::bgp::BgpConfig;
use crate::compile::resources::Resources;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The nodes' own addresses and those of routing peers, as far as the world names them.
pub fn reserved(world: &Resources) -> BTreeSet<IpAddr> {
    let statuses = world.nodes.values().filter_map(|node| node.status.as_ref());
    let nodes = statuses.flat_map(|status| status.addresses.iter().flatten()).map(|own| &own.address);
    let vips = world.vips.values().filter_map(|vip| vip.spec.bgp_config.as_ref());
    let templates = world.templates.values().filter_map(|template| template.spec.bgp_config.as_ref());
    let peers = vips.chain(templates).flat_map(|config: &BgpConfig| &config.peers).map(|peer| &peer.address);
    nodes.chain(peers).filter_map(|text| text.parse().ok()).collect()
}

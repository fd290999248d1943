//! What the status of the estate is written from.

use crate::api::ProxyVIP;
use crate::compile::placement::{self, health};
use crate::compile::rejection::Findings;
use crate::compile::status::VipFacts;
use crate::compile::vip::{self, Draft};
use crate::model::name::Name;
use std::collections::{BTreeMap, BTreeSet};

pub fn vips(facts: &placement::Facts) -> BTreeMap<Name, VipFacts> {
    let estate = facts.estate;
    let of_vip = |(name, draft): (&Name, &Draft)| {
        let candidates = estate.nodes_of(name).filter(|(_, is_candidate)| *is_candidate);
        let nodes: BTreeSet<Name> = candidates.map(|(node, _)| node.clone()).collect();
        let leaving =
            facts.before.iter().filter_map(|(node, vips)| Some((node.clone(), vips.get(name)?.clone())));
        let vip = VipFacts {
            addresses: Some(draft.addresses),
            pool: estate.pool_of(name),
            mode: "BGP".to_owned(),
            healthy: health::healthy(facts, name).into_keys().cloned().collect(),
            min_healthy: draft.terms.min_healthy_nodes,
            leaving: leaving.collect(),
            listeners: estate.is_listened_on(name),
            nodes,
        };
        (name.clone(), vip)
    };
    let mut vips: BTreeMap<Name, VipFacts> = estate.vips().map(of_vip).collect();
    let others = facts.world.vips.iter().filter(|(name, _)| !vips.contains_key(*name));
    let waiting: Vec<_> = others.filter_map(|(name, object)| waiting(name, object, facts)).collect();
    vips.extend(waiting);
    vips
}

/// A VIP that is not in use, and is to have an address from a pool.
fn waiting(name: &Name, object: &ProxyVIP, facts: &placement::Facts) -> Option<(Name, VipFacts)> {
    let mut unheard = Findings::about("ProxyVIP", name);
    let template = vip::template(object, facts.world).map(|template| &**template);
    let spec = vip::spec(object, template, &mut unheard)?;
    let pool = Name::parse(spec.pool_ref?.name).ok()?;
    let vip = VipFacts { pool: Some(pool), mode: "BGP".to_owned(), min_healthy: 1, ..VipFacts::default() };
    Some((name.clone(), vip))
}

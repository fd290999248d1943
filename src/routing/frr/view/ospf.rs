//! OSPF's part of a plan.
//!
//! # How a prefix gets its cost
//!
//! The addresses of `lo` go out as the router's own, intra-area (RFC 2328 §12.4.1.4, RFC 5340 §4.4.3.9): FRR
//! routers look at externals up to a second late, also when a node is gone (`OSPF_ASE_CALC_INTERVAL`).
//!
//! * **OSPFv2**: ospfd takes area and cost for one address of an interface, and carries both out at once.
//! * **OSPFv3**: ospf6d takes a prefix list for an interface, and one cost. An address that alone has another
//!   cost is refused; one that leaves alone, while others stay at theirs, is withdrawn where otherwise its cost
//!   would rise.
//!
//! An FRR router (8.4) that has several nodes for an IPv6 address may keep one of them for ever when that takes
//! back its last prefix (the LSA is flushed), while it follows every change of an LSA that stays. So each node has one
//! prefix more, of its own, that never goes: its *anchor*, an address of the discard prefix 100::/64 (RFC 6666).

use super::peer::{self, ProfileView};
use crate::model::net::{Family, HostRoute};
use crate::model::ospf::{Authentication, Cost, Version};
use crate::plan::OspfPlan;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

#[derive(Debug, Serialize)]
pub struct OspfView {
    pub v2: bool,
    pub v3: bool,
    pub router_id: String,
    pub area: String,
    pub interfaces: Vec<String>,
    pub hello: u16,
    pub dead: u16,
    pub simple_key: Option<String>,
    pub md5_key: Option<String>,
    pub profile: Option<String>,
    pub graceful_restart: bool,
    /// Of OSPFv2.
    pub prefixes: Vec<PrefixView>,
    /// Of OSPFv3.
    pub anchor: String,
    pub hosts: Vec<String>,
    pub host_cost: Option<u16>,
}

#[derive(Debug, Serialize)]
pub struct PrefixView {
    pub address: String,
    pub cost: u16,
}

pub fn view(plan: &OspfPlan) -> OspfView {
    let (simple_key, md5_key) = match &plan.authentication {
        Authentication::None => (None, None),
        Authentication::Simple(key) => (Some(key.expose().to_owned()), None),
        Authentication::Md5(key) => (None, Some(key.expose().to_owned())),
    };
    let Hosts { cost, routes, .. } = Hosts::of(plan);
    OspfView {
        v2: plan.versions.contains(&Version::V2),
        v3: plan.versions.contains(&Version::V3),
        router_id: plan.router_id.to_string(),
        area: plan.area.to_string(),
        interfaces: plan.interfaces.iter().map(ToString::to_string).collect(),
        hello: plan.timers.hello_seconds,
        dead: plan.timers.dead_seconds,
        simple_key,
        md5_key,
        profile: profile(plan).map(|profile| profile.name),
        graceful_restart: plan.graceful_restart,
        prefixes: prefixes(plan),
        anchor: anchor(plan.router_id),
        hosts: routes.iter().map(ToString::to_string).collect(),
        host_cost: cost.map(Cost::get),
    }
}

pub fn profile(plan: &OspfPlan) -> Option<ProfileView> {
    plan.bfd.as_ref().map(peer::profile)
}

/// Each node's own, so that no router ever has two ways to it.
fn anchor(router_id: Ipv4Addr) -> String {
    let [a, b, c, d] = router_id.octets();
    let [high, low] = [[a, b], [c, d]].map(u16::from_be_bytes);
    format!("{}/128", Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, high, low))
}

fn prefixes(plan: &OspfPlan) -> Vec<PrefixView> {
    let view = |(route, cost): (HostRoute, Cost)| PrefixView {
        address: route.address().to_string(),
        cost: cost.get(),
    };
    of_family(plan, Family::Ipv4).map(view).collect()
}

fn of_family(plan: &OspfPlan, family: Family) -> impl Iterator<Item = (HostRoute, Cost)> {
    let routes = plan.routes.iter().map(|(route, cost)| (*route, *cost));
    routes.filter(move |(route, _)| route.family() == family)
}

/// OSPFv3's routes, which have one cost.
#[derive(Debug, PartialEq, Eq)]
pub struct Hosts {
    pub cost: Option<Cost>,
    pub routes: BTreeSet<HostRoute>,
    /// Those of another cost.
    pub refused: BTreeMap<HostRoute, String>,
}

impl Hosts {
    /// The lowest cost is the one: that of addresses which leave is the highest there is.
    pub fn of(plan: &OspfPlan) -> Self {
        let all: Vec<_> = of_family(plan, Family::Ipv6).collect();
        let cost = all.iter().map(|(_, cost)| *cost).min();
        let routes = all.iter().filter(|(_, other)| Some(*other) == cost).map(|(route, _)| *route).collect();
        let others = all.iter().filter(|(_, other)| Some(*other) != cost && *other != Cost::LEAVING);
        let words = |other: Cost| {
            let cost = cost.unwrap_or(other);
            format!(
                "FRR's ospf6d has one cost for all of a node's addresses: {cost}, the lowest; write {cost} instead \
                 of {other}, or the other way round"
            )
        };
        Self { cost, routes, refused: others.map(|(route, other)| (*route, words(*other))).collect() }
    }
}

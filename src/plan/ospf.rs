//! The node's one OSPF speaker, and the routes that it announces.

use super::facts::NodeFacts;
use super::leave::Leave;
use super::whole::Whole;
use crate::model::bfd::BfdProfile;
use crate::model::net::{HostRoute, InterfaceName};
use crate::model::ospf::{AreaId, Authentication, Cost, Route, Timers, Version};
use crate::model::vip::Reach;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// OSPFv2 and OSPFv3 alike: both are spoken on the same interfaces, each for the routes of its family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OspfPlan {
    pub router_id: Ipv4Addr,
    pub area: AreaId,
    /// Those of the VIPs' families.
    pub versions: BTreeSet<Version>,
    /// Empty: none is known to speak on.
    pub interfaces: BTreeSet<InterfaceName>,
    pub timers: Timers,
    pub authentication: Authentication,
    pub graceful_restart: bool,
    pub bfd: Option<BfdProfile>,
    /// [`Cost::LEAVING`] while the address yields.
    pub routes: BTreeMap<HostRoute, Cost>,
}

/// The adjacencies outlive the routes, as BGP's sessions do; and graceful restart ends before the node leaves.
pub(super) fn plan(
    whole: &Whole<'_>,
    facts: &NodeFacts,
    routes: BTreeMap<HostRoute, Cost>,
) -> Option<OspfPlan> {
    let any = |which: fn(Leave) -> bool| whole.any(facts, |reach| matches!(reach, Reach::Ospf(_)), which);
    let speaker = whole.ospf.as_ref().filter(|_| any(|step| step < Leave::Released))?;
    let here = whole.vips().filter(|(route, _, vip)| {
        matches!(vip.reach, Reach::Ospf(_)) && facts.step(*route) < Leave::Released
    });
    let uplink = facts.uplink.iter().filter(|_| speaker.interfaces.uplink);
    Some(OspfPlan {
        router_id: speaker.router_id.unwrap_or(facts.router_id),
        area: speaker.area,
        versions: here.map(|(route, ..)| Version::of(route.family())).collect(),
        interfaces: speaker.interfaces.named.iter().chain(uplink).cloned().collect(),
        timers: speaker.timers,
        authentication: speaker.authentication.clone(),
        graceful_restart: speaker.graceful_restart && any(|step| step == Leave::Staying),
        bfd: speaker.bfd,
        routes,
    })
}

/// Drain by cost (spec §2.5): other nodes are preferred while the address yields.
pub(super) fn cost(route: &Route, leave: Leave) -> Cost {
    if leave.is_yielding() { Cost::LEAVING } else { route.cost }
}

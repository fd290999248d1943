//! Which routes the daemon should have, and with what.

use super::facts::NodeFacts;
use super::leave::Leave;
use super::link::LinkPlan;
use super::ospf::{self, OspfPlan};
use super::readiness::Readiness;
use super::speaker::{self, SpeakerPlan};
use super::whole::Whole;
use crate::model::bgp::{Audience, BgpRoute, Community, PathAttributes};
use crate::model::name::Name;
use crate::model::net::HostRoute;
use crate::model::vip::{Reach, Vip};
use std::collections::BTreeMap;

/// What the routing daemon should have of ours. Without a speaker of either protocol: nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoutingPlan {
    pub speaker: Option<SpeakerPlan>,
    /// By BGP.
    pub announcements: BTreeMap<HostRoute, Announcement>,
    pub ospf: Option<OspfPlan>,
}

impl RoutingPlan {
    /// Every route that is to be announced, by whichever protocol.
    pub fn routes(&self) -> impl Iterator<Item = HostRoute> {
        let by_ospf = self.ospf.iter().flat_map(|ospf| ospf.routes.keys());
        self.announcements.keys().chain(by_ospf).copied()
    }

    pub fn announces(&self, route: HostRoute) -> bool {
        self.announcements.contains_key(&route)
            || self.ospf.as_ref().is_some_and(|ospf| ospf.routes.contains_key(&route))
    }

    /// Whether the BGP instance is to be ours: attach mode alone needs the operator's.
    pub fn has_own_instance(&self) -> bool {
        let for_peers = |announcement: &Announcement| announcement.audience != Audience::Operators;
        let peers = self.speaker.as_ref().is_some_and(|speaker| !speaker.peers.is_empty());
        peers || self.announcements.values().any(for_peers)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// `communities` includes graceful-shutdown while the address yields.
    pub attributes: PathAttributes,
    pub audience: Audience,
}

/// Only addresses that are held, and shall stay held, are announced. One that leaves is not announced anew.
pub(super) fn plan(
    whole: &Whole<'_>,
    facts: &NodeFacts,
    readiness: &BTreeMap<Name, Readiness>,
    link: &LinkPlan,
) -> RoutingPlan {
    let is_out = |route: HostRoute, name: &Name, vip: &Vip| {
        facts.step(route) < Leave::Withdrawn
            && link.addresses.contains(&route)
            && readiness[name].may_announce(route, facts)
            && facts.refusal_of(vip).is_none()
            && (facts.is_to_stay(route) || facts.may_be_announced(route))
    };
    let (mut announcements, mut costs) = (BTreeMap::new(), BTreeMap::new());
    for (route, _, vip) in whole.vips().filter(|(route, name, vip)| is_out(*route, name, vip)) {
        let leave = facts.step(route);
        match &vip.reach {
            Reach::Bgp(bgp) => drop(announcements.insert(route, announcement(bgp, leave))),
            Reach::Ospf(ospf) => drop(costs.insert(route, ospf::cost(ospf, leave))),
        }
    }
    RoutingPlan { speaker: speaker::plan(whole, facts), announcements, ospf: ospf::plan(whole, facts, costs) }
}

fn announcement(route: &BgpRoute, leave: Leave) -> Announcement {
    let mut attributes = route.attributes.clone();
    if leave.is_yielding() {
        attributes.communities.insert(Community::GRACEFUL_SHUTDOWN);
    }
    Announcement { attributes, audience: route.audience.clone() }
}

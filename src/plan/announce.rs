//! Which routes the daemon should have, and with what.

use super::facts::NodeFacts;
use super::leave::Leave;
use super::linger::Lingering;
use super::link::LinkPlan;
use super::readiness::Readiness;
use super::speaker::{self, SpeakerPlan};
use crate::model::bgp::{Community, PathAttributes};
use crate::model::name::Name;
use crate::model::net::HostRoute;
use crate::model::snapshot::Snapshot;
use crate::model::vip::{Reach, Vip};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What the routing daemon should have of ours. Without a speaker: nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoutingPlan {
    pub speaker: Option<SpeakerPlan>,
    pub announcements: BTreeMap<HostRoute, Announcement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// `communities` includes graceful-shutdown while the node yields.
    pub attributes: PathAttributes,
    pub peers: BTreeSet<IpAddr>,
}

/// Only addresses that are held, and shall stay held, are announced.
pub(super) fn plan(
    snapshot: &Snapshot,
    facts: &NodeFacts,
    lingering: &Lingering,
    readiness: &BTreeMap<Name, Readiness>,
    link: &LinkPlan,
) -> RoutingPlan {
    let mut announcements = BTreeMap::new();
    if facts.leave < Leave::Withdrawn {
        for (name, vip) in snapshot.vips.iter() {
            let kept = lingering.kept.iter().filter(|(_, of)| *of == name).map(|(route, _)| *route);
            let ready = |route: &HostRoute| {
                link.addresses.contains(route) && readiness[name].may_announce(*route, facts)
            };
            let routes = vip.addresses.iter().chain(kept).filter(ready);
            announcements.extend(routes.map(|route| (route, announcement(vip, facts.leave))));
        }
    }
    RoutingPlan { speaker: speaker::plan(snapshot, facts), announcements }
}

fn announcement(vip: &Vip, leave: Leave) -> Announcement {
    let Reach::Bgp(route) = &vip.reach;
    let mut attributes = route.attributes.clone();
    if leave.is_yielding() {
        attributes.communities.insert(Community::GRACEFUL_SHUTDOWN);
    }
    Announcement { attributes, peers: route.peers.clone() }
}

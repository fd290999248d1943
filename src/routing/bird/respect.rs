//! Where the operator has something already, the operator's stays as it is. Pure.

use super::protocols::Protocol;
use crate::model::bgp::Audience;
use crate::model::net::HostRoute;
use crate::model::ospf::{Authentication, Version};
use crate::plan::RoutingPlan;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What cannot go in beside the operator's configuration.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Conflicts {
    pub networks: BTreeMap<HostRoute, String>,
    /// The line that would not go in, and why.
    pub structure: Option<(String, String)>,
}

const TAKEN: &str = "BIRD has a static route to this prefix already and it is not NovaEdge's; remove it";

/// What BIRD calls HMAC-MD5 there, FRR's ospf6d does not understand; RFC 7166 has neither.
const NO_MD5: &str = "with BIRD, md5 is for OSPFv2: RFC 7166 knows no MD5 for OSPFv3; write authType none for VIPs with \
                      IPv6 addresses, or run FRR on this node";

/// Takes out of `plan` what collides with what the operator has: sessions, and static routes to our prefixes.
pub fn respect(plan: &mut RoutingPlan, seen: &[Protocol], statics: &BTreeSet<HostRoute>) -> Conflicts {
    let mut conflicts = Conflicts::default();
    let theirs: BTreeMap<IpAddr, &Protocol> = seen
        .iter()
        .filter(|protocol| !protocol.is_ours())
        .filter_map(|protocol| Some((protocol.bgp.as_ref()?.neighbor?, protocol)))
        .collect();
    if let Some(speaker) = &mut plan.speaker {
        speaker.peers.retain(|address, peer| {
            let Some(protocol) = theirs.get(address) else { return true };
            let line = format!("neighbor {address} as {}", peer.asn);
            let answer = format!(
                "BIRD's protocol {} has this neighbour already and it is not NovaEdge's; remove it there, or leave \
                 `peers` out so that its session is used as it is",
                protocol.name
            );
            conflicts.structure.get_or_insert((line, answer));
            false
        });
    }
    let attaching = |plan: &RoutingPlan| {
        plan.announcements.values().any(|announcement| announcement.audience == Audience::Operators)
    };
    if theirs.is_empty() && attaching(plan) {
        plan.announcements.retain(|_, announcement| announcement.audience != Audience::Operators);
        let answer = "BIRD has no BGP session of the operator's, and a VIP without peers uses those: configure one \
                      there, or write `peers`";
        conflicts.structure.get_or_insert(("protocol bgp".to_owned(), answer.to_owned()));
    }
    respect_ospf(plan, seen, statics, &mut conflicts);
    plan.announcements.retain(|route, _| {
        let taken = statics.contains(route);
        if taken {
            conflicts.networks.insert(*route, TAKEN.to_owned());
        }
        !taken
    });
    conflicts
}

fn respect_ospf(
    plan: &mut RoutingPlan,
    seen: &[Protocol],
    statics: &BTreeSet<HostRoute>,
    conflicts: &mut Conflicts,
) {
    let theirs = seen.iter().find(|protocol| protocol.kind == "OSPF" && !protocol.is_ours());
    if let Some(protocol) = theirs.filter(|_| plan.ospf.is_some()) {
        plan.ospf = None;
        let answer = format!(
            "BIRD speaks OSPF for the operator already (protocol {}), and area, timers and interfaces are the \
             speaker's; remove it there, or announce the VIP by BGP",
            protocol.name
        );
        conflicts.structure.get_or_insert(("protocol ospf".to_owned(), answer));
    }
    if let Some(ospf) =
        plan.ospf.as_mut().filter(|ospf| matches!(ospf.authentication, Authentication::Md5(_)))
    {
        ospf.versions.remove(&Version::V3);
        let of_v3 = ospf.routes.extract_if(.., |route, _| Version::of(route.family()) == Version::V3);
        conflicts.networks.extend(of_v3.map(|(route, _)| (route, NO_MD5.to_owned())));
    }
    let routes = plan.ospf.iter_mut().map(|ospf| &mut ospf.routes);
    for routes in routes {
        routes.retain(|route, _| {
            let taken = statics.contains(route);
            if taken {
                conflicts.networks.insert(*route, TAKEN.to_owned());
            }
            !taken
        });
    }
}

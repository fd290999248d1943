//! Where the operator has something already, the operator's stays as it is. Pure.

use super::protocols::Protocol;
use crate::model::bgp::Audience;
use crate::model::net::HostRoute;
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
    plan.announcements.retain(|route, _| {
        let taken = statics.contains(route);
        if taken {
            let words = "BIRD has a static route to this prefix already and it is not NovaEdge's; remove it";
            conflicts.networks.insert(*route, words.to_owned());
        }
        !taken
    });
    conflicts
}

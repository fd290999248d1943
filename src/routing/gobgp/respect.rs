//! Where the operator has something already, the operator's stays as it is. Pure.

use super::have::{Have, Paths};
use crate::model::bgp::Audience;
use crate::model::net::HostRoute;
use crate::plan::RoutingPlan;
use std::collections::BTreeMap;

/// What cannot go in beside what the operator has.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Conflicts {
    pub networks: BTreeMap<HostRoute, String>,
    /// What would not go in, and why.
    pub structure: Option<(String, String)>,
}

/// Takes out of `plan` what collides with what the operator has: the instance, sessions, and prefixes.
pub fn respect(plan: &mut RoutingPlan, have: &Have, paths: &Paths) -> Conflicts {
    let mut conflicts = Conflicts::default();
    let attaching = |plan: &RoutingPlan| {
        plan.announcements.values().any(|announcement| announcement.audience == Audience::Operators)
    };
    let Some(speaker) = &mut plan.speaker else { return conflicts };
    let (wanted, present) = (speaker.asn.get(), have.global.asn);
    if have.started() && present != wanted && is_the_operators(have, paths) {
        let answer = format!(
            "gobgpd already speaks for AS {present}, and it speaks for one AS; use localAS {present}, or stop BGP there \
             (`gobgp global del all`)"
        );
        conflicts.structure = Some((format!("as {wanted}"), answer));
        *plan = RoutingPlan::default();
        return conflicts;
    }
    let theirs: Vec<_> = have.foreign_peers().collect();
    speaker.peers.retain(|address, peer| {
        let is_theirs = theirs.contains(address);
        if is_theirs {
            let line = format!("neighbor {address} as {}", peer.asn);
            let answer = "gobgpd has this neighbor already and it is not NovaEdge's; remove it there, or leave `peers` \
                          out so that its session is used as it is";
            conflicts.structure.get_or_insert((line, answer.to_owned()));
        }
        !is_theirs
    });
    if theirs.is_empty() && attaching(plan) {
        plan.announcements.retain(|_, announcement| announcement.audience != Audience::Operators);
        let answer = "gobgpd has no BGP session of the operator's, and a VIP without peers uses those: configure one \
                      there, or write `peers`";
        conflicts.structure.get_or_insert(("neighbor".to_owned(), answer.to_owned()));
    }
    plan.announcements.retain(|route, _| {
        let taken = paths.theirs.contains(route);
        if taken {
            let words = "gobgpd has a path of the operator's to this prefix already; remove it";
            conflicts.networks.insert(*route, words.to_owned());
        }
        !taken
    });
    conflicts
}

/// Whether somebody else uses the instance that runs.
pub fn is_the_operators(have: &Have, paths: &Paths) -> bool {
    have.foreign_peers().next().is_some() || have.foreign_policies() || !paths.theirs.is_empty()
}

//! From a plan to what gobgpd should have. Pure.

use super::client::Version;
use super::path::Said;
use super::peer;
use super::policy::{Policies, Treatment, is_mark, policies};
use super::proto::Peer;
use crate::model::bgp::{Audience, PathAttributes};
use crate::model::net::HostRoute;
use crate::plan::{Announcement, RoutingPlan, SpeakerPlan};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

/// All of ours in one gobgpd.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct View {
    /// The instance, where it is to be ours.
    pub instance: Option<(u32, Ipv4Addr)>,
    pub peers: BTreeMap<IpAddr, Peer>,
    pub policies: Option<Policies>,
    pub paths: BTreeMap<HostRoute, Said>,
    /// Prefixes that cannot go in, with the reason.
    pub refused: BTreeMap<HostRoute, String>,
    /// A session that some prefixes cannot go over, and why.
    pub unreached: Option<(String, String)>,
}

pub fn view(plan: &RoutingPlan, version: Version) -> View {
    let Some(speaker) = &plan.speaker else { return View::default() };
    let mut view = View {
        instance: plan.has_own_instance().then_some((speaker.asn.get(), speaker.router_id)),
        peers: speaker
            .peers
            .values()
            .map(|peer| (peer.address, peer::wanted(peer, speaker, version)))
            .collect(),
        policies: policies(plan),
        unreached: unreached(plan, speaker),
        ..View::default()
    };
    for (route, announcement) in &plan.announcements {
        match said(announcement, speaker) {
            Ok(said) => drop(view.paths.insert(*route, said)),
            Err(why) => drop(view.refused.insert(*route, why)),
        }
    }
    view
}

/// A prefix of the family that a session is not of needs a next hop that the node may not have.
fn unreached(plan: &RoutingPlan, speaker: &SpeakerPlan) -> Option<(String, String)> {
    let without =
        speaker.peers.keys().filter(|peer| speaker.facing.get(peer).is_none_or(|one| one.other.is_none()));
    without.copied().find_map(|peer| {
        let crosses = |(route, one): (&HostRoute, &Announcement)| {
            (route.address().is_ipv4() != peer.is_ipv4() && one.audience.has(peer)).then_some(*route)
        };
        let route = plan.announcements.iter().find_map(crosses)?;
        let family = if peer.is_ipv4() { "IPv6" } else { "IPv4" };
        let answer = format!(
            "{route} cannot go over this session: the node has no {family} address on the link to it; give it one, or \
             peer by {family} as well"
        );
        Some((format!("neighbor {peer}"), answer))
    })
}

fn said(announcement: &Announcement, speaker: &SpeakerPlan) -> Result<Said, String> {
    let Announcement { attributes, audience } = announcement;
    let mut attributes = attributes.clone();
    if let Some(taken) = attributes.communities.iter().find(|community| is_mark(**community)) {
        return Err(format!(
            "{taken} is a community by which NovaEdge marks its prefixes in gobgpd; write another"
        ));
    }
    let treatment = Treatment::of(audience, attributes.prepend, speaker);
    // The operator's sessions know no policies of ours.
    let as_path = match audience {
        Audience::Operators => vec![speaker.asn.get(); attributes.prepend.into()],
        Audience::Peers(_) => Vec::new(),
    };
    attributes.communities.extend(treatment.map(|treatment| treatment.mark()));
    Ok(Said { attributes: PathAttributes { prepend: 0, ..attributes }, as_path })
}

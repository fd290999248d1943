//! A plan as flat values that a template prints. Pure.
//!
//! Everything here is a number, an address, or text that this file made from the model's closed types, so no
//! value can end its line or start another. The one free text, the password, is one word by construction
//! ([`crate::model::bgp::Password`]).
//!
//! # How a prefix gets its attributes
//!
//! `network P route-map NOVAEDGE-C-x` puts nothing on the route but a *tag*. Each peer's outgoing map has one
//! entry per tag that may go there, and that entry sets what the peer shall see. So
//!
//! * adding, changing and removing a prefix is one `network` line, which bgpd carries out at once, while an
//!   edit of a map that is in use takes its 5 s delay timer;
//! * the number of maps depends on classes and peers, never on prefixes;
//! * a community like `no-export` speaks to the peer and does not keep our own speaker from announcing;
//! * local preference goes to iBGP peers only, prepending to eBGP peers only (an own AS number in the path
//!   makes an iBGP peer drop the route).
//!
//! In attach mode the sessions belong to the operator, whose maps we do not touch: there the attributes are set
//! together with the tag.
//!
//! | file | what |
//! |---|---|
//! | [`class`] | announcements that are alike but for their prefix, and their marks |
//! | [`attributes`] | what a path carries, in FRR's words |
//! | [`ospf`] | OSPF's part |
//! | [`peer`] | a neighbour, its outgoing map, its BFD profile |

mod attributes;
mod class;
pub mod ospf;
mod peer;

use crate::model::net::{Family, HostRoute};
use crate::plan::{RoutingPlan, SpeakerPlan};
pub use attributes::AttributesView;
use class::{Class, Classes, classes};
use ospf::OspfView;
use peer::{PeerView, ProfileView};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct View {
    pub speaker: Option<SpeakerView>,
    pub profiles: Vec<ProfileView>,
    pub classes: Vec<ClassView>,
    pub ospf: Option<OspfView>,
}

#[derive(Debug, Serialize)]
pub struct SpeakerView {
    pub asn: u32,
    /// The instance is ours; otherwise only networks in the operator's are.
    pub own_instance: bool,
    pub router_id: String,
    pub restart_seconds: Option<u16>,
    pub peers: Vec<PeerView>,
    pub families: Vec<FamilyView>,
}

#[derive(Debug, Serialize)]
pub struct FamilyView {
    /// As in `address-family ipv4 unicast`.
    pub name: &'static str,
    pub networks: Vec<NetworkView>,
}

#[derive(Debug, Serialize)]
pub struct NetworkView {
    pub prefix: String,
    pub class: String,
}

/// The map that `network` lines of one class name.
#[derive(Debug, Serialize)]
pub struct ClassView {
    pub name: String,
    pub tag: u32,
    pub attributes: AttributesView,
}

/// What the templates print for `plan`.
pub fn view(plan: &RoutingPlan) -> View {
    let wanted = |_: &&SpeakerPlan| plan.has_own_instance() || !plan.announcements.is_empty();
    let ospf = plan.ospf.as_ref();
    let profiles = peer::profiles(plan.speaker.as_ref().filter(wanted), ospf.and_then(ospf::profile));
    let mut view = View { speaker: None, profiles, classes: Vec::new(), ospf: ospf.map(ospf::view) };
    if let Some(speaker) = plan.speaker.as_ref().filter(wanted) {
        let classes = classes(plan, speaker);
        view.speaker = Some(speaker_view(plan, speaker, &classes));
        view.classes = classes.iter().map(|(class, mark)| class::view(class, mark, speaker)).collect();
    }
    view
}

fn speaker_view(plan: &RoutingPlan, speaker: &SpeakerPlan, classes: &Classes<'_>) -> SpeakerView {
    let networks = |family| {
        let ours = plan.announcements.iter().filter(move |(route, _)| route.family() == family);
        let network = |(route, announcement): (&HostRoute, _)| NetworkView {
            prefix: route.to_string(),
            class: classes[&Class::of(announcement, speaker)].name.clone(),
        };
        ours.map(network).collect()
    };
    SpeakerView {
        asn: speaker.asn.get(),
        own_instance: plan.has_own_instance(),
        router_id: speaker.router_id.to_string(),
        restart_seconds: speaker.graceful_restart.map(|restart| restart.restart_seconds),
        peers: speaker.peers.values().map(|peer| peer::view(peer, speaker.asn, classes)).collect(),
        families: vec![
            FamilyView { name: "ipv4", networks: networks(Family::Ipv4) },
            FamilyView { name: "ipv6", networks: networks(Family::Ipv6) },
        ],
    }
}

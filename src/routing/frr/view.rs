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
//! Without peers of ours the sessions belong to the operator, whose maps we do not touch: there the
//! attributes are set together with the tag.

use super::digest::digest;
use crate::model::bgp::{Asn, Community, PathAttributes, Peer};
use crate::model::net::Family;
use crate::plan::{Announcement, RoutingPlan, SpeakerPlan};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// The last entry of every outgoing map: nothing else goes out.
const LAST_SEQUENCE: u32 = 65535;

#[derive(Debug, Serialize)]
pub struct View {
    pub speaker: Option<SpeakerView>,
    pub profiles: Vec<ProfileView>,
    pub classes: Vec<ClassView>,
}

#[derive(Debug, Serialize)]
pub struct SpeakerView {
    pub asn: u32,
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

#[derive(Debug, Serialize)]
pub struct PeerView {
    pub address: String,
    pub asn: u32,
    pub port: u16,
    pub password: Option<String>,
    pub keepalive: u16,
    pub hold: u16,
    pub multihop: Option<u8>,
    pub ttl_security: Option<u8>,
    pub source: Option<String>,
    pub profile: Option<String>,
    pub entries: Vec<EntryView>,
    pub last_sequence: u32,
}

/// One entry of a peer's outgoing map.
#[derive(Debug, Serialize)]
pub struct EntryView {
    pub sequence: u32,
    pub tag: u32,
    pub attributes: AttributesView,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct AttributesView {
    pub communities: Option<String>,
    pub large_communities: Option<String>,
    pub local_preference: Option<u32>,
    pub med: Option<u32>,
    pub prepend: Option<String>,
}

/// The map that `network` lines of one class name.
#[derive(Debug, Serialize)]
pub struct ClassView {
    pub name: String,
    pub tag: u32,
    pub attributes: AttributesView,
}

#[derive(Debug, Serialize)]
pub struct ProfileView {
    pub name: String,
    pub detect_multiplier: u8,
    pub transmit: u32,
    pub receive: u32,
    pub echo: bool,
}

/// What the templates print for `plan`.
pub fn view(plan: &RoutingPlan) -> View {
    let Some(speaker) = &plan.speaker else {
        return View { speaker: None, profiles: Vec::new(), classes: Vec::new() };
    };
    let classes: BTreeMap<Class<'_>, Mark> = plan
        .announcements
        .values()
        .map(|announcement| Class::of(announcement, speaker))
        .map(|class| (class, class_mark(&class)))
        .collect();
    View {
        speaker: Some(speaker_view(plan, speaker, &classes)),
        profiles: profiles(speaker),
        classes: classes.iter().map(|(class, mark)| class_view(class, mark, speaker)).collect(),
    }
}

/// Announcements that are alike but for their prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Class<'a> {
    attributes: &'a PathAttributes,
    towards: Towards<'a>,
}

/// A class of the usual case, all peers, keeps its name when a peer comes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Towards<'a> {
    All,
    Some(&'a BTreeSet<IpAddr>),
}

/// The class as bgpd knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    name: String,
    tag: u32,
}

impl<'a> Class<'a> {
    fn of(announcement: &'a Announcement, speaker: &SpeakerPlan) -> Self {
        let all = speaker.peers.keys().all(|peer| announcement.peers.contains(peer));
        let towards = if all { Towards::All } else { Towards::Some(&announcement.peers) };
        Self { attributes: &announcement.attributes, towards }
    }

    fn goes_to(&self, peer: IpAddr) -> bool {
        match self.towards {
            Towards::All => true,
            Towards::Some(peers) => peers.contains(&peer),
        }
    }
}

fn class_mark(class: &Class<'_>) -> Mark {
    let PathAttributes { communities, local_preference, med, prepend } = class.attributes;
    let digest =
        digest(&format!("{communities:?} {local_preference:?} {med:?} {prepend} {:?}", class.towards));
    // Tags are 1..=4294967295.
    let tag = (digest as u32).max(1);
    Mark { name: format!("NOVAEDGE-C-{digest:016x}"), tag }
}

fn class_view(class: &Class<'_>, mark: &Mark, speaker: &SpeakerPlan) -> ClassView {
    let attributes = match speaker.peers.is_empty() {
        true => AttributesView {
            local_preference: class.attributes.local_preference,
            prepend: prepending(class.attributes, speaker.asn),
            ..common_attributes(class.attributes)
        },
        false => AttributesView::default(),
    };
    ClassView { name: mark.name.clone(), tag: mark.tag, attributes }
}

fn speaker_view(
    plan: &RoutingPlan,
    speaker: &SpeakerPlan,
    classes: &BTreeMap<Class<'_>, Mark>,
) -> SpeakerView {
    let networks = |family| {
        let ours = plan.announcements.iter().filter(move |(route, _)| route.family() == family);
        ours.map(|(route, announcement)| NetworkView {
            prefix: route.to_string(),
            class: classes[&Class::of(announcement, speaker)].name.clone(),
        })
        .collect()
    };
    SpeakerView {
        asn: speaker.asn.get(),
        router_id: speaker.router_id.to_string(),
        restart_seconds: speaker.graceful_restart.map(|restart| restart.restart_seconds),
        peers: speaker.peers.values().map(|peer| peer_view(peer, speaker.asn, classes)).collect(),
        families: vec![
            FamilyView { name: "ipv4", networks: networks(Family::Ipv4) },
            FamilyView { name: "ipv6", networks: networks(Family::Ipv6) },
        ],
    }
}

fn peer_view(peer: &Peer, own: Asn, classes: &BTreeMap<Class<'_>, Mark>) -> PeerView {
    let Peer { address, asn, port, password, timers, multihop, ttl_security, source, bfd } = peer;
    PeerView {
        address: address.to_string(),
        asn: asn.get(),
        port: port.get(),
        password: password.as_ref().map(|password| password.expose().to_owned()),
        keepalive: timers.keepalive_seconds,
        hold: timers.hold_seconds,
        multihop: multihop.map(std::num::NonZeroU8::get),
        ttl_security: ttl_security.map(std::num::NonZeroU8::get),
        source: source.map(|source| source.to_string()),
        profile: bfd.as_ref().map(|bfd| profile_view(bfd).name),
        entries: entries(peer, own, classes),
        last_sequence: LAST_SEQUENCE,
    }
}

/// Each tag has its place in the map from the tag itself, so that a class that comes or goes moves no other.
fn entries(peer: &Peer, own: Asn, classes: &BTreeMap<Class<'_>, Mark>) -> Vec<EntryView> {
    let mut placed = BTreeMap::new();
    for (class, mark) in classes.iter().filter(|(class, _)| class.goes_to(peer.address)) {
        let mut sequence = 1 + mark.tag % (LAST_SEQUENCE - 1);
        while placed.contains_key(&sequence) {
            sequence = 1 + sequence % (LAST_SEQUENCE - 1);
        }
        let attributes = match peer.asn == own {
            true => AttributesView {
                local_preference: class.attributes.local_preference,
                ..common_attributes(class.attributes)
            },
            false => AttributesView {
                prepend: prepending(class.attributes, own),
                ..common_attributes(class.attributes)
            },
        };
        placed.insert(sequence, EntryView { sequence, tag: mark.tag, attributes });
    }
    placed.into_values().collect()
}

/// What every kind of peer gets.
fn common_attributes(attributes: &PathAttributes) -> AttributesView {
    let words = |wanted: fn(&Community) -> bool| {
        let words: Vec<String> =
            attributes.communities.iter().copied().filter(wanted).map(community).collect();
        (!words.is_empty()).then(|| words.join(" "))
    };
    AttributesView {
        communities: words(|community| matches!(community, Community::Standard(..))),
        large_communities: words(|community| matches!(community, Community::Large(..))),
        med: attributes.med,
        ..AttributesView::default()
    }
}

fn prepending(attributes: &PathAttributes, own: Asn) -> Option<String> {
    (attributes.prepend > 0).then(|| vec![own.to_string(); usize::from(attributes.prepend)].join(" "))
}

/// As FRR prints it: it has names of its own for more values than people use.
fn community(community: Community) -> String {
    match community {
        Community::Standard(0, 0) => "internet".to_owned(),
        Community::Standard(0xffff, 2) => "route-filter-translated-v4".to_owned(),
        Community::Standard(0xffff, 3) => "route-filter-v4".to_owned(),
        Community::Standard(0xffff, 4) => "route-filter-translated-v6".to_owned(),
        Community::Standard(0xffff, 5) => "route-filter-v6".to_owned(),
        Community::Standard(0xffff, 6) => "llgr-stale".to_owned(),
        Community::Standard(0xffff, 7) => "no-llgr".to_owned(),
        Community::Standard(0xffff, 8) => "accept-own-nexthop".to_owned(),
        other => other.to_string(),
    }
}

fn profiles(speaker: &SpeakerPlan) -> Vec<ProfileView> {
    let used: BTreeSet<_> = speaker.peers.values().filter_map(|peer| peer.bfd).collect();
    // A profile that differs only in what bgpd decides by itself (multihop) is the same profile.
    let named: BTreeMap<String, ProfileView> =
        used.iter().map(profile_view).map(|profile| (profile.name.clone(), profile)).collect();
    named.into_values().collect()
}

fn profile_view(bfd: &crate::model::bfd::BfdProfile) -> ProfileView {
    let detect_multiplier = bfd.detect_multiplier.get();
    let (transmit, receive) = (bfd.desired_min_tx.as_millis(), bfd.required_min_rx.as_millis());
    // RFC 5883 §5: no echo over several hops.
    let echo = bfd.echo && !bfd.multihop;
    let suffix = if echo { "-echo" } else { "" };
    let name = format!("NOVAEDGE-{transmit}-{receive}-x{detect_multiplier}{suffix}");
    ProfileView { name, detect_multiplier, transmit, receive, echo }
}

//! A neighbour, its outgoing map, its BFD profile.

use super::attributes::{self, AttributesView};
use super::class::Classes;
use crate::model::bfd::BfdProfile;
use crate::model::bgp::{Asn, Peer};
use crate::plan::SpeakerPlan;
use serde::Serialize;
use std::collections::BTreeMap;
use std::num::NonZeroU8;

/// The last entry of every outgoing map: nothing else goes out.
const LAST_SEQUENCE: u32 = 65535;

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

#[derive(Debug, Serialize)]
pub struct ProfileView {
    pub name: String,
    pub detect_multiplier: u8,
    pub transmit: u32,
    pub receive: u32,
    pub echo: bool,
}

pub fn view(peer: &Peer, own: Asn, classes: &Classes<'_>) -> PeerView {
    let Peer { address, asn, port, password, timers, multihop, ttl_security, source, bfd } = peer;
    PeerView {
        address: address.to_string(),
        asn: asn.get(),
        port: port.get(),
        password: password.as_ref().map(|password| password.expose().to_owned()),
        keepalive: timers.keepalive_seconds,
        hold: timers.hold_seconds,
        multihop: multihop.map(NonZeroU8::get),
        ttl_security: ttl_security.map(NonZeroU8::get),
        source: source.map(|source| source.to_string()),
        profile: bfd.as_ref().map(|bfd| profile(bfd).name),
        entries: entries(peer, own, classes),
        last_sequence: LAST_SEQUENCE,
    }
}

/// Each tag has its place in the map from the tag itself, so that a class that comes or goes moves no other.
fn entries(peer: &Peer, own: Asn, classes: &Classes<'_>) -> Vec<EntryView> {
    let mut placed = BTreeMap::new();
    for (class, mark) in classes.iter().filter(|(class, _)| class.goes_to(peer.address)) {
        let mut sequence = 1 + mark.tag % (LAST_SEQUENCE - 1);
        while placed.contains_key(&sequence) {
            sequence = 1 + sequence % (LAST_SEQUENCE - 1);
        }
        let attributes = attributes::towards(class.attributes, own, peer.asn);
        placed.insert(sequence, EntryView { sequence, tag: mark.tag, attributes });
    }
    placed.into_values().collect()
}

/// Each profile once. One that differs only in what bgpd decides by itself (multihop) is the same.
pub fn profiles(speaker: Option<&SpeakerPlan>, of_ospf: Option<ProfileView>) -> Vec<ProfileView> {
    let peers = speaker.into_iter().flat_map(|speaker| speaker.peers.values());
    let used = peers.filter_map(|peer| peer.bfd.as_ref()).map(profile).chain(of_ospf);
    let named: BTreeMap<String, ProfileView> = used.map(|profile| (profile.name.clone(), profile)).collect();
    named.into_values().collect()
}

pub fn profile(bfd: &BfdProfile) -> ProfileView {
    let detect_multiplier = bfd.detect_multiplier.get();
    let (transmit, receive) = (bfd.desired_min_tx.as_millis(), bfd.required_min_rx.as_millis());
    // RFC 5883 §5: no echo over several hops.
    let echo = bfd.echo && !bfd.multihop;
    let suffix = if echo { "-echo" } else { "" };
    let name = format!("NOVAEDGE-{transmit}-{receive}-x{detect_multiplier}{suffix}");
    ProfileView { name, detect_multiplier, transmit, receive, echo }
}

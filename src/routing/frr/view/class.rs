//! Announcements that are alike but for their prefix, and the marks that bgpd knows them by.

use super::ClassView;
use super::attributes::{self, AttributesView};
use crate::model::bgp::{Audience, PathAttributes};
use crate::plan::{Announcement, RoutingPlan, SpeakerPlan};
use crate::routing::digest::digest;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// The classes of a plan.
pub type Classes<'a> = BTreeMap<Class<'a>, Mark>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Class<'a> {
    pub attributes: &'a PathAttributes,
    towards: Towards<'a>,
}

/// A class of the usual case, all peers, keeps its name when a peer comes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Towards<'a> {
    All,
    Some(&'a BTreeSet<IpAddr>),
    Operators,
}

/// A class as bgpd knows it: the map that `network` lines name, and the tag that this map sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub name: String,
    pub tag: u32,
}

/// Every class that the plan needs.
pub fn classes<'a>(plan: &'a RoutingPlan, speaker: &SpeakerPlan) -> Classes<'a> {
    let classes = plan.announcements.values().map(|announcement| Class::of(announcement, speaker));
    let distinct: BTreeSet<Class<'a>> = classes.collect();
    distinct.into_iter().map(|class| (class, Mark::of(&class))).collect()
}

impl<'a> Class<'a> {
    pub fn of(announcement: &'a Announcement, speaker: &SpeakerPlan) -> Self {
        let towards = match &announcement.audience {
            Audience::Operators => Towards::Operators,
            Audience::Peers(peers) if speaker.peers.keys().all(|peer| peers.contains(peer)) => Towards::All,
            Audience::Peers(peers) => Towards::Some(peers),
        };
        Self { attributes: &announcement.attributes, towards }
    }

    pub fn goes_to(&self, peer: IpAddr) -> bool {
        match self.towards {
            Towards::All => true,
            Towards::Some(peers) => peers.contains(&peer),
            Towards::Operators => false,
        }
    }
}

impl Mark {
    /// From the class's content alone, so that it is the same after any restart.
    fn of(class: &Class<'_>) -> Self {
        let PathAttributes { communities, local_preference, med, prepend } = class.attributes;
        let content = format!("{communities:?} {local_preference:?} {med:?} {prepend} {:?}", class.towards);
        let digest = digest(&content);
        // Tags are 1..=4294967295.
        Self { name: format!("NOVAEDGE-C-{digest:016x}"), tag: (digest as u32).max(1) }
    }
}

pub fn view(class: &Class<'_>, mark: &Mark, speaker: &SpeakerPlan) -> ClassView {
    let attributes = match class.towards {
        Towards::Operators => attributes::towards_anybody(class.attributes, speaker.asn),
        Towards::All | Towards::Some(_) => AttributesView::default(),
    };
    ClassView { name: mark.name.clone(), tag: mark.tag, attributes }
}

//! Which session gets which of our prefixes, and in what shape: gobgpd's global policies. Pure.
//!
//! gobgpd takes policies for one ordinary peer only as conditions in the global ones. Ours come first in its lists
//! and decide about our peers and our prefixes alone; everything else goes on to the operator's.
//!
//! A prefix carries a mark, a large community of nobody's AS, that names its [`Treatment`], and that no session ever
//! sees. So an announcement that is to be treated otherwise is another announcement, and gobgpd sends it anew.
//! Policies never change: another set of them gets other names, takes the place of the old one in one step, and the
//! old one is deleted.

use super::client::Version;
use super::path::{IPV4, IPV6};
use super::proto::{
    Actions, AsPrependAction, CommunityAction, Conditions, DefinedSet, Family, MatchSet, NexthopAction,
    Policy, Statement,
};
use crate::model::bgp::{Audience, Community};
use crate::plan::{RoutingPlan, SpeakerPlan};
use crate::routing::digest::digest;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// What names of ours begin with.
pub const OURS: &str = "novaedge-";

/// The AS number that nobody has (RFC 7300), and `nova`.
const MARK: (u32, u32) = (u32::MAX, u32::from_be_bytes(*b"nova"));

/// Enumerations of `proto/gobgp/`.
const NEIGHBOR: u32 = 1;
const LARGE_COMMUNITY: u32 = 6;
const ANY: u32 = 0;
const INVERT: u32 = 2;
const REMOVE: u32 = 1;
const ACCEPT: u32 = 1;
const REJECT: u32 = 2;

/// What the policies do to a prefix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Treatment {
    /// `None`: all of our peers, whoever they are.
    pub peers: Option<BTreeSet<IpAddr>>,
    pub prepend: u8,
}

impl Treatment {
    /// `None`: the operator's sessions, with which our policies have nothing to do.
    pub fn of(audience: &Audience, prepend: u8, speaker: &SpeakerPlan) -> Option<Self> {
        let Audience::Peers(peers) = audience else { return None };
        let everybody = speaker.peers.keys().all(|peer| peers.contains(peer));
        Some(Self { peers: (!everybody).then(|| peers.clone()), prepend })
    }

    fn number(&self) -> u32 {
        // The lower half of a digest is one as well.
        digest(&format!("{self:?}")) as u32
    }

    pub fn mark(&self) -> Community {
        Community::Large(MARK.0, MARK.1, self.number())
    }
}

/// Whether a user's community would be taken for a mark.
pub fn is_mark(community: Community) -> bool {
    matches!(community, Community::Large(a, b, _) if (a, b) == MARK)
}

/// Policies and the sets that they speak of, all of one generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policies {
    /// By which a generation is told from another.
    pub digest: String,
    pub sets: Vec<Set>,
    pub import: Vec<Rule>,
    pub export: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    name: String,
    kind: u32,
    list: Vec<String>,
}

/// One statement, in our words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// A set of neighbours, and whether it is those that are not in it.
    neighbors: Option<(String, bool)>,
    /// A set of marks, likewise.
    marks: Option<(String, bool)>,
    family: Option<Family>,
    action: u32,
    prepend: Option<(u32, u8)>,
    next_hop: Option<IpAddr>,
    strip: bool,
}

/// The policies for a plan; `None`: it has no peers of ours.
pub fn policies(plan: &RoutingPlan) -> Option<Policies> {
    let speaker = plan.speaker.as_ref().filter(|speaker| !speaker.peers.is_empty())?;
    let treatments: BTreeSet<Treatment> = plan
        .announcements
        .values()
        .filter_map(|one| Treatment::of(&one.audience, one.attributes.prepend, speaker))
        .collect();
    let mut draft = Draft::default();
    let peers = draft.neighbors("peers", &speaker.peers.keys().copied().collect());
    let ours = draft.marks("ours", format!("^{}:{}:", MARK.0, MARK.1));
    let (at_peers, elsewhere) = (Some((peers.clone(), false)), Some((peers, true)));
    let reject = |neighbors: &Option<(String, bool)>, marks| Rule {
        neighbors: neighbors.clone(),
        marks,
        action: REJECT,
        ..Rule::default()
    };
    let import = vec![reject(&at_peers, None)];
    let mut export =
        vec![reject(&elsewhere, Some((ours.clone(), false))), reject(&at_peers, Some((ours, true)))];
    for treatment in &treatments {
        export.extend(draft.treated(treatment, speaker, &at_peers));
    }
    export.extend(speaker.peers.keys().map(|peer| draft.next_hop(*peer, speaker)));
    export.push(Rule { neighbors: at_peers, action: ACCEPT, strip: true, ..Rule::default() });
    let digest = format!("{:016x}", digest(&format!("{:?} {import:?} {export:?}", draft.sets)));
    Some(Policies { digest, sets: draft.sets, import, export })
}

#[derive(Debug, Default)]
struct Draft {
    sets: Vec<Set>,
}

impl Draft {
    /// Rules for the prefixes of one treatment; none for those that everybody gets as they are.
    fn treated(
        &mut self,
        treatment: &Treatment,
        speaker: &SpeakerPlan,
        at_peers: &Option<(String, bool)>,
    ) -> Vec<Rule> {
        let external = speaker.peers.values().filter(|peer| peer.asn != speaker.asn);
        let external: BTreeSet<IpAddr> = external.map(|peer| peer.address).collect();
        let prepends = treatment.prepend > 0 && !external.is_empty();
        if treatment.peers.is_none() && !prepends {
            return Vec::new();
        }
        let number = treatment.number();
        let marks = Some((self.marks(&number.to_string(), format!("{}:{}:{number}", MARK.0, MARK.1)), false));
        let mut rules = Vec::new();
        if let Some(audience) = &treatment.peers {
            // An empty set would match every neighbour.
            let neighbors = match audience.is_empty() {
                true => at_peers.clone(),
                false => Some((self.neighbors(&format!("to-{number}"), audience), true)),
            };
            rules.push(Rule { neighbors, marks: marks.clone(), action: REJECT, ..Rule::default() });
        }
        if prepends {
            let neighbors = Some((self.neighbors("external", &external), false));
            let prepend = Some((speaker.asn.get(), treatment.prepend));
            rules.push(Rule { neighbors, marks, prepend, ..Rule::default() });
        }
        rules
    }

    /// gobgpd would write the session's own address, which is of the wrong family.
    fn next_hop(&mut self, peer: IpAddr, speaker: &SpeakerPlan) -> Rule {
        let next_hop = speaker.facing.get(&peer).and_then(|facing| facing.other);
        Rule {
            neighbors: Some((self.neighbors(&format!("peer-{peer}"), &BTreeSet::from([peer])), false)),
            family: Some(if peer.is_ipv4() { IPV6 } else { IPV4 }),
            action: if next_hop.is_some() { 0 } else { REJECT },
            next_hop,
            ..Rule::default()
        }
    }

    fn neighbors(&mut self, name: &str, addresses: &BTreeSet<IpAddr>) -> String {
        let prefix = |address: &IpAddr| format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 });
        self.set(name, NEIGHBOR, addresses.iter().map(prefix).collect())
    }

    fn marks(&mut self, name: &str, pattern: String) -> String {
        self.set(name, LARGE_COMMUNITY, vec![pattern])
    }

    fn set(&mut self, name: &str, kind: u32, list: Vec<String>) -> String {
        if !self.sets.iter().any(|set| set.name == name) {
            self.sets.push(Set { name: name.to_owned(), kind, list });
        }
        name.to_owned()
    }
}

/// A generation's names: its content, and which attempt at it, for one that somebody has damaged is left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names(pub String);

impl Names {
    pub fn new(digest: &str, attempt: usize) -> Self {
        Self(format!("{OURS}{digest}-{attempt}"))
    }

    pub fn import(&self) -> String {
        format!("{}-import", self.0)
    }

    pub fn export(&self) -> String {
        format!("{}-export", self.0)
    }

    fn set(&self, name: &str) -> String {
        format!("{}-{name}", self.0)
    }
}

impl Policies {
    pub fn defined_sets(&self, names: &Names, version: Version) -> Vec<DefinedSet> {
        let defined = |set: &Set| DefinedSet {
            defined_type: version.number(set.kind),
            name: names.set(&set.name),
            list: set.list.clone(),
        };
        self.sets.iter().map(defined).collect()
    }

    pub fn policies(&self, names: &Names, version: Version) -> [Policy; 2] {
        [(names.import(), &self.import), (names.export(), &self.export)].map(|(name, rules)| Policy {
            statements: (rules.iter().enumerate())
                .map(|(index, rule)| rule.statement(format!("{name}-{index}"), names, version))
                .collect(),
            name,
        })
    }
}

impl Rule {
    fn statement(&self, name: String, names: &Names, version: Version) -> Statement {
        let matching = |of: &Option<(String, bool)>| {
            of.as_ref().map(|(set, inverted)| MatchSet {
                r#type: version.number(if *inverted { INVERT } else { ANY }),
                name: names.set(set),
            })
        };
        let conditions = Conditions {
            neighbor_set: matching(&self.neighbors),
            large_community_set: matching(&self.marks),
            afi_safi_in: self.family.into_iter().collect(),
        };
        let actions = Actions {
            route_action: self.action,
            as_prepend: self.prepend.map(|(asn, times)| AsPrependAction { asn, repeat: times.into() }),
            nexthop: self.next_hop.map(|address| NexthopAction { address: address.to_string() }),
            large_community: self.strip.then(|| CommunityAction {
                r#type: version.number(REMOVE),
                communities: vec![format!("^{}:{}:", MARK.0, MARK.1)],
            }),
        };
        Statement { name, conditions: Some(conditions), actions: Some(actions) }
    }
}

/// The kinds of sets that ours are of.
pub fn kinds(version: Version) -> [u32; 2] {
    [NEIGHBOR, LARGE_COMMUNITY].map(|kind| version.number(kind))
}

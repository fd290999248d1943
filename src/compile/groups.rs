//! VIPs that ask the same of every node's speaker stand and fall together.
//!
//! An estate has thousands of VIPs and a handful of shapes, so speakers are asked once per group and node.
//! Groups join from the one with the oldest VIP on. A new group joins where it agrees with what those before
//! it have settled. One that is in use stays, whatever an older one's edit makes of the session. An edit is
//! for all nodes or for none: if any refuses it, the group goes on as it was.

use super::rejection::Findings;
use super::scene::{Scene, Site};
use super::shape::Shape;
use super::speakers::{Assemblies, Wish};
use super::vips::{About, Used, Version, Vips};
use crate::api::condition::Reason;
use crate::model::name::Name;
use crate::model::vip::Reach;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

pub const AS_BEFORE: &str = "the edit is not used; the VIP goes on as it was before";

/// A VIP that has its addresses.
#[derive(Debug)]
pub struct Member {
    pub name: Name,
    pub version: Version,
    /// Peers that it has to do without.
    pub without: BTreeSet<IpAddr>,
    pub standing: Standing,
}

#[derive(Debug)]
pub enum Standing {
    New,
    /// The speakers know the version already, but for some nodes'.
    InUse {
        refused_by: BTreeSet<Name>,
    },
    /// They know another one.
    Edited(Version),
}

/// What the speakers have settled about some VIPs.
#[derive(Debug)]
pub struct Group {
    /// By the scene's sites.
    pub at: Vec<Presence>,
    /// The ways by which its VIPs are reached, each once.
    pub reaches: Arc<[Arc<Reach>]>,
}

/// A group on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    Absent,
    /// All of its VIPs.
    Whole(Arc<Reach>),
    /// The node is no candidate any more, and serves these still.
    Rest(Arc<Reach>, BTreeSet<Name>),
}

/// VIPs that are equal in everything that speakers ask about.
struct Alike {
    shape: Arc<Shape>,
    without: BTreeSet<IpAddr>,
    known: Known,
    oldest: Name,
    /// From the oldest on.
    members: Vec<Member>,
}

/// What the speakers know of them, and which nodes' do not.
enum Known {
    Nothing,
    Shape(BTreeSet<Name>),
    Another(Arc<Shape>, BTreeSet<Name>),
}

impl Alike {
    fn new(first: Member) -> Self {
        let known = match &first.standing {
            Standing::New => Known::Nothing,
            Standing::InUse { refused_by } => Known::Shape(refused_by.clone()),
            Standing::Edited(Version { in_use, draft }) => {
                Known::Another(draft.shape.clone(), in_use.refused_by.clone())
            }
        };
        let (shape, without) = (first.version.draft.shape.clone(), first.without.clone());
        Self { shape, without, known, oldest: first.name.clone(), members: vec![first] }
    }

    /// Equal shapes are one in memory.
    fn key(member: &Member) -> impl Ord + use<> {
        let place = |version: &Version| Arc::as_ptr(&version.draft.shape).addr();
        let (known, refused_by) = match &member.standing {
            Standing::New => (None, BTreeSet::new()),
            Standing::InUse { refused_by } => (Some(place(&member.version)), refused_by.clone()),
            Standing::Edited(before) => (Some(place(before)), before.in_use.refused_by.clone()),
        };
        (place(&member.version), member.without.clone(), known, refused_by)
    }
}

/// `members` come from the oldest on.
pub fn settle(members: Vec<Member>, scene: &Scene, about: &mut About) -> Vips {
    let assemblies = scene.sites.iter().map(|_| Assemblies::default()).collect();
    let mut round = Round { scene, assemblies };
    let (mut used, mut groups) = (Vec::with_capacity(members.len()), Vec::new());
    for alike in alike(members) {
        let mut findings = Findings::about("ProxyVIP", "");
        let Settled { at, reaches, refused_by, as_before } = round.settle(&alike, &mut findings);
        let is_nowhere = !refused_by.is_empty() && at.iter().all(|presence| *presence == Presence::Absent);
        let group = groups.len();
        groups.push(Group { at, reaches: reaches.into() });
        for Member { name, version, standing, without: _ } in alike.members {
            if !findings.found().is_empty() {
                about.vip(&name).repeat(findings.found());
            }
            let mut version = match standing {
                Standing::New if is_nowhere => continue,
                Standing::Edited(before) if as_before => before,
                _ => version,
            };
            version.in_use.refused_by.clone_from(&refused_by);
            used.push((name, Used { version, group }));
        }
    }
    let speakers = round.assemblies.into_iter().map(Assemblies::into_speakers).collect();
    Vips { used: used.into_iter().collect(), groups, speakers }
}

/// In the order of their oldest members.
fn alike(members: Vec<Member>) -> Vec<Alike> {
    let mut places = BTreeMap::new();
    let mut all: Vec<Alike> = Vec::new();
    for member in members {
        let place = *places.entry(Alike::key(&member)).or_insert(all.len());
        match all.get_mut(place) {
            Some(alike) => alike.members.push(member),
            None => all.push(Alike::new(member)),
        }
    }
    all
}

struct Round<'a> {
    scene: &'a Scene<'a>,
    /// By the scene's sites.
    assemblies: Vec<Assemblies>,
}

/// What a node's speaker says to a shape.
enum Answer {
    /// The node is no candidate.
    Elsewhere,
    /// It is, but lacks something that the VIPs need of it.
    Unfit,
    Here {
        wish: Wish,
        agrees: bool,
        /// The node is no candidate any more, and serves these still.
        rest: Option<BTreeSet<Name>>,
    },
}

struct Settled {
    at: Vec<Presence>,
    reaches: Vec<Arc<Reach>>,
    refused_by: BTreeSet<Name>,
    as_before: bool,
}

impl Round<'_> {
    fn settle(&mut self, alike: &Alike, findings: &mut Findings) -> Settled {
        let someone_lingers = self.scene.sites.iter().any(|site| !site.serving.is_empty());
        let members = alike.members.iter().filter(|_| someone_lingers);
        let names: BTreeSet<&Name> = members.map(|member| &member.name).collect();
        let answers = self.ask(&alike.shape, &alike.without, &names, findings);
        let (before, refused_by) = match &alike.known {
            Known::Nothing => return self.join(&alike.oldest, answers, |_| false),
            Known::Shape(refused_by) => {
                return self.join(&alike.oldest, answers, |node| !refused_by.contains(node));
            }
            Known::Another(before, refused_by) => (before, refused_by),
        };
        let mut unheard = Findings::about("ProxyVIP", "");
        let fallback = self.ask(before, &BTreeSet::new(), &names, &mut unheard);
        if !refused(&answers, &fallback) {
            return self.join(&alike.oldest, answers, |_| true);
        }
        findings.note("", Reason::Ignored, AS_BEFORE);
        let settled = self.join(&alike.oldest, fallback, |node| !refused_by.contains(node));
        Settled { as_before: true, ..settled }
    }

    fn ask(
        &self,
        shape: &Shape,
        without: &BTreeSet<IpAddr>,
        names: &BTreeSet<&Name>,
        findings: &mut Findings,
    ) -> Vec<Answer> {
        let sites = self.scene.sites.iter().zip(&self.assemblies);
        let answer = |(site, assembly): (&Site, &Assemblies)| {
            let rest = if shape.selects(site) { None } else { Some(still_served(names, site)) };
            if rest.as_ref().is_some_and(BTreeSet::is_empty) {
                return Answer::Elsewhere;
            }
            match shape.wish(site, without, findings) {
                Some(wish) => Answer::Here { agrees: assembly.agrees(&wish, findings), wish, rest },
                None => Answer::Unfit,
            }
        };
        sites.map(answer).collect()
    }

    /// `insists`: whether it joins although it does not agree; what is settled holds there.
    fn join(&mut self, oldest: &Name, answers: Vec<Answer>, insists: impl Fn(&Name) -> bool) -> Settled {
        let (at, reaches, refused_by) = (Vec::new(), Vec::new(), BTreeSet::new());
        let mut settled = Settled { at, reaches, refused_by, as_before: false };
        let places = self.scene.sites.iter().zip(&mut self.assemblies);
        for (answer, (site, assembly)) in answers.into_iter().zip(places) {
            settled.at.push(match answer {
                Answer::Here { wish, agrees, rest } if agrees || insists(site.name) => {
                    let route = shared(&mut settled.reaches, assembly.join(oldest, wish));
                    match rest {
                        None => Presence::Whole(route),
                        Some(rest) => Presence::Rest(route, rest),
                    }
                }
                Answer::Here { .. } => {
                    settled.refused_by.insert(site.name.clone());
                    Presence::Absent
                }
                Answer::Elsewhere | Answer::Unfit => Presence::Absent,
            });
        }
        settled
    }
}

fn still_served(names: &BTreeSet<&Name>, site: &Site) -> BTreeSet<Name> {
    site.serving.iter().filter(|name| names.contains(name)).cloned().collect()
}

/// An edit is for all nodes or for none. That a node cannot serve either version is no fault of the edit.
fn refused(edit: &[Answer], before: &[Answer]) -> bool {
    edit.iter().zip(before).any(|pair| match pair {
        (Answer::Here { agrees, .. }, _) => !agrees,
        (Answer::Unfit, Answer::Unfit) => false,
        (Answer::Unfit, _) => true,
        (Answer::Elsewhere, _) => false,
    })
}

/// Nodes with equal routes share one.
fn shared(routes: &mut Vec<Arc<Reach>>, route: Reach) -> Arc<Reach> {
    if let Some(known) = routes.iter().find(|known| ***known == route) {
        return known.clone();
    }
    let route = Arc::new(route);
    routes.push(route.clone());
    route
}

//! All VIPs together: whose address is whose, and which version of each is used.
//!
//! A VIP that was in use and whose edit is refused goes on as it was before the edit, on every node: a slip
//! of the pen withdraws nothing (as a file that does not parse changes nothing, spec §2.9).
//!
//! 1. read every VIP, as written and as it was last in use ([`vip::read`], [`vip::draft`])
//! 2. settle the owners of addresses ([`address::owners`])
//! 3. from the oldest on, choose the version that quarrels with nobody's address
//! 4. let the speakers decide about the rest ([`super::groups`])
//!
//! The first step is what costs, and is not done again for a VIP that is as it was ([`super::memo`]).

use super::accepted::InUse;
use super::address::{self, Claim, Owners};
use super::groups::{self, Group, Member, Standing};
use super::memo::{Along, Made, Memo, Same};
use super::rejection::{Findings, Rejection};
use super::scene::{Scene, Seniority};
use super::shape::{self, Met, ShapeKey};
use super::speakers::Speakers;
use super::surroundings::Surroundings;
use super::vip::{self, Draft, Drafted, Reading, Understood, Written};
use crate::api::ProxyVIP;
use crate::api::condition::Reason;
use crate::api::vip::VipSpec;
use crate::model::name::Name;
use crate::model::vip::Addresses;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

/// A version of a VIP: as written, and as understood.
#[derive(Debug, Clone)]
pub struct Version {
    pub in_use: InUse,
    pub draft: Arc<Draft>,
}

/// What all nodes together make of the VIPs.
#[derive(Debug)]
pub struct Vips {
    pub used: BTreeMap<Name, Used>,
    pub groups: Vec<Group>,
    /// By the scene's sites.
    pub speakers: Vec<Speakers>,
}

#[derive(Debug, Clone)]
pub struct Used {
    pub version: Version,
    /// Its place in [`Vips::groups`].
    pub group: usize,
}

/// What was read the last time.
#[derive(Debug, Default)]
pub struct Memory {
    written: Memo<Name, Written, Reading>,
    /// Of those that are in use otherwise than they are written.
    before: Memo<Name, (Same<VipSpec>, Addresses), Reading>,
    surroundings: Arc<Surroundings>,
    shapes: Memo<ShapeKey, Same<Surroundings>, Met>,
    drafts: Memo<Name, Understood, Drafted>,
    drafts_before: Memo<Name, Understood, Drafted>,
}

/// What is wrong with each VIP.
#[derive(Debug, Default)]
pub struct About(BTreeMap<Name, Findings>);

impl About {
    pub fn vip(&mut self, name: &Name) -> &mut Findings {
        self.0.entry(name.clone()).or_insert_with(|| Findings::about("ProxyVIP", name))
    }
}

/// A VIP of the world, and what there is to choose from.
struct Candidate<'a> {
    name: &'a Name,
    object: &'a ProxyVIP,
    in_use: Option<&'a InUse>,
    /// `None`: what is written is refused.
    written: Option<Version>,
    before: Option<Version>,
}

pub fn compile(scene: &Scene, memory: &mut Memory, rejections: &mut Vec<Rejection>) -> Vips {
    let mut about = About::default();
    let candidates = candidates(scene, memory, &mut about);
    let claims: Vec<Claim> = candidates.iter().map(claim).collect();
    let owners = address::owners(&claims, scene, &mut about);
    let members = members(candidates, &owners, &mut about);
    let vips = groups::settle(members, scene, &mut about);
    rejections.extend(about.0.into_values().flat_map(Findings::into_rejections));
    vips
}

/// In the order of their names.
fn candidates<'a>(scene: &Scene<'a>, memory: &mut Memory, about: &mut About) -> Vec<Candidate<'a>> {
    let Memory { written, before, surroundings, shapes, drafts, drafts_before } = memory;
    let readings = written.of_each(as_written(scene), vip::read);
    let mut accepted = Along::new(&scene.accepted.vips);
    let in_use: Vec<Option<&InUse>> = scene.world.vips.keys().map(|name| accepted.get(name)).collect();
    let pairs = readings.iter().zip(&in_use);
    let others = pairs.filter_map(|(made, in_use)| {
        Some((&made.key, in_use.filter(|in_use| !is_as(&made.output, in_use))?))
    });
    let others = others.map(|(name, in_use)| (name.clone(), (Same::of(&in_use.spec), in_use.addresses)));
    let readings_before = before.of_each(others, vip::read_again);
    let now = Surroundings::of(scene);
    if **surroundings != now {
        *surroundings = Arc::new(now);
    }
    let outputs = readings.iter().map(|made| &made.output);
    let outputs = outputs.chain(readings_before.iter().map(|made| &made.output));
    let keys: BTreeSet<&ShapeKey> = outputs.filter_map(|reading| reading.shape.as_ref()).collect();
    let keys = keys.into_iter().map(|key| (key.clone(), Same::of(surroundings)));
    let shapes = shapes.of_each(keys, shape::read);
    let drafts = drafts.of_each(understood(readings, shapes), vip::draft);
    let drafts_before = drafts_before.of_each(understood(readings_before, shapes), vip::draft);
    let mut drafts_before = drafts_before.iter().peekable();
    let mut candidates = Vec::with_capacity(in_use.len());
    let vips = scene.world.vips.iter().zip(in_use);
    for (((name, object), in_use), (reading, drafted)) in vips.zip(readings.iter().zip(drafts)) {
        if !drafted.output.found.is_empty() {
            about.vip(name).repeat(&drafted.output.found);
        }
        let draft_before = match drafts_before.next_if(|made| made.key == *name) {
            Some(made) => &made.output.draft,
            None => &drafted.output.draft,
        };
        let version = |draft: Arc<Draft>| {
            let spec = Arc::clone(reading.output.spec.as_ref()?);
            let in_use = InUse { spec, addresses: draft.addresses, refused_by: BTreeSet::new() };
            Some(Version { in_use, draft })
        };
        let written = drafted.output.draft.clone().and_then(version);
        let again = |in_use: &InUse| Some(Version { in_use: in_use.clone(), draft: draft_before.clone()? });
        candidates.push(Candidate { name, object, in_use, written, before: in_use.and_then(again) });
    }
    candidates
}

fn as_written<'a>(scene: &Scene<'a>) -> impl Iterator<Item = (Name, Written)> {
    let mut pools = scene.pools.map(Along::new);
    scene.world.vips.iter().map(move |(name, object)| {
        let template = vip::template(object, scene.world).map(Same::of);
        let given = pools.as_mut().map(|pools| pools.get(name).copied());
        (name.clone(), Written { object: Same::of(object), template, given })
    })
}

/// Whether the VIP is in use as it is written.
fn is_as(reading: &Reading, in_use: &InUse) -> bool {
    let same = |spec: &Arc<VipSpec>| Arc::ptr_eq(spec, &in_use.spec) || **spec == *in_use.spec;
    reading.addresses == Some(in_use.addresses) && reading.spec.as_ref().is_some_and(same)
}

fn understood<I>(
    readings: &[Made<Name, I, Reading>],
    shapes: &[Made<ShapeKey, Same<Surroundings>, Met>],
) -> impl Iterator<Item = (Name, Understood)> {
    readings.iter().map(|made| {
        let place = |key| shapes.binary_search_by(|met| met.key.cmp(key)).ok();
        let place = made.output.shape.as_ref().and_then(place);
        let shape = place.map(|place| Same::of(&shapes[place].output));
        (made.key.clone(), Understood { reading: Same::of(&made.output), shape })
    })
}

fn claim<'c>(candidate: &'c Candidate) -> Claim<'c> {
    let Candidate { name, object, in_use: _, written, before } = candidate;
    let addresses = |version: &Version| version.draft.addresses;
    let before = before.as_ref().map(addresses);
    let wanted = written.as_ref().map(addresses).or(before);
    Claim { name, metadata: &object.metadata, wanted, before }
}

/// The VIPs that have their addresses, from the oldest on, each with the version that it is to be.
fn members(candidates: Vec<Candidate>, owners: &Owners, about: &mut About) -> Vec<Member> {
    let rank = |place: usize| {
        let Candidate { object, in_use, .. } = &candidates[place];
        Seniority::new(&object.metadata, in_use.is_some(), place)
    };
    let mut ranked: Vec<Seniority<usize>> = owners.places().map(rank).collect();
    ranked.sort_unstable();
    let mut candidates: Vec<Option<Candidate>> = candidates.into_iter().map(Some).collect();
    let mut older = Older::default();
    let mut members = Vec::with_capacity(ranked.len());
    for Seniority { id: place, .. } in ranked {
        let Some(candidate) = candidates[place].take() else { continue };
        let Some(member) = member(place, candidate, owners, &older, about) else { continue };
        older.take_in(&member);
        members.push(member);
    }
    members
}

fn member(
    place: usize,
    Candidate { name, object: _, in_use: _, written, before }: Candidate,
    owners: &Owners,
    older: &Older,
    about: &mut About,
) -> Option<Member> {
    let written = written.filter(|written| owners.own(place, written.draft.addresses));
    let written = written.and_then(|written| Some((older.admits(name, &written.draft, about)?, written)));
    let before = before.filter(|before| owners.leave(before.draft.addresses, place));
    let name = name.clone();
    Some(match (written, before) {
        (Some((without, version)), None) => Member { name, version, without, standing: Standing::New },
        (Some((without, version)), Some(before)) => {
            let same = Arc::ptr_eq(&before.draft.shape, &version.draft.shape);
            let refused_by = before.in_use.refused_by.clone();
            let standing = if same { Standing::InUse { refused_by } } else { Standing::Edited(before) };
            Member { name, version, without, standing }
        }
        (None, Some(version)) => {
            about.vip(&name).note("", Reason::Ignored, groups::AS_BEFORE);
            let standing = Standing::InUse { refused_by: version.in_use.refused_by.clone() };
            Member { name, version, without: BTreeSet::new(), standing }
        }
        (None, None) => return None,
    })
}

/// What the older VIPs have.
#[derive(Debug, Default)]
struct Older {
    addresses: HashMap<IpAddr, Name>,
    peers: HashMap<IpAddr, Name>,
}

impl Older {
    /// The peers that the VIP has to do without, since they are older VIPs' addresses; `None`: its own
    /// address is somebody's peer.
    fn admits(&self, name: &Name, draft: &Draft, about: &mut About) -> Option<BTreeSet<IpAddr>> {
        let mut without = BTreeSet::new();
        for peer in draft.shape.peers() {
            let Some(vip) = self.addresses.get(&peer) else { continue };
            let message = format!("{peer} is the address of ProxyVIP {vip}; write the router's");
            about.vip(name).refuse("spec.bgpConfig.peers", Reason::AddressInUse, message);
            without.insert(peer);
        }
        for route in draft.addresses.iter() {
            let user = match self.peers.get(&route.address()) {
                Some(vip) => format!("a peer of ProxyVIP {vip}"),
                None if draft.shape.peers().any(|peer| peer == route.address()) => {
                    "a peer of its own".to_owned()
                }
                None => continue,
            };
            let message = address::in_use(route, &user);
            about.vip(name).refuse(address::field_of(route), Reason::AddressInUse, message);
            return None;
        }
        Some(without)
    }

    /// Also what the VIP may yet fall back to.
    fn take_in(&mut self, Member { name, version, without, standing }: &Member) {
        let before = if let Standing::Edited(before) = standing { Some(before) } else { None };
        for draft in [Some(version), before].into_iter().flatten().map(|version| &version.draft) {
            for route in draft.addresses.iter() {
                self.addresses.entry(route.address()).or_insert_with(|| name.clone());
            }
            for peer in draft.shape.peers().filter(|peer| !without.contains(peer)) {
                self.peers.entry(peer).or_insert_with(|| name.clone());
            }
        }
    }
}

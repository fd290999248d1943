//! All VIPs together: whose address is whose, and which version of each is used.
//!
//! A VIP that was in use and whose edit is refused goes on as it was before the edit, on every node: a slip
//! of the pen withdraws nothing (as a file that does not parse changes nothing, spec §2.9).
//!
//! 1. read every VIP, as written and as it was last in use ([`vip::draft`])
//! 2. settle the owners of addresses ([`address::owners`])
//! 3. from the oldest on, choose the version that quarrels with nobody's address
//! 4. let the speakers decide about the rest ([`super::groups`])

use super::accepted::InUse;
use super::address::{self, Claim, Owners};
use super::groups::{self, Group, Member, Standing};
use super::rejection::{Findings, Rejection};
use super::scene::{Scene, Seniority};
use super::shape::Shapes;
use super::speakers::Speakers;
use super::vip::{self, Draft};
use crate::api::condition::Reason;
use crate::model::name::Name;
use std::collections::{BTreeMap, BTreeSet};
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

/// What there is to choose from.
#[derive(Debug)]
struct Versions {
    /// `None`: what is written is refused.
    written: Option<Version>,
    before: Option<Version>,
}

type About = BTreeMap<Name, Findings>;

pub fn compile(scene: &Scene, rejections: &mut Vec<Rejection>) -> Vips {
    let mut about = About::new();
    let versions = versions(scene, &mut about);
    let owners = address::owners(&claims(&versions), scene, &mut about);
    let members = members(versions, &owners, scene, &mut about);
    let vips = groups::settle(members, scene, &mut about);
    rejections.extend(about.into_values().flat_map(Findings::into_rejections));
    vips
}

fn versions(scene: &Scene, about: &mut About) -> BTreeMap<Name, Versions> {
    let mut shapes = Shapes::new(scene);
    let mut versions = BTreeMap::new();
    for (name, object) in &scene.world.vips {
        let mut findings = Findings::about("ProxyVIP", name);
        let written = vip::spec(object, scene.world, &mut findings).and_then(|spec| {
            let addresses = vip::addresses(name, &spec, scene.pools, &mut findings);
            let draft = vip::draft(&spec, addresses, &mut shapes, &mut findings)?;
            let in_use =
                InUse { spec: Arc::new(spec), addresses: draft.addresses, refused_by: BTreeSet::new() };
            Some(Version { in_use, draft: Arc::new(draft) })
        });
        let before = scene.accepted.vips.get(name).and_then(|in_use| match &written {
            Some(Version { in_use: written, draft }) if written.same_version(in_use) => {
                Some(Version { in_use: in_use.clone(), draft: draft.clone() })
            }
            _ => before(name, in_use, &mut shapes),
        });
        versions.insert(name.clone(), Versions { written, before });
        about.insert(name.clone(), findings);
    }
    versions
}

/// What was in use once can be used again, so nothing is to be said about it.
fn before(name: &Name, in_use: &InUse, shapes: &mut Shapes) -> Option<Version> {
    let mut unheard = Findings::about("ProxyVIP", name);
    let draft = vip::draft(&in_use.spec, Some(in_use.addresses), shapes, &mut unheard)?;
    Some(Version { in_use: in_use.clone(), draft: Arc::new(draft) })
}

fn claims(versions: &BTreeMap<Name, Versions>) -> BTreeMap<Name, Claim> {
    let claim = |Versions { written, before }: &Versions| {
        let addresses = |version: &Version| version.draft.addresses;
        let before = before.as_ref().map(addresses);
        Claim { wanted: written.as_ref().map(addresses).or(before), before }
    };
    versions.iter().map(|(name, versions)| (name.clone(), claim(versions))).collect()
}

/// The VIPs that have their addresses, from the oldest on, each with the version that it is to be.
fn members(
    mut versions: BTreeMap<Name, Versions>,
    owners: &Owners,
    scene: &Scene,
    about: &mut About,
) -> Vec<Member> {
    let mut older = Older::default();
    let mut members = Vec::new();
    for name in by_age(owners, scene) {
        let (Some(versions), Some(findings)) = (versions.remove(&name), about.get_mut(&name)) else {
            continue;
        };
        let Some(member) = member(name, versions, owners, &older, findings) else { continue };
        older.take_in(&member);
        members.push(member);
    }
    members
}

fn member(
    name: Name,
    Versions { written, before }: Versions,
    owners: &Owners,
    older: &Older,
    findings: &mut Findings,
) -> Option<Member> {
    let written = written.filter(|written| owners.own(&name, written.draft.addresses));
    let written = written.and_then(|written| Some((older.admits(&written.draft, findings)?, written)));
    let before = before.filter(|before| owners.leave(before.draft.addresses, &name));
    Some(match (written, before) {
        (Some((without, version)), None) => Member { name, version, without, standing: Standing::New },
        (Some((without, version)), Some(before)) => {
            let same = before.draft.shape.id == version.draft.shape.id;
            let refused_by = before.in_use.refused_by.clone();
            let standing = if same { Standing::InUse { refused_by } } else { Standing::Edited(before) };
            Member { name, version, without, standing }
        }
        (None, Some(version)) => {
            findings.note("", Reason::Ignored, groups::AS_BEFORE);
            let standing = Standing::InUse { refused_by: version.in_use.refused_by.clone() };
            Member { name, version, without: BTreeSet::new(), standing }
        }
        (None, None) => return None,
    })
}

fn by_age(owners: &Owners, scene: &Scene) -> Vec<Name> {
    let ranks = owners.names().filter_map(|name| {
        let metadata = &scene.world.vips.get(name)?.metadata;
        let in_use = scene.accepted.vips.contains_key(name);
        Some(Seniority::new(metadata, in_use, name))
    });
    let ranks: BTreeSet<Seniority<&Name>> = ranks.collect();
    ranks.into_iter().map(|rank| rank.id.clone()).collect()
}

/// What the older VIPs have.
#[derive(Debug, Default)]
struct Older {
    addresses: BTreeMap<IpAddr, Name>,
    peers: BTreeMap<IpAddr, Name>,
}

impl Older {
    /// The peers that the VIP has to do without, since they are older VIPs' addresses; `None`: its own
    /// address is somebody's peer.
    fn admits(&self, draft: &Draft, findings: &mut Findings) -> Option<BTreeSet<IpAddr>> {
        let mut without = BTreeSet::new();
        for peer in draft.shape.peers() {
            let Some(vip) = self.addresses.get(&peer) else { continue };
            let message = format!("{peer} is the address of ProxyVIP {vip}; write the router's");
            findings.refuse("spec.bgpConfig.peers", Reason::AddressInUse, message);
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
            findings.refuse(address::field_of(route), Reason::AddressInUse, address::in_use(route, &user));
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

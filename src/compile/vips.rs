//! All VIPs together: whose address is whose, who is served on this node, and the speaker they share.
//!
//! A VIP that was in service and whose edit is refused goes on as it was before the edit: a slip of the
//! pen withdraws nothing (as a file that does not parse changes nothing, spec §2.9).

use super::address::{self, Claim};
use super::bgp::BgpWish;
use super::here::{Here, Seniority};
use super::peer::{Authentication, Session};
use super::rejection::{Findings, Rejection};
use super::speaker::Assembly;
use super::vip::{self, Candidate, Verdict};
use crate::api::ProxyVIP;
use crate::api::condition::Reason;
use crate::model::bgp::Speaker;
use crate::model::name::Name;
use crate::model::snapshot::Snapshot;
use crate::model::vip::{Addresses, Reach, Vip};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// This node's share. `used_ports` are still empty.
#[derive(Debug, Default)]
pub struct Vips {
    pub vips: BTreeMap<Name, Vip>,
    pub allowed_namespaces: BTreeMap<Name, BTreeSet<String>>,
    pub speaker: Option<Speaker>,
}

/// A VIP on its way, with what was found about it.
#[derive(Debug, Default)]
struct Draft {
    /// `None`: the spec is refused.
    verdict: Option<Verdict>,
    allowed_namespaces: Option<BTreeSet<String>>,
}

type About = BTreeMap<Name, Findings>;

pub fn compile(here: &Here, rejections: &mut Vec<Rejection>) -> Vips {
    let mut about = About::new();
    let (mut drafts, mut claims) = (BTreeMap::new(), BTreeMap::new());
    for (name, object) in &here.world.vips {
        let mut findings = Findings::about("ProxyVIP", name);
        let (draft, claim) = draft(name, object, here, &mut findings);
        drafts.insert(name.clone(), draft);
        claims.insert(name.clone(), claim);
        about.insert(name.clone(), findings);
    }
    let owners = address::owners(&claims, here, &mut about);
    let vips = assemble(&owners, drafts, here, &mut about);
    rejections.extend(about.into_values().flat_map(Findings::into_rejections));
    vips
}

fn draft(name: &Name, object: &ProxyVIP, here: &Here, findings: &mut Findings) -> (Draft, Claim) {
    let before = in_service(name, here).map(|(vip, _)| vip.addresses);
    let Some(spec) = vip::spec(object, here, findings) else {
        return (Draft::default(), Claim { wanted: None, before });
    };
    let wanted = address::written(&spec, findings);
    let verdict = vip::verdict(&spec, here, findings).filter(|_| wanted.is_some());
    let wanted = if verdict.is_some() { wanted } else { before };
    let allowed_namespaces = spec.allowed_namespaces.map(BTreeSet::from_iter);
    (Draft { verdict, allowed_namespaces }, Claim { wanted, before })
}

fn assemble(
    owners: &BTreeMap<Name, Addresses>,
    mut drafts: BTreeMap<Name, Draft>,
    here: &Here,
    about: &mut About,
) -> Vips {
    let mut vips = Vips::default();
    let mut assembly = Assembly::default();
    let mut taken = BTreeMap::new();
    for name in by_age(owners, here) {
        let (Some(draft), Some(findings)) = (drafts.remove(&name), about.get_mut(&name)) else { continue };
        let addresses = owners[&name];
        let candidate = match draft.verdict {
            Some(Verdict::Elsewhere) => continue,
            Some(Verdict::Here(candidate)) => agreeing(*candidate, addresses, &taken, &assembly, findings),
            Some(Verdict::Unfit) | None => None,
        };
        let agreed = candidate.map(|candidate| (candidate, addresses));
        let agreed = agreed.or_else(|| as_before(&name, owners, here, findings));
        let Some((candidate, addresses)) = agreed else { continue };
        taken.extend(addresses.iter().map(|route| (route.address(), name.clone())));
        let vip = Vip {
            addresses,
            ports: candidate.ports,
            reach: Reach::Bgp(assembly.join(&name, candidate.wish)),
            used_ports: BTreeSet::new(),
            min_healthy_nodes: candidate.min_healthy_nodes,
            withdraw_when_no_backends: candidate.withdraw_when_no_backends,
            drain_period: candidate.drain_period,
        };
        vips.vips.insert(name.clone(), vip);
        vips.allowed_namespaces.extend(draft.allowed_namespaces.map(|allowed| (name, allowed)));
    }
    vips.speaker = assembly.into_speaker();
    vips
}

/// The candidate, unless it contradicts VIPs that are older.
fn agreeing(
    mut candidate: Candidate,
    addresses: Addresses,
    older: &BTreeMap<IpAddr, Name>,
    assembly: &Assembly,
    findings: &mut Findings,
) -> Option<Candidate> {
    let sessions = &mut candidate.wish.sessions;
    sessions.retain(|peer, _| {
        let vip = older.get(peer);
        if let Some(vip) = vip {
            let message = format!("{peer} is the address of ProxyVIP {vip}; write the router's");
            findings.refuse("spec.bgpConfig.peers", Reason::AddressInUse, message);
        }
        vip.is_none()
    });
    for route in addresses.iter() {
        let own = sessions.contains_key(&route.address());
        let user = match assembly.vip_with_peer(route.address()) {
            Some(vip) => format!("a peer of ProxyVIP {vip}"),
            None if own => "a peer of its own".to_owned(),
            None => continue,
        };
        findings.refuse(address::field_of(route), Reason::AddressInUse, address::in_use(route, &user));
        return None;
    }
    assembly.agrees(&candidate.wish, findings).then_some(candidate)
}

fn by_age(owners: &BTreeMap<Name, Addresses>, here: &Here) -> Vec<Name> {
    let serving = |name| here.previous.is_some_and(|previous| previous.vips.contains_key(name));
    let ranks = owners.keys().filter_map(|name| {
        let metadata = &here.world.vips.get(name)?.metadata;
        Some(Seniority::new(metadata, serving(name), name.clone()))
    });
    ranks.collect::<BTreeSet<_>>().into_iter().map(|rank| rank.id).collect()
}

fn in_service<'a>(name: &Name, here: &Here<'a>) -> Option<(&'a Vip, &'a Speaker)> {
    let previous: &Snapshot = here.previous?;
    Some((previous.vips.get(name)?, previous.speaker.as_ref()?))
}

/// What the VIP was in service, in the words of a candidate.
fn as_before(
    name: &Name,
    owners: &BTreeMap<Name, Addresses>,
    here: &Here,
    findings: &mut Findings,
) -> Option<(Candidate, Addresses)> {
    let (vip, speaker) = in_service(name, here)?;
    let shares = |other: &Addresses| vip.addresses.iter().any(|route| other.contains(route.address()));
    if owners.iter().any(|(other, addresses)| other != name && shares(addresses)) {
        return None;
    }
    findings.note("", Reason::Ignored, "the edit is not used; the VIP goes on as it was before");
    let Reach::Bgp(route) = &vip.reach;
    let sessions = route.peers.iter().filter_map(|address| {
        let mut peer = speaker.peers.get(address)?.clone();
        let authentication = peer.password.take().map_or(Authentication::Open, Authentication::Md5);
        Some((*address, Session { peer, authentication }))
    });
    let wish = BgpWish {
        asn: speaker.asn,
        router_id: speaker.router_id,
        graceful_restart: speaker.graceful_restart,
        sessions: sessions.collect(),
        attributes: route.attributes.clone(),
    };
    let candidate = Candidate {
        ports: vip.ports.clone(),
        wish,
        min_healthy_nodes: vip.min_healthy_nodes,
        withdraw_when_no_backends: vip.withdraw_when_no_backends,
        drain_period: vip.drain_period,
    };
    Some((candidate, vip.addresses))
}

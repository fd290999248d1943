//! A plan as flat values that a template prints. Pure.
//!
//! Everything here is a number, an address, or text that this file made from the model's closed types, so no
//! value can end its line or start another. The one free text, the password, holds no quote and no backslash
//! ([`crate::model::bgp::Password`]).
//!
//! # How a prefix comes out
//!
//! `direct` puts what `lo` has into tables of our own (`novaedge_held4`). A pipe lets what is wanted through
//! into another (`novaedge4`), and its filter puts on the route all that it shall carry: so `birdc show route`
//! shows it, an address that the kernel drops is gone from there, and a change of one prefix, which makes the
//! pipe look at all of them again, changes one route. The sessions export that table by filters that change
//! only with the peers. What another AS and our own must see differently waits in attributes of ours for them:
//! MED (which BIRD sends to another AS only when the export filter sets it), prepending (not for iBGP).
//!
//! OSPF has tables of its own (`novaedge_ospf4`), filled from the same held ones; a route goes out as an external one
//! of type 1 (RFC 2328 §2.3), whose metric adds to the way to the node: a stub network would have a cost as well, but
//! is there whether or not the kernel has the address.

use super::protocols::Link;
use crate::model::bgp::{Asn, Audience, Community, PathAttributes, Peer};
use crate::model::net::{Family, HostRoute};
use crate::model::ospf::{Authentication, Cost, Version};
use crate::plan::{OspfPlan, RoutingPlan, SpeakerPlan};
use crate::routing::digest::digest;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// `novaedge_audience` of what goes to all our peers, and of what goes to the operator's.
const EVERYBODY: u32 = 0;
const OPERATORS: u32 = 1;

#[derive(Debug, Serialize)]
pub struct View {
    pub speaker: Option<SpeakerView>,
    pub ospf: Option<OspfView>,
    pub families: Vec<FamilyView>,
    /// Something goes out over the operator's sessions.
    pub attaches: bool,
}

#[derive(Debug, Serialize)]
pub struct SpeakerView {
    pub asn: u32,
    pub router_id: String,
    pub restart_seconds: Option<u16>,
    pub peers: Vec<PeerView>,
}

#[derive(Debug, Serialize)]
pub struct OspfView {
    pub router_id: String,
    pub area: String,
    pub interfaces: Vec<String>,
    pub hello: u16,
    pub dead: u16,
    /// As BIRD calls it: `none`, `simple`, `cryptographic`.
    pub authentication: &'static str,
    pub key: Option<String>,
    pub restarts: bool,
}

#[derive(Debug, Serialize)]
pub struct FamilyView {
    pub digit: u8,
    pub classes: Vec<ClassView>,
    /// Whether OSPF is spoken for it, of this version.
    pub ospf: Option<u8>,
    pub costs: Vec<CostView>,
}

/// Prefixes of one cost in OSPF.
#[derive(Debug, Serialize)]
pub struct CostView {
    pub cost: u16,
    pub prefixes: Vec<String>,
}

/// Prefixes that are alike in all but their address.
#[derive(Debug, Serialize)]
pub struct ClassView {
    pub prefixes: Vec<String>,
    pub audience: u32,
    pub communities: Vec<String>,
    pub large_communities: Vec<String>,
    pub local_preference: Option<u32>,
    pub med: Option<u32>,
    pub med_attribute: &'static str,
    /// How often our eBGP sessions prepend.
    pub prepend: u8,
    /// What is prepended before the operator's filters look at it.
    pub path: Vec<u32>,
}

#[derive(Debug, Serialize)]
pub struct PeerView {
    /// Part of a symbol: `10_0_0_254`.
    pub name: String,
    pub address: String,
    pub port: u16,
    pub asn: u32,
    pub external: bool,
    pub source: Option<String>,
    pub password: Option<String>,
    pub hold: u16,
    pub keepalive: u16,
    pub hops: Option<u8>,
    pub on_link: bool,
    pub ttl_security: bool,
    /// The values of `novaedge_audience` that go there: `0, 77`.
    pub audiences: String,
    /// 1 to the most that any class prepends.
    pub times: Vec<u8>,
}

/// What the templates print for `plan` on a node with these connected prefixes.
pub fn view(plan: &RoutingPlan, links: &[Link]) -> View {
    let wanted = |_: &&SpeakerPlan| plan.has_own_instance() || !plan.announcements.is_empty();
    let speaker = plan.speaker.as_ref().filter(wanted);
    let families = [(Family::Ipv4, 4), (Family::Ipv6, 6)];
    View {
        speaker: speaker.map(|speaker| SpeakerView {
            asn: speaker.asn.get(),
            router_id: speaker.router_id.to_string(),
            restart_seconds: speaker.graceful_restart.map(|restart| restart.restart_seconds),
            peers: speaker.peers.values().map(|peer| self::peer(peer, speaker, plan, links)).collect(),
        }),
        ospf: plan.ospf.as_ref().filter(|ospf| !ospf.interfaces.is_empty()).map(ospf),
        families: families
            .map(|(family, digit)| FamilyView {
                digit,
                classes: speaker.map_or_else(Vec::new, |speaker| classes(plan, speaker, family)),
                ospf: version(plan, family),
                costs: costs(plan, family),
            })
            .into(),
        attaches: plan.announcements.values().any(|one| one.audience == Audience::Operators),
    }
}

fn ospf(plan: &OspfPlan) -> OspfView {
    let (authentication, key) = match &plan.authentication {
        Authentication::None => ("none", None),
        Authentication::Simple(key) => ("simple", Some(key.expose().to_owned())),
        Authentication::Md5(key) => ("cryptographic", Some(key.expose().to_owned())),
    };
    OspfView {
        router_id: plan.router_id.to_string(),
        area: plan.area.to_string(),
        interfaces: plan.interfaces.iter().map(|name| name.as_str().to_owned()).collect(),
        hello: plan.timers.hello_seconds,
        dead: plan.timers.dead_seconds,
        authentication,
        key,
        restarts: plan.graceful_restart,
    }
}

fn version(plan: &RoutingPlan, family: Family) -> Option<u8> {
    let version = Version::of(family);
    plan.ospf.as_ref().filter(|ospf| ospf.versions.contains(&version))?;
    Some(match version {
        Version::V2 => 2,
        Version::V3 => 3,
    })
}

fn costs(plan: &RoutingPlan, family: Family) -> Vec<CostView> {
    let mut costs: BTreeMap<Cost, Vec<String>> = BTreeMap::new();
    let routes = plan.ospf.iter().flat_map(|ospf| &ospf.routes);
    for (route, cost) in routes.filter(|(route, _)| route.family() == family) {
        costs.entry(*cost).or_default().push(route.to_string());
    }
    costs.into_iter().map(|(cost, prefixes)| CostView { cost: cost.get(), prefixes }).collect()
}

fn classes(plan: &RoutingPlan, speaker: &SpeakerPlan, family: Family) -> Vec<ClassView> {
    let mut classes: BTreeMap<(u32, &PathAttributes), Vec<HostRoute>> = BTreeMap::new();
    for (route, announcement) in plan.announcements.iter().filter(|(route, _)| route.family() == family) {
        let key = (audience(&announcement.audience, speaker), &announcement.attributes);
        classes.entry(key).or_default().push(*route);
    }
    let class = |((audience, attributes), routes): ((u32, &PathAttributes), Vec<HostRoute>)| {
        self::class(audience, attributes, &routes, speaker.asn)
    };
    classes.into_iter().map(class).collect()
}

fn class(audience: u32, attributes: &PathAttributes, routes: &[HostRoute], own: Asn) -> ClassView {
    let PathAttributes { communities, local_preference, med, prepend } = attributes;
    let standard = communities.iter().filter_map(|community| match community {
        Community::Standard(a, b) => Some(format!("({a},{b})")),
        Community::Large(..) => None,
    });
    let large = communities.iter().filter_map(|community| match community {
        Community::Large(a, b, c) => Some(format!("({a},{b},{c})")),
        Community::Standard(..) => None,
    });
    let attached = audience == OPERATORS;
    ClassView {
        prefixes: routes.iter().map(ToString::to_string).collect(),
        audience,
        communities: standard.collect(),
        large_communities: large.collect(),
        local_preference: *local_preference,
        med: *med,
        med_attribute: if attached { "bgp_med" } else { "novaedge_med" },
        prepend: if attached { 0 } else { *prepend },
        path: if attached { vec![own.get(); usize::from(*prepend)] } else { Vec::new() },
    }
}

/// Everybody keeps its number when a peer comes or goes; a part of the peers has one made of their addresses.
fn audience(audience: &Audience, speaker: &SpeakerPlan) -> u32 {
    match audience {
        Audience::Operators => OPERATORS,
        Audience::Peers(peers) if speaker.peers.keys().all(|peer| peers.contains(peer)) => EVERYBODY,
        Audience::Peers(peers) => 2 + (digest(&format!("{peers:?}")) % 0x7fff_0000) as u32,
    }
}

fn peer(peer: &Peer, speaker: &SpeakerPlan, plan: &RoutingPlan, links: &[Link]) -> PeerView {
    let Peer { address, asn, port, password, timers, multihop, ttl_security, source, bfd: _ } = peer;
    let parts = plan.announcements.values().filter(|one| one.audience.has(*address));
    let audiences: BTreeSet<u32> =
        parts.map(|one| audience(&one.audience, speaker)).chain([EVERYBODY]).collect();
    let most = plan.announcements.values().map(|one| one.attributes.prepend).max().unwrap_or(0);
    // RFC 5082: within one hop the session is a direct one.
    let hops = multihop.or(ttl_security.filter(|hops| hops.get() > 1));
    PeerView {
        name: symbol(*address),
        address: address.to_string(),
        port: port.get(),
        asn: asn.get(),
        external: *asn != speaker.asn,
        source: source.map(|source| source.to_string()),
        password: password.as_ref().map(|password| password.expose().to_owned()),
        hold: timers.hold_seconds,
        keepalive: timers.keepalive_seconds,
        hops: hops.map(|hops| hops.get()),
        on_link: *asn != speaker.asn || ttl_security.is_some() || links.iter().any(|link| link.has(*address)),
        ttl_security: ttl_security.is_some(),
        audiences: audiences.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        times: (1..=most).collect(),
    }
}

/// An address as a part of a symbol of BIRD's.
pub fn symbol(address: IpAddr) -> String {
    address.to_string().replace(['.', ':'], "_")
}

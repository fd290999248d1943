//! A VIP's addresses, and whose they are (spec §2.10).

use super::rejection::Findings;
use super::scene::{Scene, Seniority};
use super::vips::About;
use crate::api::condition::Reason;
use crate::api::vip::{AddressFamily, VipSpec};
use crate::model::name::Name;
use crate::model::net::HostRoute;
use crate::model::vip::Addresses;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::collections::HashMap;

/// The addresses that the spec writes, in the families that it asks for. What is missing may come from a
/// pool, if there is somebody who gives it (`has_pools`).
pub fn written(spec: &VipSpec, has_pools: bool, findings: &mut Findings) -> Option<Addresses> {
    let first = parse("spec.address", spec.address.as_deref(), findings)?;
    let second = parse("spec.ipv6Address", spec.ipv6_address.as_deref(), findings)?;
    if second.is_some_and(|second| second.address().is_ipv4()) {
        let message = "this is an IPv4 address; write it as address";
        findings.refuse("spec.ipv6Address", Reason::InvalidValue, message);
        return None;
    }
    let given: Vec<HostRoute> = first.into_iter().chain(second).collect();
    let count = |v4: bool| given.iter().filter(|route| route.address().is_ipv4() == v4).count();
    let (v4, v6) = (count(true), count(false));
    let family = spec.address_family.unwrap_or(match (v4, v6) {
        (1, 1) => AddressFamily::Dual,
        (0, 1..) => AddressFamily::Ipv6,
        _ => AddressFamily::Ipv4,
    });
    match (family, v4, v6) {
        (AddressFamily::Ipv4, 1, 0) | (AddressFamily::Ipv6, 0, 1) | (AddressFamily::Dual, 1, 1) => {}
        (_, _, 2) => return twice(findings),
        (AddressFamily::Ipv4, _, 1) => return surplus("ipv4", "IPv6", findings),
        (AddressFamily::Ipv6, 1, _) => return surplus("ipv6", "IPv4", findings),
        _ => return missing(spec, has_pools, findings),
    }
    Addresses::new(given).ok()
}

fn parse(field: &str, text: Option<&str>, findings: &mut Findings) -> Option<Option<HostRoute>> {
    let Some(text) = text else { return Some(None) };
    findings.valid(field, HostRoute::parse(text)).map(Some)
}

fn twice(findings: &mut Findings) -> Option<Addresses> {
    let message = "address and ipv6Address are both IPv6; a VIP has one address of each family: keep one";
    findings.refuse("spec.ipv6Address", Reason::InvalidValue, message);
    None
}

fn surplus(family: &str, other: &str, findings: &mut Findings) -> Option<Addresses> {
    let message =
        format!("{family} takes no {other} address; write dual to have both, or remove the address");
    findings.refuse("spec.addressFamily", Reason::InvalidValue, message);
    None
}

fn missing(spec: &VipSpec, has_pools: bool, findings: &mut Findings) -> Option<Addresses> {
    if spec.pool_ref.is_some() && has_pools {
        // `ipam` says why there is none yet.
        return None;
    }
    if spec.pool_ref.is_some() {
        let message = "only a controller gives addresses out of pools, so that no two nodes give one twice; \
                       run novaedge-controller, or write address and ipv6Address";
        findings.refuse("spec.poolRef", Reason::NotSupported, message);
    } else {
        let (field, message) = match (spec.address_family, spec.address.is_some()) {
            (Some(AddressFamily::Dual), true) => {
                ("spec.ipv6Address", "addressFamily dual needs an IPv6 address too; write it here")
            }
            (Some(AddressFamily::Ipv6), _) => {
                ("spec.ipv6Address", "the VIP has no IPv6 address; write one like 2001:db8::50")
            }
            _ => ("spec.address", "the VIP has no address; write one like 10.200.0.20/32"),
        };
        findings.refuse(field, Reason::Missing, message);
    }
    None
}

/// What a VIP asks for, and what it has in service.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    pub name: &'a Name,
    pub metadata: &'a ObjectMeta,
    pub wanted: Option<Addresses>,
    pub before: Option<Addresses>,
}

/// Whose address is whose. VIPs are known by their place in the order of names.
#[derive(Debug, Default)]
pub struct Owners {
    granted: Vec<Option<Addresses>>,
    by_route: HashMap<HostRoute, usize>,
}

impl Owners {
    /// The VIPs that have addresses.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        self.granted.iter().enumerate().filter_map(|(place, granted)| granted.map(|_| place))
    }

    pub fn own(&self, vip: usize, addresses: Addresses) -> bool {
        self.granted.get(vip) == Some(&Some(addresses))
    }

    /// Whether nobody else has any of them.
    pub fn leave(&self, addresses: Addresses, vip: usize) -> bool {
        addresses.iter().all(|route| self.by_route.get(&route).is_none_or(|owner| *owner == vip))
    }
}

/// An address belongs to the oldest VIP that has it. A younger one gets none of what it asks for: half a
/// dual-stack VIP is nobody's wish. What it had in service stays with it. `claims` come in the order of names.
pub fn owners(claims: &[Claim], scene: &Scene, about: &mut About) -> Owners {
    let shared = |wanted: Addresses, before: Addresses| wanted.iter().any(|r| before.contains(r.address()));
    let rank = |(place, claim): (usize, &Claim)| {
        let Claim { name: _, metadata, wanted, before } = *claim;
        let serving = wanted.or(before).zip(before).is_some_and(|(w, b)| shared(w, b));
        Seniority::new(metadata, serving, place)
    };
    let mut ranked: Vec<Seniority<usize>> = claims.iter().enumerate().map(rank).collect();
    ranked.sort_unstable();
    let mut owners = Owners { granted: vec![None; claims.len()], by_route: HashMap::new() };
    for Seniority { id: place, .. } in ranked {
        let Claim { name, wanted, before, .. } = claims[place];
        let why = |addresses: &Addresses| refusal(addresses, &owners.by_route, claims, scene);
        let refused = wanted.as_ref().and_then(why);
        let granted = match (&refused, wanted) {
            (None, Some(wanted)) => Some(wanted),
            _ => before.filter(|before| why(before).is_none()),
        };
        if let Some((field, reason, message)) = refused {
            about.vip(name).refuse(field, reason, message);
        }
        owners.by_route.extend(granted.iter().flat_map(|granted| granted.iter()).map(|route| (route, place)));
        owners.granted[place] = granted;
    }
    owners
}

/// Why the addresses cannot be had.
fn refusal(
    addresses: &Addresses,
    taken: &HashMap<HostRoute, usize>,
    claims: &[Claim],
    scene: &Scene,
) -> Option<(&'static str, Reason, String)> {
    addresses.iter().find_map(|route| {
        if let Some(owner) = taken.get(&route) {
            let owner = claims[*owner].name;
            let message =
                format!("{route} belongs to the older ProxyVIP {owner}; give this VIP another address");
            return Some((field_of(route), Reason::Conflicted, message));
        }
        let node = scene.node_with(route.address())?;
        Some((field_of(route), Reason::AddressInUse, in_use(route, &format!("node {node}"))))
    })
}

pub fn in_use(route: HostRoute, user: &str) -> String {
    format!("{} is the address of {user}; give the VIP one that nobody has", route.address())
}

pub fn field_of(route: HostRoute) -> &'static str {
    if route.address().is_ipv4() { "spec.address" } else { "spec.ipv6Address" }
}

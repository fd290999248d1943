//! A VIP's addresses, and whose they are (spec §2.10).

use super::rejection::Findings;
use super::scene::{Scene, Seniority};
use crate::api::condition::Reason;
use crate::api::vip::{AddressFamily, VipSpec};
use crate::model::name::Name;
use crate::model::net::HostRoute;
use crate::model::vip::Addresses;
use std::collections::BTreeMap;

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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Claim {
    pub wanted: Option<Addresses>,
    pub before: Option<Addresses>,
}

/// Whose address is whose.
#[derive(Debug, Default)]
pub struct Owners {
    by_name: BTreeMap<Name, Addresses>,
    by_route: BTreeMap<HostRoute, Name>,
}

impl Owners {
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.by_name.keys()
    }

    pub fn own(&self, vip: &Name, addresses: Addresses) -> bool {
        self.by_name.get(vip) == Some(&addresses)
    }

    /// Whether nobody else has any of them.
    pub fn leave(&self, addresses: Addresses, vip: &Name) -> bool {
        addresses.iter().all(|route| self.by_route.get(&route).is_none_or(|owner| owner == vip))
    }
}

/// An address belongs to the oldest VIP that has it. A younger one gets none of what it asks for: half a
/// dual-stack VIP is nobody's wish. What it had in service stays with it.
pub fn owners(
    claims: &BTreeMap<Name, Claim>,
    scene: &Scene,
    findings: &mut BTreeMap<Name, Findings>,
) -> Owners {
    let mut ranked = BTreeMap::new();
    for (name, claim) in claims {
        let Some(object) = scene.world.vips.get(name) else { continue };
        let shared =
            |wanted: Addresses, before: Addresses| wanted.iter().any(|r| before.contains(r.address()));
        let serving = claim.wanted.or(claim.before).zip(claim.before).is_some_and(|(w, b)| shared(w, b));
        ranked.insert(Seniority::new(&object.metadata, serving, name), *claim);
    }
    let mut owners = Owners::default();
    let Owners { by_name, by_route: taken } = &mut owners;
    for (rank, Claim { wanted, before }) in ranked {
        let refusal = wanted.and_then(|wanted| refusal(&wanted, taken, scene));
        let granted = match (&refusal, wanted) {
            (None, Some(wanted)) => Some(wanted),
            _ => before.filter(|before| self::refusal(before, taken, scene).is_none()),
        };
        if let (Some((field, reason, message)), Some(about)) = (refusal, findings.get_mut(rank.id)) {
            about.refuse(field, reason, message);
        }
        if let Some(granted) = granted {
            taken.extend(granted.iter().map(|route| (route, rank.id.clone())));
            by_name.insert(rank.id.clone(), granted);
        }
    }
    owners
}

/// Why the addresses cannot be had.
fn refusal(
    addresses: &Addresses,
    taken: &BTreeMap<HostRoute, Name>,
    scene: &Scene,
) -> Option<(&'static str, Reason, String)> {
    addresses.iter().find_map(|route| {
        if let Some(owner) = taken.get(&route) {
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

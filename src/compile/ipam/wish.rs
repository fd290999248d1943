//! What each VIP asks of the pools.

use crate::api::ProxyVIP;
use crate::api::reference::NameRef;
use crate::api::vip::{AddressFamily, VipSpec};
use crate::compile::resources::Resources;
use crate::model::name::Name;
use crate::model::net::{Family, HostRoute};
use k8s_openapi::jiff::Timestamp;
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    pub vip: Name,
    pub uid: Option<String>,
    /// The addresses that its spec writes, as far as they can be read.
    pub written: Vec<HostRoute>,
    pub ask: Ask,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// The spec does not say; `compile` refuses it and tells why. The VIP goes on as it was, so it keeps
    /// what it has.
    Unclear,
    /// It writes all of its addresses.
    Nothing,
    FromPool {
        pool: String,
        missing: Vec<Family>,
    },
}

/// The part of a spec that says where addresses come from, with what its template gives.
struct Inherited<'a> {
    address_family: Option<AddressFamily>,
    pool_ref: Option<&'a NameRef>,
}

/// The wishes of all VIPs: the oldest first, of equals by name. In this order they are fulfilled.
pub fn read(world: &Resources) -> Vec<Wish> {
    let mut ranked: BTreeMap<(Option<Timestamp>, &Name), Wish> = BTreeMap::new();
    for (name, vip) in &world.vips {
        let created = vip.metadata.creation_timestamp.as_ref().map(|time| time.0);
        ranked.insert((created, name), wish(name, vip, world));
    }
    ranked.into_values().collect()
}

fn wish(name: &Name, vip: &ProxyVIP, world: &Resources) -> Wish {
    let fields = [vip.spec.address.as_deref(), vip.spec.ipv6_address.as_deref()];
    let parsed: Vec<_> = fields.into_iter().flatten().map(HostRoute::parse).collect();
    let readable = parsed.iter().all(Result::is_ok);
    let written: Vec<HostRoute> = parsed.into_iter().flatten().collect();
    let ask = inherited(vip, world).filter(|_| readable).and_then(|inherited| ask(inherited, &written));
    let ask = ask.unwrap_or(Ask::Unclear);
    Wish { vip: name.clone(), uid: vip.metadata.uid.clone(), written, ask }
}

/// What its template may give; `None`: there is no such template. Nothing else of the spec is asked here, and
/// to copy it for ten thousand VIPs would take its time.
fn inherited<'a>(vip: &'a ProxyVIP, world: &'a Resources) -> Option<Inherited<'a>> {
    let VipSpec { template_ref, address_family, pool_ref, .. } = &vip.spec;
    let Some(reference) = template_ref else {
        return Some(Inherited { address_family: *address_family, pool_ref: pool_ref.as_ref() });
    };
    let template = &world.templates.get(reference.name.as_str())?.spec;
    Some(Inherited {
        address_family: address_family.or(template.address_family),
        pool_ref: pool_ref.as_ref().or(template.pool_ref.as_ref()),
    })
}

/// `None`: what is written and what is asked for contradict each other, or nothing says where the missing
/// address is to come from.
fn ask(Inherited { address_family, pool_ref }: Inherited<'_>, written: &[HostRoute]) -> Option<Ask> {
    let count = |family| written.iter().filter(|route| route.family() == family).count();
    let (v4, v6) = (count(Family::Ipv4), count(Family::Ipv6));
    let family = address_family.unwrap_or(match (v4, v6) {
        (1, 1) => AddressFamily::Dual,
        (0, 1..) => AddressFamily::Ipv6,
        _ => AddressFamily::Ipv4,
    });
    let missing = match (family, v4, v6) {
        (AddressFamily::Ipv4, 1, 0) | (AddressFamily::Ipv6, 0, 1) | (AddressFamily::Dual, 1, 1) => {
            return Some(Ask::Nothing);
        }
        (AddressFamily::Ipv4, 0, 0) | (AddressFamily::Dual, 0, 1) => vec![Family::Ipv4],
        (AddressFamily::Ipv6, 0, 0) | (AddressFamily::Dual, 1, 0) => vec![Family::Ipv6],
        (AddressFamily::Dual, 0, 0) => vec![Family::Ipv4, Family::Ipv6],
        _ => return None,
    };
    let pool = pool_ref?.name.clone();
    Some(Ask::FromPool { pool, missing })
}

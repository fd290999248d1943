//! What each VIP asks of the pools.

use crate::api::reference::NameRef;
use crate::api::vip::{AddressFamily, VipSpec};
use crate::api::{ProxyVIP, ProxyVIPTemplate};
use crate::compile::memo::{Memo, Same};
use crate::compile::resources::Resources;
use crate::compile::vip;
use crate::model::name::Name;
use crate::model::net::{Family, HostRoute};
use k8s_openapi::jiff::Timestamp;
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    pub vip: Name,
    pub uid: Option<String>,
    created: Option<Timestamp>,
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

/// What was read the last time.
pub type Memory = Memo<Name, Written, Wish>;

/// All that [`wish`] reads.
#[derive(Debug, PartialEq)]
pub struct Written {
    object: Same<ProxyVIP>,
    template: Option<Same<ProxyVIPTemplate>>,
}

/// The wishes of all VIPs: the oldest first, of equals by name. In this order they are fulfilled.
pub fn read(world: &Resources, memory: &mut Memory) -> Vec<Arc<Wish>> {
    let inputs = world.vips.iter().map(|(name, object)| {
        let template = vip::template(object, world).map(Same::of);
        (name.clone(), Written { object: Same::of(object), template })
    });
    let wishes = memory.of_each(inputs, wish).iter().map(|made| Arc::clone(&made.output));
    let mut wishes: Vec<Arc<Wish>> = wishes.collect();
    wishes.sort_by_key(|wish| wish.created);
    wishes
}

/// A stage of the compiler (see [`crate::compile::memo`]).
fn wish(name: &Name, Written { object, template }: &Written) -> Wish {
    let fields = [object.spec.address.as_deref(), object.spec.ipv6_address.as_deref()];
    let parsed: Vec<_> = fields.into_iter().flatten().map(HostRoute::parse).collect();
    let readable = parsed.iter().all(Result::is_ok);
    let written: Vec<HostRoute> = parsed.into_iter().flatten().collect();
    let inherited = inherited(object, template.as_deref()).filter(|_| readable);
    let ask = inherited.and_then(|inherited| ask(inherited, &written)).unwrap_or(Ask::Unclear);
    let created = object.metadata.creation_timestamp.as_ref().map(|time| time.0);
    Wish { vip: name.clone(), uid: object.metadata.uid.clone(), created, written, ask }
}

/// What its template may give; `None`: there is no such template. Nothing else of the spec is asked here, and
/// to copy it for ten thousand VIPs would take its time.
fn inherited<'a>(vip: &'a ProxyVIP, template: Option<&'a ProxyVIPTemplate>) -> Option<Inherited<'a>> {
    let VipSpec { template_ref, address_family, pool_ref, .. } = &vip.spec;
    if template_ref.is_none() {
        return Some(Inherited { address_family: *address_family, pool_ref: pool_ref.as_ref() });
    }
    let template = &template?.spec;
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

//! The listeners of all gateways, merged by VIP and port.
//!
//! HTTP listeners share a port and merge by hostname. Any other clash leaves the senior in place; the
//! newer is `Conflicted` (spec §1, ProxyGateway).

use super::attach::{Attached, Traffic};
use super::here::Here;
use super::precedence::virtual_hosts;
use super::rejection::{Findings, Rejection};
use super::vips::Vips;
use crate::api::condition::Reason;
use crate::model::listener::{Listener, ListenerKey, Serves};
use std::collections::BTreeMap;

pub fn merge(
    attached: Vec<Attached>,
    vips: &Vips,
    here: &Here,
    rejections: &mut Vec<Rejection>,
) -> BTreeMap<ListenerKey, Listener> {
    let mut by_port: BTreeMap<ListenerKey, BTreeMap<_, Attached>> = BTreeMap::new();
    for one in attached {
        let rank = one.offer.seniority(here, is_in_service(&one, here));
        by_port.entry(one.offer.at.clone()).or_default().insert(rank, one);
    }
    let mut listeners = BTreeMap::new();
    for (key, sharing) in by_port {
        let Some(vip) = vips.vips.get(&key.vip) else { continue };
        let addresses = vip.addresses.iter().map(|route| route.address()).collect();
        if let Some(serves) = share(sharing.into_values(), &key, rejections) {
            listeners.insert(key, Listener { addresses, serves });
        }
    }
    listeners
}

/// Whether the port does already what this listener wants of it.
fn is_in_service(one: &Attached, here: &Here) -> bool {
    let before = here.previous.and_then(|previous| previous.serving.listeners.get(&one.offer.at));
    match (before.map(|listener| &listener.serves), &one.traffic) {
        (Some(Serves::Http(_)), Traffic::Http(_)) => true,
        (Some(Serves::Tcp(before)), Traffic::Tcp(now)) => before == now,
        _ => false,
    }
}

/// From the senior on.
fn share(
    sharing: impl Iterator<Item = Attached>,
    key: &ListenerKey,
    rejections: &mut Vec<Rejection>,
) -> Option<Serves> {
    let mut settled: Option<Settled> = None;
    for Attached { offer, traffic, .. } in sharing {
        settled = Some(match (settled, traffic) {
            (None, traffic) => Settled { by: format!("{} of {}", offer.section, offer.gateway), traffic },
            (Some(Settled { by, traffic: Traffic::Http(mut routes) }), Traffic::Http(more)) => {
                routes.extend(more);
                Settled { by, traffic: Traffic::Http(routes) }
            }
            (Some(settled), _) => {
                let mut findings = Findings::about("ProxyGateway", &offer.gateway);
                let message = format!(
                    "the older listener {} has port {} of ProxyVIP {}, and only HTTP shares; take another port",
                    settled.by, key.port, key.vip
                );
                findings.refuse(format!("{}.port", offer.field()), Reason::Conflicted, message);
                rejections.extend(findings.into_rejections());
                settled
            }
        });
    }
    Some(match settled?.traffic {
        Traffic::Http(routes) => Serves::Http(virtual_hosts(&routes)),
        Traffic::Tcp(backends) => Serves::Tcp(backends),
    })
}

/// What has a port, and by which listener's word.
struct Settled {
    by: String,
    traffic: Traffic,
}

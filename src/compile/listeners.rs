//! The listeners of all gateways, merged by VIP and port.
//!
//! HTTP listeners share a port and merge by hostname. Any other clash leaves the senior in place; the
//! newer is `Conflicted` (spec §1, ProxyGateway).

use super::attach::{Attached, Traffic};
use super::precedence::virtual_hosts;
use super::rejection::{Findings, Rejection};
use super::scene::Scene;
use super::vips::Vips;
use crate::api::condition::Reason;
use crate::model::listener::{Listener, ListenerKey, Serves};
use std::collections::{BTreeMap, BTreeSet};

/// What the ports of all VIPs do.
#[derive(Debug, Default)]
pub struct Merged {
    pub listeners: BTreeMap<ListenerKey, Listener>,
    /// The listeners of gateways that have each port.
    pub holders: BTreeMap<ListenerKey, BTreeSet<String>>,
}

pub fn merge(attached: Vec<Attached>, vips: &Vips, scene: &Scene, rejections: &mut Vec<Rejection>) -> Merged {
    let mut by_port: BTreeMap<ListenerKey, BTreeMap<_, Attached>> = BTreeMap::new();
    for one in attached {
        let rank = one.offer.seniority(scene, is_in_service(&one, scene));
        by_port.entry(one.offer.at.clone()).or_default().insert(rank, one);
    }
    let mut merged = Merged::default();
    for (key, sharing) in by_port {
        let Some(vip) = vips.used.get(&key.vip) else { continue };
        let addresses = vip.version.draft.addresses.iter().map(|route| route.address()).collect();
        let Some(Settled { by: _, holders, traffic }) = share(sharing.into_values(), &key, rejections) else {
            continue;
        };
        let serves = match traffic {
            Traffic::Http(routes) => Serves::Http(virtual_hosts(&routes)),
            Traffic::Tcp(backends) => Serves::Tcp(backends),
        };
        merged.holders.insert(key.clone(), holders);
        merged.listeners.insert(key, Listener { addresses, serves });
    }
    merged
}

/// Whether the listener has the port already.
fn is_in_service(one: &Attached, scene: &Scene) -> bool {
    let holders = scene.accepted.listeners.get(&one.offer.at);
    holders.is_some_and(|holders| holders.contains(&one.offer.id()))
}

/// From the senior on.
fn share(
    sharing: impl Iterator<Item = Attached>,
    key: &ListenerKey,
    rejections: &mut Vec<Rejection>,
) -> Option<Settled> {
    let mut settled: Option<Settled> = None;
    for Attached { offer, traffic, .. } in sharing {
        settled = Some(match (settled, traffic) {
            (None, traffic) => {
                let by = format!("{} of {}", offer.section, offer.gateway);
                Settled { by, holders: BTreeSet::from([offer.id()]), traffic }
            }
            (Some(Settled { by, mut holders, traffic: Traffic::Http(mut routes) }), Traffic::Http(more)) => {
                routes.extend(more);
                holders.insert(offer.id());
                Settled { by, holders, traffic: Traffic::Http(routes) }
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
    settled
}

/// What has a port, and by which listener's word.
struct Settled {
    by: String,
    holders: BTreeSet<String>,
    traffic: Traffic,
}

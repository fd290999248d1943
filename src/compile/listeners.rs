//! The listeners of all gateways, merged by VIP and port.
//!
//! HTTP listeners share a port and merge by hostname. Any other clash leaves the senior in place; the
//! newer is `Conflicted` (spec §1, ProxyGateway).

use super::attach::{self, Attached, Traffic};
use super::gateway::Offer;
use super::memo::{Along, Memo, Same};
use super::precedence::virtual_hosts;
use super::rejection::{Findings, Rejection};
use super::route::Routed;
use super::scene::Scene;
use super::vips::Vips;
use crate::api::condition::Reason;
use crate::model::listener::{Listener, ListenerKey, Serves};
use crate::model::vip::Addresses;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What the ports of all VIPs do.
#[derive(Debug, Default)]
pub struct Merged {
    pub listeners: BTreeMap<ListenerKey, Arc<Listener>>,
    /// The listeners of gateways that have each port.
    pub holders: BTreeMap<ListenerKey, Arc<BTreeSet<String>>>,
}

/// All that [`port`] reads: the listeners that are to share it, from the senior on, each with its routes.
#[derive(Debug, PartialEq)]
pub struct Sharing {
    addresses: Addresses,
    listeners: Vec<(Same<Offer>, Vec<Same<Routed>>)>,
}

/// What became of a port.
#[derive(Debug)]
pub struct Port {
    /// With its holders.
    serves: Option<(Arc<Listener>, Arc<BTreeSet<String>>)>,
    found: Vec<Rejection>,
}

pub type Memory = Memo<ListenerKey, Sharing, Port>;

pub fn merge(
    mut attached: Vec<Attached>,
    vips: &Vips,
    scene: &Scene,
    memory: &mut Memory,
    rejections: &mut Vec<Rejection>,
) -> Merged {
    attached.sort_by(|a, b| a.offer.at.cmp(&b.offer.at));
    let mut vips = Along::new(&vips.used);
    let sharing = attached.chunk_by_mut(|a, b| a.offer.at == b.offer.at).filter_map(|together| {
        if together.len() > 1 {
            together.sort_by_cached_key(|one| one.offer.age.clone().serving(is_in_service(one, scene)));
        }
        let at = together.first()?.offer.at.clone();
        let addresses = vips.get(&at.vip)?.version.draft.addresses;
        let with_routes = |one: &mut Attached| (Same::of(one.offer), std::mem::take(&mut one.routes));
        Some((at, Sharing { addresses, listeners: together.iter_mut().map(with_routes).collect() }))
    });
    let made = memory.of_each(sharing, port);
    rejections.extend(made.iter().flat_map(|made| &made.output.found).cloned());
    let serves = || made.iter().filter_map(|made| Some((&made.key, made.output.serves.as_ref()?)));
    Merged {
        listeners: serves().map(|(key, (listener, _))| (key.clone(), Arc::clone(listener))).collect(),
        holders: serves().map(|(key, (_, holders))| (key.clone(), Arc::clone(holders))).collect(),
    }
}

/// Whether the listener has the port already.
fn is_in_service(one: &Attached, scene: &Scene) -> bool {
    let holders = scene.accepted.listeners.get(&one.offer.at);
    holders.is_some_and(|holders| holders.contains(&one.offer.id()))
}

/// A stage of the compiler (see [`super::memo`]).
fn port(key: &ListenerKey, Sharing { addresses, listeners }: &Sharing) -> Port {
    let mut found = Vec::new();
    let settled = share(listeners, key, &mut found);
    let serves = settled.map(|Settled { by: _, holders, traffic }| {
        let serves = match traffic {
            Traffic::Http(routes) => Serves::Http(virtual_hosts(&routes)),
            Traffic::Tcp(backends) => Serves::Tcp(backends),
        };
        let addresses = addresses.iter().map(|route| route.address()).collect();
        (Arc::new(Listener { addresses, serves }), Arc::new(holders))
    });
    Port { serves, found }
}

/// From the senior on.
fn share<'a>(
    sharing: &'a [(Same<Offer>, Vec<Same<Routed>>)],
    key: &ListenerKey,
    rejections: &mut Vec<Rejection>,
) -> Option<Settled<'a>> {
    let mut settled: Option<Settled> = None;
    for (offer, routes) in sharing {
        let traffic = attach::traffic(offer, routes, rejections);
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
struct Settled<'a> {
    by: String,
    holders: BTreeSet<String>,
    traffic: Traffic<'a>,
}

//! What users wrote → what is true. Pure, and the only road from `api` to `model`: for the controller, for
//! standalone agents, for `novaedgectl validate`, for tests.
//!
//! [`compile`] cannot fail. It returns one node's [`Snapshot`] of all that is usable, and a [`Rejection`]
//! with object, field and remedy for everything that is not. Two promises:
//!
//! * **A bad object never hurts a good one.** What is refused is the smallest part that can do without the
//!   bad field (an endpoint, a rule, a listener, a peer, the object), and of two that clash the senior
//!   stays. A refused edit leaves a VIP in service as it was.
//! * **Nothing is ignored.** Every spec is taken apart without `..`, so a new field breaks the build until
//!   it is carried out or refused.
//!
//! | file | idea |
//! |---|---|
//! | [`resources`] | the world as written |
//! | [`here`] | the node that is compiled for, what it did before, and who was first |
//! | [`rejection`], [`refs`], [`selector`] | what all kinds need: findings, references, labels |
//! | [`vips`] | all VIPs together; [`vip`] one of them, [`address`] and whose it is |
//! | [`ipam`] | addresses from pools |
//! | [`bgp`], [`peer`], [`secret`], [`bfd`] | what a VIP asks of the node's speaker |
//! | [`speaker`] | the one speaker that they share |
//! | [`backend`], [`health`] | upstream groups |
//! | [`gateway`] | what each listener offers to take in |
//! | [`route`], [`matches`] | rules, and what they compare |
//! | [`attach`], [`parent`] | which routes belong to which listeners |
//! | [`listeners`], [`precedence`] | listeners merged by port, their rules sorted |
//! | [`status`] | how all of it is doing: conditions, events, explanations |
//! | [`later`] | kinds that this version refuses |

pub mod address;
pub mod attach;
pub mod backend;
pub mod bfd;
pub mod bgp;
pub mod gateway;
pub mod health;
pub mod here;
pub mod ipam;
pub mod later;
pub mod listeners;
pub mod matches;
pub mod parent;
pub mod peer;
pub mod precedence;
pub mod refs;
pub mod rejection;
pub mod resources;
pub mod route;
pub mod secret;
pub mod selector;
pub mod speaker;
pub mod status;
#[cfg(test)]
mod tests;
pub mod vip;
pub mod vips;

use crate::model::backend::Backend;
use crate::model::listener::{Listener, Serves};
use crate::model::name::{Key, Name};
use crate::model::snapshot::{Serving, Snapshot};
use here::Here;
use rejection::Rejection;
use resources::Resources;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What became of the world on one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    pub snapshot: Snapshot,
    pub rejections: Vec<Rejection>,
}

/// Compiles the world for one node. `previous` is what the node has in force: it decides between equals,
/// carries the generation on, and keeps what a slip of the pen would withdraw.
pub fn compile(world: &Resources, node: &Name, previous: Option<&Snapshot>) -> Compiled {
    let here = Here::new(world, node, previous);
    let mut rejections = Vec::new();
    let mut vips = vips::compile(&here, &mut rejections);
    let mut backends = backend::compile(&here, &mut rejections);
    let offers = gateway::offers(&here, &vips, &mut rejections);
    let attached = attach::attach(offers, &backends, &here, &mut rejections);
    let listeners = listeners::merge(attached, &vips, &here, &mut rejections);
    later::refuse(&here, &mut rejections);

    for key in listeners.keys() {
        vips.vips.entry(key.vip.clone()).and_modify(|vip| {
            vip.used_ports.insert(key.port);
        });
    }
    backends = in_use(backends, listeners.values());
    let serving = Serving { listeners, backends };
    let mut snapshot = Snapshot {
        generation: 0,
        node: node.clone(),
        speaker: vips.speaker,
        vips: Arc::new(vips.vips),
        serving: Arc::new(serving),
        leaving: BTreeMap::new(),
    };
    snapshot.generation = match previous {
        Some(previous) if previous.same_content(&snapshot) => previous.generation,
        Some(previous) => previous.generation + 1,
        None => 1,
    };
    rejections.sort();
    Compiled { snapshot, rejections }
}

/// The backends that some listener of this node sends to.
fn in_use<'a>(
    mut backends: BTreeMap<Key, Backend>,
    listeners: impl Iterator<Item = &'a Listener>,
) -> BTreeMap<Key, Backend> {
    let mut used = BTreeSet::new();
    for listener in listeners {
        match &listener.serves {
            Serves::Http(hosts) => {
                let rules = hosts.iter().flat_map(|host| &host.rules);
                used.extend(rules.flat_map(|rule| &rule.backends).map(|share| &share.backend));
            }
            Serves::Tcp(shares) => used.extend(shares.iter().map(|share| &share.backend)),
        }
    }
    backends.retain(|key, _| used.contains(key));
    backends
}

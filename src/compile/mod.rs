//! What users wrote → what is true. Pure, and the only road from `api` to `model`: for the controller, for
//! standalone agents, for `novaedgectl validate`, for tests.
//!
//! [`Estate::compile`] cannot fail. It knows every node's share of all that is usable, and a [`Rejection`]
//! with object, field and remedy for everything that is not. Three promises:
//!
//! * **A bad object never hurts a good one.** What is refused is the smallest part that can do without the
//!   bad field (an endpoint, a rule, a listener, a peer, the object), and of two that clash the senior
//!   stays. A refused edit leaves a VIP in service as it was.
//! * **All nodes agree.** Whose address is whose, which version of a VIP is used and which listener has a port
//!   are settled once for all nodes; a node adds what only it is asked for: its peers, its AS number, its own
//!   endpoints.
//! * **Nothing is ignored.** Every spec is taken apart without `..`, so a new field breaks the build until
//!   it is carried out or refused.
//!
//! | file | idea |
//! |---|---|
//! | [`resources`] | the world as written; [`kind`] what it is made of; [`wanted`] the Secrets that it names |
//! | [`accepted`] | what is in use of it |
//! | [`scene`] | both, with the nodes that are compiled for, and who was first |
//! | [`estate`] | what all nodes together make of it, and each node's snapshot |
//! | [`memo`] | what was made of each object the last time |
//! | [`rejection`], [`refs`], [`selector`] | what all kinds need: findings, references, labels |
//! | [`vips`] | all VIPs together; [`vip`] one of them, [`address`] and whose it is |
//! | [`needs`] | what of it a routing daemon has to carry out |
//! | [`ipam`] | addresses from pools |
//! | [`shape`] | what many VIPs share, in their [`surroundings`]; [`bgp`], [`peer`], [`ospf`], [`secret`], [`bfd`] what it is made of |
//! | [`groups`], [`speakers`], [`speaker`] | what the nodes' speakers make of the shapes |
//! | [`backend`], [`health`] | upstream groups |
//! | [`gateway`] | what each listener offers to take in |
//! | [`route`], [`matches`] | rules, and what they compare |
//! | [`attach`], [`parent`] | which routes belong to which listeners |
//! | [`listeners`], [`precedence`] | listeners merged by port, their rules sorted |
//! | [`status`] | how all of it is doing: conditions, events, explanations |
//! | [`placement`] | which nodes may leave which VIPs |
//! | [`later`] | kinds that this version refuses |

pub mod accepted;
pub mod address;
pub mod attach;
pub mod backend;
pub mod bfd;
pub mod bgp;
pub mod estate;
pub mod gateway;
pub mod groups;
pub mod health;
pub mod ipam;
pub mod kind;
pub mod later;
pub mod listeners;
pub mod matches;
pub mod memo;
pub mod needs;
pub mod ospf;
pub mod parent;
pub mod peer;
pub mod placement;
pub mod precedence;
pub mod refs;
pub mod rejection;
pub mod resources;
pub mod route;
pub mod scene;
pub mod secret;
pub mod selector;
pub mod shape;
pub mod speaker;
pub mod speakers;
pub mod status;
pub mod surroundings;
#[cfg(test)]
mod tests;
pub mod vip;
pub mod vips;
pub mod wanted;

use crate::model::name::Name;
use crate::model::snapshot::Snapshot;
use accepted::Accepted;
pub use estate::{Estate, Memory};
use rejection::Rejection;
use resources::Resources;
pub use scene::{Allocations, Given};
use std::collections::{BTreeMap, BTreeSet};

/// What became of the world on one node that knows of no other.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    /// Its generation is 0: whoever publishes it counts.
    pub snapshot: Snapshot,
    pub rejections: Vec<Rejection>,
    pub accepted: Accepted,
}

/// Compiles the world for one node alone: a standalone agent, a validation.
pub fn compile(world: &Resources, node: &Name, accepted: &Accepted) -> Compiled {
    let nodes = BTreeSet::from([node.clone()]);
    let given = Given { world, accepted, pools: None, nodes: &nodes, serving: &BTreeMap::new() };
    let estate = Estate::compile(&given, &mut Memory::default());
    let snapshot = estate.snapshots(&BTreeMap::new()).remove(node);
    Compiled {
        snapshot: snapshot.unwrap_or_else(|| Snapshot::empty(node.clone())),
        accepted: estate.accepted(),
        rejections: estate.rejections,
    }
}

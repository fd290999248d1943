//! A Kubernetes API server as the source of the world, and as the place where results are told.
//!
//! Owns: everything that goes to the API server or comes from it. The only one that writes there is the
//! controller that leads.
//!
//! ```text
//!            follow (a watch per kind)            secrets (a watch per Secret that is named)
//! API server ───────▶ stores ──▶ Cluster (Resources, problems)      ──▶ controller::reconcile
//!                        └─────▶ Board (uid, version, status)       ──▶ what is written back
//! ```
//!
//! What holds:
//!
//! * **The last good state stays.** A server that is away, a watch that is lost, an expired version (410): what
//!   was read stays in force until something newer has been read whole. An object that cannot be read keeps
//!   its last good version, alone.
//! * **Nothing is told before everything was read once.** A controller that starts knows all objects, or
//!   nothing.
//! * **What we write wakes nobody.** Status and bookkeeping of the server (managed fields, resource versions,
//!   heartbeats) are no part of the world; a round starts when something that counts has changed.
//!
//! | file | idea |
//! |---|---|
//! | [`connect`] | a client, from inside a cluster or by a kubeconfig |
//! | [`object`] | an object of the server → an object of the world. Pure |
//! | [`stores`] | events of many watches → one world. Pure; [`run`](mod@run) is its shell |
//! | [`board`] | what the server last said of each object beside its spec |
//! | [`follow`] | one watch |
//! | [`lease`] | who leads |
//! | [`ledger`] | addresses of pools, with the pool object as the lock |
//! | [`status`], [`events`] | what is told of objects |
//! | [`review`] | whose token it is |
//! | [`authority`] | of the controllers' certificates |

pub mod authority;
pub mod board;
pub mod connect;
pub mod events;
pub mod follow;
pub mod lease;
pub mod ledger;
pub mod object;
pub mod review;
pub mod run;
pub mod status;
pub mod stores;

#[cfg(test)]
mod tests;

use crate::compile::resources::Resources;
use crate::model::status::Rejected;

/// The world as the API server has it.
#[derive(Debug, Clone, Default)]
pub struct Cluster {
    pub resources: Resources,
    /// Objects that cannot be read, each with what to change; their last good version is in `resources`.
    pub problems: Vec<Rejected>,
}

/// Under which name we own fields and report events.
pub const MANAGER: &str = "novaedge-controller";

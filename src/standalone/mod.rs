//! What a standalone agent is told: a directory of manifests, compiled for this node. No controller, no
//! Kubernetes.
//!
//! The manifests are the ones that `kubectl apply` takes, and the compiler is the one of the controller.
//! A standalone agent knows only its own node: it does BGP, and whoever runs several of them gives all of
//! them the same directory (spec §2.9).
//!
//! | file | idea |
//! |---|---|
//! | [`reconcile`] | resources → this node's snapshot, and what was refused |

pub mod reconcile;

pub use reconcile::{NoManifests, Reconciler};

//! The world NovaEdge is tested in: a client, a ToR router, a switch and nodes, as network namespaces of one
//! machine. Everything here is a real kernel and a real daemon; what is ours is only the wiring and the
//! watching. The crate does not know the `novaedge` package: a test that asks the lab gets a second
//! opinion, never our own words back.
//!
//! Needs root. A missing tool or a missing right is an error, never a skip.
//!
//! | file | what |
//! |---|---|
//! | [`netns`] | a network namespace: run a closure, a program, `ip`, `nft` in it; ends what runs in it |
//! | [`eventually`] | the one place that waits for something to become true |

pub mod eventually;
pub mod netns;

pub use eventually::{eventually, eventually_async};
pub use netns::{Netns, OwnedNetns};

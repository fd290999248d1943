//! The controller: what users wrote and what the agents report → each node's snapshot.
//!
//! What it alone remembers lies in its state directory. Everything else is computed again from the manifests
//! and from what the agents say, so a controller may die at any point.
//!
//! | file | idea |
//! |---|---|
//! | [`state_dir`] | the directory, and the lock that keeps a second controller out of it |
//! | [`holders`] | which addresses live agents may have |
//! | [`ledger`] | which VIP has which address of a pool, on disk before a node hears of it |
//! | [`status_files`], [`documents`] | the status of every object as a file |
//! | [`admin`] | what `novaedgectl` asks, and whoever collects metrics |

pub mod admin;
pub mod documents;
pub mod holders;
pub mod ledger;
pub mod state_dir;
pub mod status_files;

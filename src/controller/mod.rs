//! The controller: what users wrote and what the agents report → each node's snapshot.
//!
//! ```text
//!  manifests ──▶ ┌───────────┐ ipam::settle ─▶ ledger ─▶ Estate::compile ─▶ placement::decide
//!  attendance ─▶ │ reconcile │                                    │
//!  election ───▶ └───────────┘ ◀── Accepted, departures ──────────┤
//!       ▲                                                         ▼
//!     wire  ◀────────────────── Bulletin ──────────────── a snapshot for every node
//! ```
//!
//! What it alone remembers lies in its state directory: the ledger of addresses, what is in use of what was
//! written, and its term. In a cluster the world comes from the API server, where the ledger lies in the pools'
//! status and the term in a Lease. Everything else is computed again from the objects and from what the agents
//! say, so a controller may die at any point, and its restart moves nothing.
//!
//! | file | idea |
//! |---|---|
//! | [`state_dir`] | the directory, and the lock that keeps a second controller out of it |
//! | [`election`] | who leads, and in which term |
//! | [`reconcile`] | facts in, orders out, again and again |
//! | [`knowledge`] | which nodes there are, and since when they are not ready |
//! | [`books`] | which VIP has which address of a pool, stored before a node hears of it; [`ledger`] on disk |
//! | [`holders`] | which addresses live agents may have |
//! | [`estate`] | the estate, compiled when something that it is made of has changed |
//! | [`remembered`] | what is in use, on disk |
//! | [`publish`] | snapshots with generations, as few new ones as possible |
//! | [`tell`], [`facts`] | how the estate is doing, at its own pace; what the status is written from |
//! | [`metrics`] | what is counted |
//! | [`status_files`], [`cluster_status`], [`documents`] | the status of every object, as a file or in a cluster |
//! | [`admin`] | what `novaedgectl` asks, and whoever collects metrics |

pub mod admin;
pub mod books;
pub mod cluster_status;
pub mod documents;
pub mod election;
pub mod estate;
pub mod facts;
pub mod holders;
pub mod knowledge;
pub mod ledger;
pub mod metrics;
pub mod publish;
pub mod reconcile;
pub mod remembered;
pub mod state_dir;
pub mod status_files;
pub mod tell;

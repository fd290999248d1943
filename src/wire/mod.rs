//! What a controller and the agents of its nodes say to each other (spec §2.8, §2.13).
//!
//! Owns: the streams between them. Orders go one way, reports the other, and both are *pages*: a set of
//! entries by key, first whole and then by its changes. A digest proves each page; who cannot follow asks for
//! the whole one. Nothing is queued but the newest page, and one page is under way at a time.
//!
//! ```text
//! Bulletin ─▶ server ══ Watch ══▶ client::follow ─▶ Told ─▶ client::obey ─▶ Snapshot
//! Attendance ◀─ server ◀══ Report ══ client::follow ◀─ NodeStatus
//! ```
//!
//! Called by `controller` (the server) and by the agent's command (one client per controller).
//! Invariants: a page is in force whole or not at all; an entry that cannot be used is rejected by itself;
//! whatever a stranger can fill is bounded.
//!
//! | file | holds |
//! |---|---|
//! | [`proto`] | the generated messages |
//! | [`page`] | entries, digests, changes |
//! | [`entry`] | one entry: its key, its JSON, why it may be unusable |
//! | [`orders`], [`report`] | a snapshot, a node's status, as pages and back |
//! | [`parts`], [`inbox`], [`outbox`] | pages cut into messages; the receiving and the sending end |
//! | [`answer`], [`deliver`], [`diffs`] | the receiver's words; the sending end at work; changes that nodes share |
//! | [`pulse`] | whether the other side is there |
//! | [`schema`] | which versions understand each other |
//! | [`tls`], [`certificates`] | keys and certificates from files; making them |
//! | [`server`], [`client`] | the controller's end, the agent's end |

pub mod answer;
pub mod certificates;
pub mod client;
pub mod deliver;
pub mod diffs;
pub mod entry;
pub mod inbox;
pub mod orders;
pub mod outbox;
pub mod page;
pub mod parts;
pub mod proto;
pub mod pulse;
pub mod report;
pub mod schema;
pub mod server;
pub mod tls;

#[cfg(test)]
mod tests;

use std::time::Duration;

/// A message of either side has at most so many bytes.
pub const MESSAGE: usize = 4 << 20;
/// A page of orders costs an agent at most so many bytes.
pub const ORDERS: usize = 256 << 20;
/// A report costs the controller at most so many bytes.
pub const REPORT: usize = 64 << 20;
/// An entry's key has at most so many bytes.
pub const LONGEST_KEY: usize = 1024;

/// An agent asks its controller so often whether it is there.
pub const ASK: Duration = Duration::from_millis(300);
/// Either side gives up when it has heard nothing for so long: a dead line is noticed within a second.
pub const SILENCE: Duration = Duration::from_millis(800);

/// In which header an agent says which node it is. Its certificate has to agree.
pub const NODE_HEADER: &str = "novaedge-node";

/// This program's.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

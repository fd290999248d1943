//! The agent's end: one stream of orders and one of reports to each controller, and the choice of whom to obey.
//!
//! Owns: the connections to the controllers. Each is [`follow`]ed by a task of its own, which tells what it
//! heard; [`obey`] makes one snapshot of that.
//!
//! | file | holds |
//! |---|---|
//! | [`endpoint`] | where a controller is |
//! | [`connect`] | TCP, TLS, HTTP/2 |
//! | [`session`] | one connection's streams |
//! | [`roll`] | which controllers there are |
//! | [`obey`] | the highest term wins |

pub mod connect;
pub mod endpoint;
pub mod obey;
pub mod roll;
pub mod session;

use super::inbox::Inbox;
use super::orders::{self, Orders};
use super::page::Sheet;
use super::tls::Security;
use super::{ORDERS, page::Page};
use crate::model::name::Name;
use crate::model::snapshot::Snapshot;
use crate::model::status::{NodeStatus, Rejected};
use crate::model::term::Term;
use crate::runtime::backoff::Backoff;
use endpoint::Endpoint;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// A session that lasted so long was a good one: the next attempt is made soon.
const GOOD: Duration = Duration::from_secs(5);

/// What one controller says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The stream of orders is open.
    pub connected: bool,
    /// Of whatever it last ordered, also while it is not connected; `None`: it has ordered nothing yet, or
    /// said that it does not lead.
    pub term: Option<Term>,
    /// Of the last page, by the controller's count.
    pub generation: u64,
    /// What it last ordered, or what the agent had before. The same `Arc` for as long as the content is.
    pub snapshot: Option<Arc<Snapshot>>,
    /// What of it this version cannot use.
    pub rejected: Vec<Rejected>,
}

impl Told {
    /// Before the first word: what is kept on disk, so that equal orders need not be sent again.
    pub fn nothing_yet(last_good: Option<Arc<Snapshot>>) -> Self {
        Self { snapshot: last_good, ..Self::default() }
    }
}

/// What is kept from one session to the next.
#[derive(Debug)]
struct Memory {
    inbox: Inbox,
    orders: Orders,
}

impl Memory {
    fn of(node: &Name, snapshot: Option<&Snapshot>) -> Self {
        match snapshot {
            Some(snapshot) if snapshot.node == *node => {
                let Page(sheets) = orders::page(snapshot);
                let entries = sheets.iter().flat_map(|sheet| sheet.iter());
                let page = entries.map(|(key, value)| (Arc::clone(key), value.clone())).collect();
                Self { inbox: Inbox::new(page, ORDERS), orders: Orders::new(snapshot.clone()) }
            }
            _ => Self { inbox: Inbox::new(Sheet::default(), ORDERS), orders: Orders::none(node.clone()) },
        }
    }
}

/// Stays connected to one controller for as long as it is polled; tells what it orders, and reports the newest
/// status to it. `told` begins with [`Told::nothing_yet`]. After a loss it waits shortly, then longer, and by
/// chance, before it tries again: agents that lost a controller together do not come back together.
pub async fn follow(
    controller: Endpoint,
    security: Security,
    node: Name,
    told: watch::Sender<Told>,
    reports: watch::Receiver<Option<Arc<NodeStatus>>>,
) {
    let mut memory = Memory::of(&node, told.borrow().snapshot.as_deref());
    let mut backoff = Backoff::default();
    let mut complaint = String::new();
    loop {
        let begun = Instant::now();
        let ended = session::run(&controller, &security, &node, &mut memory, &told, &reports).await;
        let was_connected = told.send_if_modified(|told| std::mem::take(&mut told.connected));
        if begun.elapsed() >= GOOD {
            backoff.reset();
        }
        let wait = backoff.after_failure(fastrand::f64());
        let words = ended.to_string();
        // The same complaint again and again would hide the others.
        if was_connected || words != complaint {
            tracing::warn!(%controller, error = %words, "the controller is not reachable; trying again");
        } else {
            tracing::debug!(%controller, error = %words, ?wait, "the controller is still not reachable");
        }
        complaint = words;
        tokio::time::sleep(wait).await;
    }
}

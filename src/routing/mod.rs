//! Drivers for routing daemons that operators already trust. They announce; we decide.
//!
//! # The contract of [`Daemon::apply`]
//!
//! * The plan is the whole truth about our objects; an equal plan disturbs no session.
//! * On error, what ran before runs on, and the report says what did not go in.
//! * Nothing outside our marked objects is touched.
//! * Withdrawals are not held up by additions.
//! * Dropping the future is safe: the next `apply` reads what the daemon has and goes on from there.
//! * Success is reported only after the daemon confirmed it.
//!
//! | file | what |
//! |---|---|
//! | [`drive`] | the one loop that owns a driver: newest plan in, what the daemon does out |
//! | [`frr`] | FRR over its daemons' vty sockets |
//! | [`bird`] | BIRD by an include file and its control socket |
//! | [`gobgp`] | GoBGP by its gRPC API |
//! | [`bfdd`] | BFD sessions in FRR's bfdd, for the other daemons |
//! | [`digest`] | names for content |

mod bfdd;
pub mod bird;
mod digest;
pub mod drive;
pub mod frr;
pub mod gobgp;

pub use drive::drive;

use crate::model::net::HostRoute;
use crate::model::observed::Observed;
use crate::plan::RoutingPlan;
use std::collections::BTreeMap;
use std::future::Future;

/// Which daemon this node's routes go through, and where it is.
#[derive(Debug, Clone)]
pub enum Choice {
    Frr(frr::Options),
    Bird(bird::Options),
    Gobgp(gobgp::Options),
}

/// A routing daemon as NovaEdge uses one.
pub trait Daemon: Send {
    /// Brings the daemon to the plan, or says what kept it from getting there.
    fn apply(&mut self, plan: &RoutingPlan) -> impl Future<Output = Result<Applied, ApplyError>> + Send;

    /// Reads back what the daemon has and does.
    fn observe(&mut self) -> impl Future<Output = Result<Observed, ObserveError>> + Send;
}

/// What `apply` did, as the daemon confirmed it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Commands or calls that changed something; 0: the daemon already had it all.
    pub changes: usize,
    /// Announcements that the daemon refused, with its own words; all others are in.
    pub refused: BTreeMap<HostRoute, String>,
}

/// The plan is not, or not wholly, in force. What ran before runs on.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error("the routing daemon does not answer: {0}")]
    NotAnswering(#[source] std::io::Error),
    /// With the daemon's own words, and the line that it refused (secrets left out).
    #[error("the routing daemon refused {line:?}: {answer}")]
    Refused { line: String, answer: String },
    #[error("the daemon reads back something else than was written: {0}")]
    ReadBack(String),
}

/// The daemon could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    #[error("the routing daemon does not answer: {0}")]
    NotAnswering(#[source] std::io::Error),
    #[error("the routing daemon said something unreadable to {question:?}: {answer}")]
    Unreadable { question: String, answer: String },
}

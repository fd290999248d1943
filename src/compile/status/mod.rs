//! What is known → how the estate is doing: conditions and per-node states of every object, in the words of
//! the API, and one document for people.
//!
//! [`compute`] cannot fail, and reads no clock: equal facts give an equal document. What was said before is
//! a fact as well, because a condition keeps the time of its last transition while its status stays.
//! Everything is written out of three sources only: what users wrote, what the compiler refused of it, and
//! what the agents report. A node whose agent is silent is told as such, never guessed about.
//!
//! Called by the controller after every round; [`events`](event::events) then says what has changed, and
//! [`explain`](mod@explain) goes through one VIP link by link for `novaedgectl vip explain`.
//!
//! | file | idea |
//! |---|---|
//! | [`estate`] | the document |
//! | [`verdict`] | a condition's type, status, reason and message; when it last changed |
//! | [`problems`] | rejections by object; Accepted and ResolvedRefs of every kind |
//! | [`node`] | a node in numbers, and what is wrong with it |
//! | [`vip`] | a VIP's status; [`share`] one node's part in it; [`seen`] what the API shows of that |
//! | [`address`], [`ready`], [`degraded`], [`untested`] | the conditions of a VIP |
//! | [`gateway`] and what is [`attached`] to it, [`route`], [`backend`], [`pool`], [`policy`] | the other kinds |
//! | [`event`] | what has changed between two documents |
//! | [`explain`](mod@explain), [`remedy`] | the chain from a selected node to an announced route; what to do about a broken link |
//! | [`words`] | lists in sentences, bounded |

pub mod address;
pub mod attached;
pub mod backend;
pub mod degraded;
pub mod estate;
pub mod event;
pub mod explain;
pub mod gateway;
pub mod node;
pub mod policy;
pub mod pool;
pub mod problems;
pub mod ready;
pub mod remedy;
pub mod route;
pub mod seen;
pub mod share;
#[cfg(test)]
mod tests;
pub mod untested;
pub mod verdict;
pub mod vip;
pub mod words;

pub use estate::{Count, EstateStatus, NodeSummary, VipSummary};
pub use event::{Event, events};
pub use explain::{Explanation, explain};

use super::resources::Resources;
use crate::api::pool::PoolStatus;
use crate::model::attendance::Attendance;
use crate::model::leaving::Leaving;
use crate::model::name::Name;
use crate::model::status::Rejected;
use crate::model::term::Term;
use crate::model::vip::Addresses;
use problems::Problems;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that the document is written from.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub world: &'a Resources,
    /// Of the source and of the compiler, for the whole estate.
    pub rejections: &'a [Rejected],
    /// The VIPs that the compiler uses, with or without an address. One of the world that is not here is
    /// refused, or not compiled yet.
    pub vips: &'a BTreeMap<Name, VipFacts>,
    /// What the pools have given out; their conditions are added here.
    pub pools: &'a BTreeMap<Name, PoolStatus>,
    pub attendance: &'a BTreeMap<Name, Attendance>,
    pub term: Option<Term>,
    /// Unix seconds.
    pub now: u64,
    /// What was said last.
    pub before: Option<&'a EstateStatus>,
}

/// What the compiler and the placement know of a VIP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VipFacts {
    /// In force; `None`: it waits for one.
    pub addresses: Option<Addresses>,
    /// That it takes its address from.
    pub pool: Option<Name>,
    /// As in `spec.mode`, or its template's.
    pub mode: String,
    /// The candidates.
    pub nodes: BTreeSet<Name>,
    /// Of the candidates (spec §2.2).
    pub healthy: BTreeSet<Name>,
    pub min_healthy: u32,
    pub leaving: BTreeMap<Name, Leaving>,
    /// A gateway or a Service uses it.
    pub listeners: bool,
}

/// How the estate is doing.
pub fn compute(facts: &Facts<'_>) -> EstateStatus {
    let problems = Problems::new(facts.rejections);
    let vips = vip::summaries(facts, &problems);
    EstateStatus {
        term: facts.term,
        nodes: node::summaries(facts),
        gateways: gateway::statuses(facts, &problems),
        routes: route::statuses(facts, &problems),
        backends: backend::statuses(facts, &problems),
        templates: policy::templates(facts, &problems),
        policies: policy::policies(facts, &problems),
        pools: pool::statuses(facts, &problems),
        vips,
        rejected: facts.rejections.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect(),
    }
}

//! Truth and local facts in, what to do out. Pure: no IO, no clock, no memory.
//!
//! [`desired`] looks at the whole [`Snapshot`] and the whole of what the node sees, every time, and says
//! what each driver should have. After any restart the same call heals. The plans are whole truths: what
//! is not in them should not be there. The agent's loop calls it, and nobody else.
//!
//! Three rules make every decision here:
//!
//! * **The order of arrival**: the address is guarded, then held, then announced; each step waits for the
//!   *fact* of the one before, not for its plan. **The order of departure** is the reverse.
//! * **A doubt keeps what is and adds nothing.** A port or a backend that nobody has reported about yet
//!   neither announces a VIP nor withdraws one. So an agent that restarts over live routes sends no BGP
//!   message, and one that starts afresh announces nothing unproved.
//! * **One VIP never decides about another.** Whatever is wrong with a VIP touches its own entries only.
//!
//! | file | idea |
//! |---|---|
//! | [`facts`] | what a node sees of itself when it decides |
//! | [`decide`] | who leaves: which VIPs, by whose word, and which addresses |
//! | [`leave`] | the steps of an address's departure, and the clock-free machine that walks them |
//! | [`former`] | addresses that have left the snapshot, and are not released yet |
//! | [`whole`] | the snapshot together with those: what the plans are made from |
//! | [`readiness`] | may this VIP's addresses be held, and announced? with the reasons |
//! | [`link`], [`exposure`], [`announce`], [`speaker`], [`ospf`], [`proxy`] | one driver's plan each |
//! | [`routers`] | who hears what this node announces |
//! | [`state`] | a VIP's phase and reasons, for people |
//! | [`diff`] | what leads from what is to what should be |

pub mod announce;
pub mod decide;
pub mod diff;
pub mod exposure;
pub mod facts;
pub mod former;
pub mod leave;
pub mod link;
pub mod ospf;
pub mod proxy;
pub mod readiness;
mod routers;
pub mod speaker;
pub mod state;
#[cfg(test)]
mod tests;
mod whole;

pub use announce::{Announcement, RoutingPlan};
pub use diff::{Changes, diff};
pub use exposure::ExposurePlan;
pub use facts::NodeFacts;
pub use former::{Former, Formers};
pub use leave::Leave;
pub use link::{LIFETIME, LinkPlan};
pub use ospf::OspfPlan;
pub use proxy::ProxyPlan;
pub use speaker::SpeakerPlan;
pub use state::VipState;

use crate::model::name::Name;
use crate::model::snapshot::Snapshot;
use std::collections::BTreeMap;
use whole::Whole;

/// What this node should do, and how each VIP is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    pub link: LinkPlan,
    pub exposure: ExposurePlan,
    pub routing: RoutingPlan,
    pub proxy: ProxyPlan,
    pub vips: BTreeMap<Name, VipState>,
}

/// Decides everything, from everything. Equal input gives equal output.
pub fn desired(snapshot: &Snapshot, facts: &NodeFacts) -> Desired {
    let whole = Whole::of(snapshot, facts);
    let readiness = readiness::of_all(&whole, facts);
    let proxy = proxy::plan(&whole, facts);
    let link = link::plan(&whole, facts, &readiness);
    let exposure = exposure::plan(&whole, facts);
    let routing = announce::plan(&whole, facts, &readiness, &link);
    let vips = state::of_all(snapshot, facts, &readiness, &routing);
    Desired { link, exposure, routing, proxy, vips }
}

//! What a node sees of itself when it decides.

use super::leave::Leave;
use crate::model::name::Name;
use crate::model::net::HostRoute;
use crate::model::observed::{Guarded, Held, Observed, Served};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// `held` and `observed` have been read at least once: their emptiness is a fact. `guarded` and `served`
/// may still be waiting for their first report: what they do not mention is a doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFacts {
    pub held: Held,
    pub guarded: Guarded,
    pub observed: Observed,
    pub served: Served,
    /// The router id that this node uses unless a VIP gives one.
    pub router_id: Ipv4Addr,
    pub leave: Leave,
    /// Which VIP each address of ours belongs to or belonged to: [`super::Desired::lineage`] of the last
    /// call; of the first call, [`super::linger::lineage_of`] the last good snapshot, or nothing.
    pub lineage: BTreeMap<HostRoute, Name>,
}

impl NodeFacts {
    pub fn is_held(&self, route: HostRoute) -> bool {
        self.held.addresses.contains(&route)
    }

    /// The daemon has it, whatever we wish.
    pub fn is_announced(&self, route: HostRoute) -> bool {
        self.observed.announced.contains(&route)
    }

    /// Whether anything of ours may be out in the network. A daemon that does not answer may still
    /// announce what it had.
    pub fn may_announce_something(&self) -> bool {
        self.observed.daemon.is_none() || !self.observed.announced.is_empty()
    }
}

//! What a node sees of itself when it decides.

use super::former::Formers;
use super::leave::Leave;
use crate::model::capability;
use crate::model::leaving::Leaving;
use crate::model::name::Name;
use crate::model::net::{HostRoute, InterfaceName};
use crate::model::observed::{Guarded, Held, Observed, Served};
use crate::model::status::Reason;
use crate::model::vip::Vip;
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
    /// The interface with the default route; `None`: there is none.
    pub uplink: Option<InterfaceName>,
    /// What was decided about VIPs that are to leave, or wish to: [`super::decide::decisions`].
    pub leaving: BTreeMap<Name, Leaving>,
    /// How far the addresses are that leave; all others stay.
    pub leave: BTreeMap<HostRoute, Leave>,
    /// Addresses that are still here although the snapshot no longer has them.
    pub former: Formers,
}

impl NodeFacts {
    pub fn is_held(&self, route: HostRoute) -> bool {
        self.held.addresses.contains(&route)
    }

    /// The daemon has it, whatever we wish.
    pub fn is_announced(&self, route: HostRoute) -> bool {
        self.observed.announced.contains(&route)
    }

    /// Whether it may be out in the network: a daemon that does not answer may still announce what it had.
    pub fn may_be_announced(&self, route: HostRoute) -> bool {
        self.observed.daemon.is_none() || self.is_announced(route)
    }

    /// What the VIP needs and the daemon does not carry out. Of a daemon that does not answer nothing is known.
    pub fn refusal_of(&self, vip: &Vip) -> Option<Reason> {
        let version = self.observed.daemon.as_ref()?;
        let (field, why) = capability::refusal(&vip.needs, version)?;
        let daemon = format!("{} {}", version.name, version.version);
        Some(Reason::DaemonCannot { daemon, field: field.to_string(), why: why.to_owned() })
    }

    pub fn step(&self, route: HostRoute) -> Leave {
        self.leave.get(&route).copied().unwrap_or_default()
    }

    /// The VIP is to leave this node.
    pub fn is_granted(&self, vip: &Name) -> bool {
        matches!(self.leaving.get(vip), Some(Leaving::Granted { .. }))
    }

    /// The address is here to stay: nothing has been said against it.
    pub(super) fn is_to_stay(&self, route: HostRoute) -> bool {
        self.step(route) == Leave::Staying && !self.former.contains_key(&route)
    }
}

//! What pools have given out, and to whom: the one thing here that cannot be computed again.
//!
//! ```text
//!         give                    the VIP is gone, or wants it no more
//!  free ────────▶ given to VIP ─────────────────────────────────────────▶ released
//!   ▲                  ▲                                                    │  │
//!   │                  └──────────── the same VIP comes back ───────────────┘  │
//!   └──── reclaimDelay has passed, and no live agent holds the address ────────┘
//! ```
//!
//! The address is the key, so that giving one twice cannot be written down.

use crate::model::name::Name;
use crate::model::net::{Family, HostRoute};
use crate::model::vip::Addresses;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The VIPs' addresses that are written in none of their specs.
pub type Allocations = BTreeMap<Name, Addresses>;

/// One address that a pool has given to a VIP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Given {
    pub vip: Name,
    /// The VIP's `metadata.uid`, where it has one: a VIP made anew under an old name is another VIP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    pub pool: Name,
    /// The VIP's own spec writes the address.
    #[serde(default)]
    pub by_value: bool,
    /// Unix seconds.
    pub allocated_at: u64,
    /// Unix seconds since when the VIP has it no more. It is remembered, and nobody else's yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<u64>,
}

impl Given {
    pub fn is_live(&self) -> bool {
        self.released_at.is_none()
    }
}

/// Who has which address. Reads back only what it could have written: each address once, each VIP with one
/// of each family at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Ledger(BTreeMap<HostRoute, Given>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLedger {
    #[error("it is of version {0}, and this program reads version {VERSION}")]
    Version(u32),
    #[error("{0} is given out twice in it: to ProxyVIP {1} and to ProxyVIP {2}")]
    Twice(HostRoute, Name, Name),
    #[error("ProxyVIP {0} has two addresses of one family in it: {1} and {2}")]
    Second(Name, HostRoute, HostRoute),
}

impl Ledger {
    /// By address, the lowest first.
    pub fn iter(&self) -> impl Iterator<Item = (HostRoute, &Given)> {
        self.0.iter().map(|(route, given)| (*route, given))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (HostRoute, &mut Given)> {
        self.0.iter_mut().map(|(route, given)| (*route, given))
    }

    pub fn get(&self, route: HostRoute) -> Option<&Given> {
        self.0.get(&route)
    }

    /// Notes that the VIP has the address; unless another VIP has it, and then `false`.
    pub fn give(&mut self, route: HostRoute, given: Given) -> bool {
        match self.0.entry(route) {
            Entry::Occupied(taken) if taken.get().is_live() && taken.get().vip != given.vip => false,
            Entry::Occupied(mut own) => {
                own.insert(given);
                true
            }
            Entry::Vacant(free) => {
                free.insert(given);
                true
            }
        }
    }

    pub fn retain(&mut self, mut keep: impl FnMut(HostRoute, &Given) -> bool) {
        self.0.retain(|route, given| keep(*route, given));
    }

    /// What the VIPs have from pools now, without what they write themselves.
    pub fn allocations(&self) -> Allocations {
        let mut routes: BTreeMap<&Name, Vec<HostRoute>> = BTreeMap::new();
        for (route, given) in self.iter().filter(|(_, given)| given.is_live() && !given.by_value) {
            routes.entry(&given.vip).or_default().push(route);
        }
        let whole = |(vip, routes): (&Name, _)| Some((vip.clone(), Addresses::new(routes).ok()?));
        routes.into_iter().filter_map(whole).collect()
    }
}

const VERSION: u32 = 1;

/// The ledger as it is on disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    addresses: Vec<Line>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    address: HostRoute,
    #[serde(flatten)]
    given: Given,
}

impl TryFrom<Written> for Ledger {
    type Error = InvalidLedger;
    fn try_from(Written { version, addresses }: Written) -> Result<Self, InvalidLedger> {
        if version != VERSION {
            return Err(InvalidLedger::Version(version));
        }
        let mut ledger = Self::default();
        let mut of_vip: BTreeMap<(Name, Family), HostRoute> = BTreeMap::new();
        for Line { address, given } in addresses {
            if let Some(other) = ledger.get(address) {
                return Err(InvalidLedger::Twice(address, other.vip.clone(), given.vip));
            }
            let slot = (given.vip.clone(), address.family());
            if let Some(first) = given.is_live().then(|| of_vip.insert(slot, address)).flatten() {
                return Err(InvalidLedger::Second(given.vip, first, address));
            }
            ledger.0.insert(address, given);
        }
        Ok(ledger)
    }
}

impl From<Ledger> for Written {
    fn from(Ledger(given): Ledger) -> Self {
        let addresses = given.into_iter().map(|(address, given)| Line { address, given }).collect();
        Self { version: VERSION, addresses }
    }
}

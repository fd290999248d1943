//! What one core serves: a plan, with the core's own pools and counters resolved in it.

use super::connection::activity::{LIMITS, Limits};
use super::metrics::{Metrics, SiteCounters};
use super::router::Router;
use super::traffic::{Tallies, Tally};
use super::upstream::pool::Pool;
use super::upstream::registry::Group;
use crate::model::http::{self, WeightedBackend};
use crate::model::listener::{Listener, ListenerKey, Serves};
use crate::model::name::Key;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// A plan with live endpoints, as all cores get it.
#[derive(Debug, Default)]
pub struct View {
    pub listeners: BTreeMap<ListenerKey, Arc<Listener>>,
    pub groups: BTreeMap<Key, Group>,
    pub lame_ducks: BTreeSet<IpAddr>,
}

/// Where a client connected to.
pub type Local = (IpAddr, NonZeroU16);

#[derive(Default)]
pub struct Table {
    /// Rises with every plan.
    pub version: u64,
    sites: HashMap<Local, Rc<Site>>,
    tallies: HashMap<IpAddr, Arc<Tally>>,
    lame_ducks: BTreeSet<IpAddr>,
    pools: HashMap<Key, Rc<Pool>>,
}

/// What answers on a VIP's port.
pub struct Site {
    pub key: ListenerKey,
    pub service: Service,
    pub counters: Arc<SiteCounters>,
}

pub enum Service {
    Http(Router<Rule>),
    Tcp(Split),
}

pub struct Rule {
    pub split: Split,
    pub timeout: Option<Duration>,
}

/// Backends by weight; `None` where the rule names one that does not exist.
pub struct Split(Vec<(u32, Option<Rc<Pool>>)>);

impl Table {
    /// Backends that did not change keep their pools, and with them their connections.
    pub fn new(view: &View, before: &Self, metrics: &Metrics, core: usize, tallies: &Tallies) -> Self {
        let renew = |(key, group): (&Key, &Group)| (key.clone(), Pool::renew(group, before.pools.get(key)));
        let pools: HashMap<Key, Rc<Pool>> = view.groups.iter().map(renew).collect();
        let mut sites = HashMap::new();
        for (key, listener) in &view.listeners {
            let service = Service::new(&listener.serves, &pools);
            let site = Rc::new(Site { key: key.clone(), service, counters: metrics.site(key, core) });
            let addresses = listener.addresses.iter();
            sites.extend(addresses.map(|address| ((*address, key.port), Rc::clone(&site))));
        }
        let served = sites.keys().map(|(address, _)| *address).collect();
        Self {
            version: before.version + 1,
            sites,
            tallies: tallies.of(&served),
            lame_ducks: view.lame_ducks.clone(),
            pools,
        }
    }

    /// Whether connections to this address are asked to end.
    pub fn is_lame_duck(&self, address: IpAddr) -> bool {
        self.lame_ducks.contains(&address)
    }

    /// What is open at an address of a [`Self::site`].
    pub fn tally(&self, address: IpAddr) -> Arc<Tally> {
        self.tallies.get(&address).cloned().unwrap_or_default()
    }

    pub fn site(&self, local: Local) -> Option<Rc<Site>> {
        self.sites.get(&local).cloned()
    }

    pub fn pools(&self) -> impl Iterator<Item = &Rc<Pool>> {
        self.pools.values()
    }
}

impl Service {
    fn new(serves: &Serves, pools: &HashMap<Key, Rc<Pool>>) -> Self {
        match serves {
            Serves::Http(hosts) => {
                let rule = |rule: &http::Rule| Rule {
                    split: Split::new(&rule.backends, pools),
                    timeout: rule.timeout,
                };
                Self::Http(Router::new(hosts, rule))
            }
            Serves::Tcp(backends) => Self::Tcp(Split::new(backends, pools)),
        }
    }
}

impl Site {
    /// A quiet pair of TCP connections is kept as long as its backend says, the longest if there are several.
    pub fn limits(&self) -> Limits {
        match &self.service {
            Service::Http(_) => LIMITS,
            Service::Tcp(split) => {
                let idle =
                    split.0.iter().flat_map(|(_, pool)| pool).map(|pool| pool.settings.idle_timeout).max();
                Limits { stall: idle.unwrap_or(LIMITS.stall), ..LIMITS }
            }
        }
    }
}

impl Split {
    fn new(backends: &[WeightedBackend], pools: &HashMap<Key, Rc<Pool>>) -> Self {
        Self(backends.iter().map(|share| (share.weight, pools.get(&share.backend).cloned())).collect())
    }

    /// `None`: no backend has any weight, or the one drawn does not exist; it keeps its share, so that the
    /// mistake shows (Gateway API).
    pub fn draw(&self, dice: &mut fastrand::Rng) -> Option<&Rc<Pool>> {
        match self.0.as_slice() {
            [(1.., pool)] => pool.as_ref(),
            shares => {
                let drawn = super::balance::draw(shares.len(), |index| shares[index].0, dice)?;
                shares[drawn].1.as_ref()
            }
        }
    }
}

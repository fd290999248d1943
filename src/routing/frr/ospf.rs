//! What ospfd and ospf6d say about neighbours and routes; and what ospf6d has to be reminded of.
//!
//! ospf6d looks at the prefix list of an interface when it is told its name, and not when the list changes
//! (FRR 8.4). So it is told the name again with every change, and whenever what it advertises is not what the
//! list says.

use super::Frr;
use super::batch::Batch;
use super::home::Home;
use super::json::ospf::{Database, Hosts, Neighbors, Neighbors6, RouterLsas};
use super::parse::{Config, Object};
use crate::model::adjacency::{Neighbor, NeighborId};
use crate::model::net::{Family, HostRoute};
use crate::routing::ObserveError;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

pub const REMINDER: [&str; 2] = ["interface lo", "ipv6 ospf6 advertise prefix-list NOVAEDGE-OSPF6"];

/// Host routes in ospfd's own router LSA, as of a state of its database.
#[derive(Debug, Default)]
pub struct Links {
    /// How often ospfd had been restarted, how many router LSAs it had and what they add up to.
    as_of: Option<(u64, u64, u64)>,
    pub routes: BTreeSet<HostRoute>,
}

/// A change of which ospf6d takes notice only when it is reminded.
pub fn is_unheard_of(object: &Object) -> bool {
    matches!(object, Object::Prefix(route) if route.family() == Family::Ipv6)
}

impl Frr {
    pub(super) async fn look_at_ospf(
        &mut self,
        trouble: &mut Vec<String>,
    ) -> Result<BTreeMap<NeighborId, Neighbor>, ObserveError> {
        let mut neighbors = BTreeMap::new();
        for home in [Home::Ospfd, Home::Ospf6d] {
            if !self.needs(home) {
                self.forget(home);
                continue;
            }
            match self.look_at(home).await {
                Ok(found) => neighbors.extend(found),
                Err(ObserveError::NotAnswering(error)) => {
                    self.forget(home);
                    // Before the first plan nobody needs it yet.
                    if self.needed.is_some() {
                        trouble.push(format!("{} does not answer: {error}", home.name()));
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(neighbors)
    }

    async fn look_at(&mut self, home: Home) -> Result<Vec<(NeighborId, Neighbor)>, ObserveError> {
        if home == Home::Ospfd {
            let database: Database = self.ask(home, "show ip ospf json").await?;
            self.read_links(&database).await?;
            let neighbors: Neighbors = self.ask(home, "show ip ospf neighbor json").await?;
            return Ok(neighbors.observed().collect());
        }
        let hosts: Hosts =
            self.ask(home, "show ipv6 ospf6 database intra-prefix self-originated json").await?;
        self.hosts = hosts.routes().collect();
        let neighbors: Neighbors6 = self.ask(home, "show ipv6 ospf6 neighbor json").await?;
        Ok(neighbors.observed().collect())
    }

    async fn read_links(&mut self, database: &Database) -> Result<(), ObserveError> {
        let as_of = database.router_lsas().map(|(count, sum)| (self.ospfd.restarts(), count, sum));
        if as_of.is_some() && as_of == self.links.as_of {
            return Ok(());
        }
        let lsas: RouterLsas =
            self.ask(Home::Ospfd, "show ip ospf database router self-originate json").await?;
        self.links = Links { as_of, routes: lsas.routes().collect() };
        Ok(())
    }

    fn forget(&mut self, home: Home) {
        match home {
            Home::Ospfd => self.links = Links::default(),
            Home::Ospf6d => self.hosts.clear(),
            Home::Bfdd | Home::Zebra | Home::Bgpd => {}
        }
    }

    /// Has ospf6d look at its prefix list, unless it advertises all of it and nothing else.
    pub(super) async fn remind(&mut self, want: &Config) -> io::Result<()> {
        let listed = |object: &Object| match object {
            Object::Prefix(route) if route.family() == Family::Ipv6 => Some(*route),
            _ => None,
        };
        let listed: BTreeSet<HostRoute> = want.objects.keys().filter_map(listed).collect();
        if !want.objects.contains_key(&Object::Hosts) || listed == self.hosts {
            return Ok(());
        }
        let mut batch = Batch::default();
        batch.say_again(&REMINDER);
        self.ospf6d.send(&batch.commands).await.map(drop)
    }
}

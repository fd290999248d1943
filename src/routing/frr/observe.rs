//! What the daemons say about sessions, routes and BFD, through `show … json`.
//!
//! Cheap enough to be asked several times a second: the routing table, which alone grows with the number of
//! VIPs (3 ms for 1000), is read again only when bgpd's own counter says that it changed.

use super::Frr;
use super::home::Home;
use super::json::{BfdSession, NeighborDetail, PeerSummary, Summary, Table};
use super::parse::Object;
use crate::model::net::HostRoute;
use crate::model::observed::{BfdObserved, DaemonVersion, Observed, PeerObserved};
use crate::routing::{ApplyError, ObserveError};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;

/// Host routes that bgpd originates and holds as best, as of a state of its tables.
#[derive(Debug, Default)]
pub struct Originated {
    /// How often bgpd had been restarted, and its table versions.
    as_of: Option<(u64, u64, u64)>,
    routes: BTreeSet<HostRoute>,
}

impl Frr {
    pub(super) async fn look(&mut self) -> Result<Observed, ObserveError> {
        let speaks_bgp = self.needs(Home::Bgpd);
        let asked = if speaks_bgp { Home::Bgpd } else { Home::Zebra };
        let version = self.daemon(asked).ask("show version").await.map_err(ObserveError::NotAnswering)?;
        let mut trouble = Vec::new();
        let peers = if speaks_bgp { self.look_at_bgp().await? } else { BTreeMap::new() };
        let neighbors = self.look_at_ospf(&mut trouble).await?;
        let ours = match self.routes.take() {
            Some(routes) => routes,
            None => self.marked_routes().await?,
        };
        let originated = [&self.originated.routes, &self.links.routes, &self.hosts].into_iter().flatten();
        let announced = originated.filter(|route| ours.contains(route)).copied().collect();
        self.routes = Some(ours);
        let bfd = self.look_at_bfd(&mut trouble).await?;
        self.look_at_the_rest(&mut trouble).await;
        Ok(Observed {
            daemon: Some(daemon_version(&version.text)),
            peers,
            neighbors,
            announced,
            bfd,
            trouble: (!trouble.is_empty()).then(|| trouble.join("; ")),
            refused: self.refused.clone(),
            restarts: self.restarts(),
        })
    }

    async fn look_at_bgp(&mut self) -> Result<BTreeMap<IpAddr, PeerObserved>, ObserveError> {
        let summary: Summary = self.ask(Home::Bgpd, "show bgp summary json").await?;
        let details: BTreeMap<String, NeighborDetail> =
            self.ask(Home::Bgpd, "show bgp neighbors json").await?;
        self.read_tables(&summary).await?;
        Ok(peers(&summary, &details))
    }

    /// What an agent that has just started finds of its predecessor's.
    async fn marked_routes(&mut self) -> Result<BTreeSet<HostRoute>, ObserveError> {
        let (config, _) = self.read().await.map_err(|error| match error {
            ApplyError::NotAnswering(error) => ObserveError::NotAnswering(error),
            other => ObserveError::NotAnswering(io::Error::other(other)),
        })?;
        let route = |object: Object| match object {
            Object::Network(_, route) | Object::Prefix(route) => Some(route),
            _ => None,
        };
        Ok(config.objects.into_keys().filter_map(route).collect())
    }

    async fn read_tables(&mut self, summary: &Summary) -> Result<(), ObserveError> {
        let as_of = summary.table_versions().map(|(v4, v6)| (self.bgpd.restarts(), v4, v6));
        if as_of.is_some() && as_of == self.originated.as_of {
            return Ok(());
        }
        let mut routes = BTreeSet::new();
        for question in ["show bgp ipv4 unicast json", "show bgp ipv6 unicast json"] {
            let table: Table = self.ask(Home::Bgpd, question).await?;
            routes.extend(table.originated());
        }
        self.originated = Originated { as_of, routes };
        Ok(())
    }

    async fn look_at_bfd(
        &mut self,
        trouble: &mut Vec<String>,
    ) -> Result<BTreeMap<IpAddr, BfdObserved>, ObserveError> {
        let question = "show bfd peers json";
        match self.bfdd.ask(question).await {
            Ok(answer) => {
                let sessions: Vec<BfdSession> = read(question, &answer.text)?;
                Ok(sessions.into_iter().filter_map(BfdSession::observed).collect())
            }
            Err(error) => {
                if self.needed.as_ref().is_some_and(|needed| needed.contains(&Home::Bfdd)) {
                    trouble.push(format!("bfdd does not answer, so failures are noticed late: {error}"));
                }
                Ok(BTreeMap::new())
            }
        }
    }

    /// Daemons that hold nothing of ours, and what `apply` found on its way.
    async fn look_at_the_rest(&mut self, trouble: &mut Vec<String>) {
        if let Err(error) = self.zebra.ask("show version").await {
            trouble.push(format!(
                "zebra does not answer, so nobody in FRR sees which addresses are held: {error}"
            ));
        }
        if self.staticd.exists() {
            // It holds nothing of ours; asking is how its restart shows.
            let _ = self.staticd.ask("show version").await;
        }
        if self.unchecked_networks {
            trouble.push(
                "bgpd has `no bgp network import-check`: a VIP stays announced when its agent is dead; remove that line"
                    .to_owned(),
            );
        }
        trouble.extend(self.startup_trouble.clone());
    }

    pub(super) async fn ask<T: DeserializeOwned + Default>(
        &mut self,
        home: Home,
        question: &str,
    ) -> Result<T, ObserveError> {
        let answer = self.daemon(home).ask(question).await.map_err(ObserveError::NotAnswering)?;
        // Without an instance the daemon answers with a warning, or with nothing, instead of an empty table.
        if answer.refused() || answer.text.trim_start().starts_with('%') || answer.text.trim().is_empty() {
            return Ok(T::default());
        }
        read(question, &answer.text)
    }
}

fn read<T: DeserializeOwned>(question: &str, text: &str) -> Result<T, ObserveError> {
    serde_json::from_str(text).map_err(|error| ObserveError::Unreadable {
        question: question.to_owned(),
        answer: format!("{error} in {:?}", text.chars().take(200).collect::<String>()),
    })
}

/// From `FRRouting 8.4.4 (host) on Linux…`.
fn daemon_version(text: &str) -> DaemonVersion {
    let version = text.split_whitespace().nth(1).unwrap_or("unknown");
    DaemonVersion { name: "frr".to_owned(), version: version.to_owned() }
}

/// A session shows up once per address family; its counters are added up.
fn peers(summary: &Summary, details: &BTreeMap<String, NeighborDetail>) -> BTreeMap<IpAddr, PeerObserved> {
    let mut peers: BTreeMap<IpAddr, PeerObserved> = BTreeMap::new();
    for (name, peer) in summary.peers() {
        // Sessions by interface name are the operator's.
        let Ok(address) = name.parse() else { continue };
        let detail = details.get(name);
        peers.entry(address).and_modify(|known| add(known, peer)).or_insert_with(|| peer.observed(detail));
    }
    peers
}

fn add(known: &mut PeerObserved, other: &PeerSummary) {
    known.prefixes_sent += other.pfx_snt;
    known.prefixes_received += other.pfx_rcd;
}

//! What the daemons say about sessions, routes and BFD, through `show … json`.
//!
//! Cheap enough to be asked several times a second: the routing table, which alone grows with the number of
//! VIPs (3 ms for 1000), is read again only when bgpd's own counter says that it changed.

use super::Frr;
use super::json::{BfdSession, NeighborDetail, PeerSummary, Summary, Table};
use super::parse::{Config, Object};
use crate::model::net::HostRoute;
use crate::model::observed::{BfdObserved, DaemonVersion, Observed, PeerObserved};
use crate::routing::ObserveError;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
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
        let version = self.bgpd.ask("show version").await.map_err(ObserveError::NotAnswering)?;
        let summary: Summary = self.ask_bgpd("show bgp summary json").await?;
        let details: BTreeMap<String, NeighborDetail> = self.ask_bgpd("show bgp neighbors json").await?;
        self.read_tables(&summary).await?;
        let ours = match self.routes.take() {
            Some(routes) => routes,
            None => self.marked_routes().await?,
        };
        let announced = self.originated.routes.intersection(&ours).copied().collect();
        self.routes = Some(ours);
        let mut trouble = Vec::new();
        let bfd = self.look_at_bfd(&mut trouble).await?;
        self.look_at_the_rest(&mut trouble).await;
        Ok(Observed {
            daemon: Some(daemon_version(&version.text)),
            peers: peers(&summary, &details),
            neighbors: BTreeMap::new(),
            announced,
            bfd,
            trouble: (!trouble.is_empty()).then(|| trouble.join("; ")),
            refused: self.refused.clone(),
            restarts: self.restarts(),
        })
    }

    /// What an agent that has just started finds of its predecessor's.
    async fn marked_routes(&mut self) -> Result<BTreeSet<HostRoute>, ObserveError> {
        let running = self.bgpd.ask("show running-config").await.map_err(ObserveError::NotAnswering)?;
        let route = |object: Object| match object {
            Object::Network(_, route) => Some(route),
            _ => None,
        };
        Ok(Config::parse(&running.text).objects.into_keys().filter_map(route).collect())
    }

    async fn read_tables(&mut self, summary: &Summary) -> Result<(), ObserveError> {
        let as_of = summary.table_versions().map(|(v4, v6)| (self.bgpd.restarts(), v4, v6));
        if as_of.is_some() && as_of == self.originated.as_of {
            return Ok(());
        }
        let mut routes = BTreeSet::new();
        for question in ["show bgp ipv4 unicast json", "show bgp ipv6 unicast json"] {
            let table: Table = self.ask_bgpd(question).await?;
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
                if self.bfd_wanted {
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
                "zebra does not answer, so bgpd does not see which addresses are held: {error}"
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

    async fn ask_bgpd<T: DeserializeOwned + Default>(&mut self, question: &str) -> Result<T, ObserveError> {
        let answer = self.bgpd.ask(question).await.map_err(ObserveError::NotAnswering)?;
        // Without an instance bgpd answers with a warning instead of an empty table.
        if answer.refused() { Ok(T::default()) } else { read(question, &answer.text) }
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

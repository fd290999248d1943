//! What BIRD says about sessions and routes.
//!
//! Cheap enough to be asked several times a second: the routes, which alone grow with the number of VIPs, are
//! read again only when BIRD's own counters say that they have changed.

use super::Bird;
use super::bfd;
use super::neighbors::neighbors;
use super::protocols::{OURS, Protocol, links};
use super::sessions::seconds;
use crate::model::adjacency::{Neighbor, NeighborId};
use crate::model::net::HostRoute;
use crate::model::observed::{DaemonVersion, Observed, PeerObserved, PeerState};
use crate::model::ospf::Version;
use crate::routing::ObserveError;
use crate::routing::bfdd::Seen;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;

/// Host routes of ours in the table that the sessions export, as of a state of the pipes that feed it.
#[derive(Debug, Default)]
pub struct Exported {
    as_of: Option<(u64, Vec<(String, u64)>)>,
    routes: BTreeSet<HostRoute>,
}

/// What fills those tables.
const PIPES: [&str; 2] = ["novaedge_vips", "novaedge_costs"];

impl Bird {
    pub(super) async fn look(&mut self) -> Result<Observed, ObserveError> {
        let seen = self.protocols().await.map_err(ObserveError::NotAnswering)?;
        let now = self.server_time().await.map_err(ObserveError::NotAnswering)?;
        self.read_routes(&seen).await.map_err(ObserveError::NotAnswering)?;
        let neighbors = self.neighbors(&seen).await.map_err(ObserveError::NotAnswering)?;
        let (bfd, trouble) = self.watch(&seen).await.map_err(ObserveError::NotAnswering)?;
        Ok(Observed {
            daemon: Some(DaemonVersion {
                name: "bird".to_owned(),
                version: self.control.version().to_owned(),
            }),
            peers: self.peers(&seen, &now),
            neighbors,
            announced: self.exported.routes.clone(),
            bfd: bfd.into_iter().map(|(peer, seen)| (peer, seen.observed)).collect(),
            trouble,
            restarts: self.control.restarts() + self.watched.restarts(),
            ..Observed::default()
        })
    }

    /// OSPF's, whom bfdd watches from now on if that is wanted.
    async fn neighbors(&mut self, seen: &[Protocol]) -> io::Result<BTreeMap<NeighborId, Neighbor>> {
        let mut found = Vec::new();
        for version in [Version::V2, Version::V3] {
            let name = format!("{OURS}ospf_{version}");
            if seen.iter().any(|protocol| protocol.name == name) {
                let reply = self.control.say(&format!("show ospf neighbors {name}")).await?;
                found.extend(neighbors(version, reply.texts()));
            }
        }
        let neighbors = self.known.note(found);
        // Before the first plan, what an earlier agent had watched stays so.
        if let Some(plan) = &self.taken {
            let profile = plan.ospf.as_ref().and_then(|ospf| ospf.bfd);
            let links = match profile {
                Some(_) => links(self.control.say("show interfaces").await?.texts()),
                None => Vec::new(),
            };
            let watched = self.known.watched(&neighbors, profile, &links);
            if let Err(error) = self.watched.keep_found(watched).await {
                tracing::debug!(%error, "bfdd does not watch the neighbours yet");
            }
        }
        Ok(neighbors)
    }

    /// The BFD sessions, after what follows from them has been said to BIRD; and what keeps them from being seen.
    async fn watch(&mut self, seen: &[Protocol]) -> io::Result<(BTreeMap<IpAddr, Seen>, Option<String>)> {
        let (bfd, trouble) = self.watched.sessions().await;
        for verdict in self.watched.verdicts(&bfd, &bfd::neighbors(seen)) {
            tracing::info!(?verdict, "BFD decides about a session");
            self.control.say(&bfd::command(verdict)).await?;
        }
        Ok((bfd, trouble))
    }

    /// As BIRD prints it: `2026-11-26 18:42:08.737`.
    async fn server_time(&mut self) -> io::Result<String> {
        let reply = self.control.say("show status").await?;
        let time = reply.texts().find_map(|line| line.strip_prefix("Current server time is "));
        Ok(time.unwrap_or_default().to_owned())
    }

    async fn read_routes(&mut self, seen: &[Protocol]) -> io::Result<()> {
        let pipes = seen.iter().filter(|protocol| PIPES.iter().any(|name| protocol.name.starts_with(name)));
        let pipes = pipes.map(|pipe| (pipe.since.clone(), pipe.export_changes)).collect();
        let as_of = Some((self.control.restarts(), pipes));
        if as_of == self.exported.as_of {
            return Ok(());
        }
        let mut routes = BTreeSet::new();
        for table in ["novaedge4", "novaedge6", "novaedge_ospf4", "novaedge_ospf6"] {
            // A table that is not there is refused: nothing of ours is.
            let reply = self.control.say(&format!("show route table {table}")).await?;
            routes.extend(reply.texts().filter_map(|line| HostRoute::parse(line.split(' ').next()?).ok()));
        }
        self.exported = Exported { as_of, routes };
        Ok(())
    }

    fn peers(&mut self, seen: &[Protocol], now: &str) -> BTreeMap<IpAddr, PeerObserved> {
        let mut peers = BTreeMap::new();
        for protocol in seen {
            let Some(bgp) = &protocol.bgp else { continue };
            let flaps = self.sessions.note(protocol);
            let up = bgp.state == PeerState::Established;
            let observed = PeerObserved {
                asn: bgp.neighbor_as,
                local_asn: bgp.local_as,
                state: bgp.state,
                uptime_seconds: if up { seconds(&protocol.since, now) } else { 0 },
                prefixes_sent: protocol.exported,
                prefixes_received: protocol.imported,
                flaps,
                last_error: bgp.last_error.clone().filter(|_| !up),
            };
            peers.extend(bgp.neighbor.map(|address| (address, observed)));
        }
        peers
    }
}

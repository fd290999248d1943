//! What BIRD says about sessions and routes.
//!
//! Cheap enough to be asked several times a second: the routes, which alone grow with the number of VIPs, are
//! read again only when BIRD's own counters say that they have changed.

use super::Bird;
use super::bfd;
use super::protocols::Protocol;
use super::sessions::seconds;
use crate::model::net::HostRoute;
use crate::model::observed::{DaemonVersion, Observed, PeerObserved, PeerState};
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

impl Bird {
    pub(super) async fn look(&mut self) -> Result<Observed, ObserveError> {
        let seen = self.protocols().await.map_err(ObserveError::NotAnswering)?;
        let now = self.server_time().await.map_err(ObserveError::NotAnswering)?;
        self.read_routes(&seen).await.map_err(ObserveError::NotAnswering)?;
        let (bfd, trouble) = self.watch(&seen).await.map_err(ObserveError::NotAnswering)?;
        Ok(Observed {
            daemon: Some(DaemonVersion {
                name: "bird".to_owned(),
                version: self.control.version().to_owned(),
            }),
            peers: self.peers(&seen, &now),
            announced: self.exported.routes.clone(),
            bfd: bfd.into_iter().map(|(peer, seen)| (peer, seen.observed)).collect(),
            trouble,
            restarts: self.control.restarts() + self.watched.restarts(),
            ..Observed::default()
        })
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
        let pipes = seen.iter().filter(|protocol| protocol.name.starts_with("novaedge_vips"));
        let pipes = pipes.map(|pipe| (pipe.since.clone(), pipe.export_changes)).collect();
        let as_of = Some((self.control.restarts(), pipes));
        if as_of == self.exported.as_of {
            return Ok(());
        }
        let mut routes = BTreeSet::new();
        for digit in [4, 6] {
            // A table that is not there is refused: nothing of ours is.
            let reply = self.control.say(&format!("show route table novaedge{digit}")).await?;
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

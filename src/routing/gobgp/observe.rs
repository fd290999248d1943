//! What gobgpd says about sessions and paths.
//!
//! Cheap enough to be asked several times a second: what has been sent, which gobgpd counts by looking at every
//! path, is asked for when a session or a path has changed.

use super::Gobgp;
use super::client::{CallError, Version};
use super::have;
use super::peer;
use super::proto::{Capability, DisablePeerRequest, EnablePeerRequest, GetBgpRequest, Peer};
use crate::model::observed::{DaemonVersion, Observed, PeerObserved, PeerState};
use crate::routing::ObserveError;
use crate::routing::bfdd::{Neighbor, Verdict};
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

/// How many prefixes each peer was sent, as of some events and some number of paths.
#[derive(Debug, Default)]
pub struct Sent {
    as_of: Option<(u64, u64, usize)>,
    prefixes: BTreeMap<IpAddr, u64>,
}

impl Gobgp {
    pub(super) async fn look(&mut self) -> Result<Observed, ObserveError> {
        self.try_look().await.map_err(|error| match error {
            CallError::NotAnswering(error) => ObserveError::NotAnswering(error),
            CallError::Refused { call, answer } => {
                ObserveError::Unreadable { question: call.to_owned(), answer }
            }
        })
    }

    async fn try_look(&mut self) -> Result<Observed, CallError> {
        let version = self.client.version().await?;
        let daemon = Some(DaemonVersion { name: "gobgp".to_owned(), version: version.name().to_owned() });
        let global = self.client.get_bgp(GetBgpRequest {}).await?.global.unwrap_or_default();
        let mut peers = BTreeMap::new();
        if global.asn == 0 {
            self.paths = have::Paths::default();
        } else {
            self.paths.refresh(&mut self.client).await?;
            peers = self.peers().await?;
        }
        let (bfd, trouble) = self.watched.sessions().await;
        let ours = peers.iter().filter(|(_, peer)| peer::is_ours(peer));
        let ours: Vec<Neighbor> = ours
            .map(|(address, peer)| Neighbor { address: *address, is_shut: is_shut(peer, version) })
            .collect();
        for verdict in self.watched.verdicts(&bfd, &ours) {
            tracing::info!(?verdict, "BFD decides about a session");
            self.carry_out(verdict).await?;
        }
        Ok(Observed {
            daemon,
            peers: peers.iter().map(|(address, peer)| (*address, self.observed(*address, peer))).collect(),
            announced: self.paths.ours.keys().copied().collect(),
            bfd: bfd.into_iter().map(|(peer, seen)| (peer, seen.observed)).collect(),
            trouble,
            restarts: self.client.restarts() + self.watched.restarts(),
            ..Observed::default()
        })
    }

    async fn peers(&mut self) -> Result<BTreeMap<IpAddr, Peer>, CallError> {
        let as_of = Some((self.client.restarts(), self.client.events(), self.paths.ours.len()));
        let stale = as_of != self.sent.as_of;
        let peers = have::peers(&mut self.client, stale).await?;
        if stale {
            let prefixes = peers.iter().map(|(address, peer)| (*address, advertised(peer))).collect();
            self.sent = Sent { as_of, prefixes };
        }
        Ok(peers)
    }

    async fn carry_out(&mut self, verdict: Verdict) -> Result<(), CallError> {
        match verdict {
            Verdict::Shut(peer) => {
                let communication = "BFD: the peer is silent".to_owned();
                let request = DisablePeerRequest { address: peer.to_string(), communication };
                self.client.disable_peer(request).await.map(drop)
            }
            Verdict::LetGoOn(peer) => {
                self.client.enable_peer(EnablePeerRequest { address: peer.to_string() }).await.map(drop)
            }
        }
    }

    fn observed(&self, address: IpAddr, peer: &Peer) -> PeerObserved {
        let state = peer.state.clone().unwrap_or_default();
        let conf = peer.conf.clone().unwrap_or_default();
        let session = session_state(state.session_state);
        let up = session == PeerState::Established;
        let since = peer.timers.and_then(|timers| timers.state?.uptime).map_or(0, |since| since.seconds);
        let accepted =
            peer.afi_safis.iter().filter_map(|family| family.state.as_ref()).map(|one| one.accepted);
        PeerObserved {
            asn: conf.peer_asn,
            local_asn: conf.local_asn,
            state: session,
            uptime_seconds: if up { elapsed(since) } else { 0 },
            prefixes_sent: if up { self.sent.prefixes.get(&address).copied().unwrap_or(0) } else { 0 },
            prefixes_received: accepted.sum(),
            flaps: state.flops.into(),
            last_error: Some(state.disconnect_message).filter(|words| !up && !words.is_empty()),
        }
    }
}

/// Version 3 counts each family's End-of-RIB (RFC 4724 §2) as one, where graceful restart was agreed on.
fn advertised(peer: &Peer) -> u64 {
    let agreed = |capability: &Capability| capability.type_url.ends_with(b"GracefulRestartCapability");
    let peers = peer.state.as_ref().is_some_and(|state| state.remote_cap.iter().any(agreed));
    let ends = u64::from(peers && peer.graceful_restart.is_some_and(|restart| restart.enabled));
    let families = peer.afi_safis.iter().filter_map(|family| family.state.as_ref());
    families.map(|family| family.advertised.saturating_sub(ends)).sum()
}

fn is_shut(peer: &Peer, version: Version) -> bool {
    peer.state.as_ref().is_some_and(|state| state.admin_state == version.number(1))
}

fn session_state(number: u32) -> PeerState {
    match number {
        2 => PeerState::Connect,
        3 => PeerState::Active,
        4 => PeerState::OpenSent,
        5 => PeerState::OpenConfirm,
        6 => PeerState::Established,
        _ => PeerState::Idle,
    }
}

fn elapsed(since: i64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    u64::try_from(since).map_or(0, |since| now.saturating_sub(since))
}

/// For callers outside a driver.
pub(super) fn io(error: CallError) -> io::Error {
    match error {
        CallError::NotAnswering(error) => error,
        refused @ CallError::Refused { .. } => io::Error::other(refused),
    }
}

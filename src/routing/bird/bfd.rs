//! Peers that are watched by BFD, in FRR's bfdd: BIRD knows nothing of it, so we act for it.
//!
//! * A session that was up and is down shuts the BGP session with that peer, and no other; up again, it lets it go
//!   on. One that has never been up decides nothing (as with FRR's bgpd: the peer may not speak BFD).
//! * A bfdd that does not answer, or has no such session, is no reason to shut anything, and what was shut for BFD
//!   goes on: the BGP session's own hold time is left to tell.
//! * The peer's administrative down is its operator's wish about BFD, not about BGP (RFC 5882 §3.2).

use super::protocols::{Link, Protocol};
use super::view::symbol;
use crate::model::observed::BfdState;
use crate::plan::RoutingPlan;
use crate::routing::ApplyError;
use crate::routing::bfdd::{Bfdd, Seen, Session};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::path::Path;

#[derive(Debug)]
pub struct Watched {
    bfdd: Bfdd,
    wanted: BTreeMap<IpAddr, Session>,
    /// Peers whose session was up when it was last seen.
    up: BTreeSet<IpAddr>,
}

/// What to say to BIRD about one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Disable(IpAddr),
    Enable(IpAddr),
}

impl Word {
    pub fn command(self) -> String {
        match self {
            Self::Disable(peer) => format!("disable novaedge_{}", symbol(peer)),
            Self::Enable(peer) => format!("enable novaedge_{}", symbol(peer)),
        }
    }
}

impl Watched {
    pub fn new(bfdd_dir: &Path) -> Self {
        Self { bfdd: Bfdd::new(bfdd_dir), wanted: BTreeMap::new(), up: BTreeSet::new() }
    }

    pub fn restarts(&self) -> u64 {
        self.bfdd.restarts()
    }

    pub fn is_wanted(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Has bfdd watch the peers that the plan wants watched, and no others of ours.
    pub async fn keep(
        &mut self,
        plan: &RoutingPlan,
        seen: &[Protocol],
        links: &[Link],
    ) -> Result<usize, ApplyError> {
        self.wanted = wanted(plan, seen, links, &self.wanted);
        match self.bfdd.keep(&self.wanted).await {
            // Who wants nothing needs no bfdd.
            Err(ApplyError::NotAnswering(_)) if self.wanted.is_empty() => Ok(0),
            other => other,
        }
    }

    pub async fn sessions(&mut self) -> io::Result<BTreeMap<IpAddr, Seen>> {
        self.bfdd.sessions().await
    }

    /// What follows from what was seen, for sessions of ours.
    pub fn words(&mut self, bfd: &BTreeMap<IpAddr, Seen>, seen: &[Protocol]) -> Vec<Word> {
        let ours = seen.iter().filter(|protocol| protocol.is_ours());
        let ours = ours.filter_map(|protocol| Some((protocol.bgp.as_ref()?.neighbor?, protocol.is_down)));
        let words = ours.filter_map(|(peer, is_down)| {
            let state = bfd.get(&peer).filter(|_| self.wanted.contains_key(&peer));
            match state.map(|seen| (seen.observed.state, seen.shut_by_peer)) {
                Some((BfdState::Up, _)) => {
                    self.up.insert(peer);
                    is_down.then_some(Word::Enable(peer))
                }
                Some((BfdState::Down, false)) => {
                    (self.up.remove(&peer) && !is_down).then_some(Word::Disable(peer))
                }
                // On its way up; what was shut waits for that.
                Some((BfdState::Init, _)) => None,
                Some((BfdState::AdminDown, _) | (BfdState::Down, true)) | None => {
                    self.up.remove(&peer);
                    is_down.then_some(Word::Enable(peer))
                }
            }
        });
        words.collect()
    }
}

fn wanted(
    plan: &RoutingPlan,
    seen: &[Protocol],
    links: &[Link],
    before: &BTreeMap<IpAddr, Session>,
) -> BTreeMap<IpAddr, Session> {
    let sources = seen.iter().filter_map(|protocol| protocol.bgp.as_ref());
    let sources: BTreeMap<IpAddr, IpAddr> = sources.filter_map(|bgp| bgp.neighbor.zip(bgp.source)).collect();
    // Of a peer that is far, BIRD tells it while the session is up.
    let own = |peer: IpAddr| {
        let near = links.iter().find(|link| link.has(peer)).map(Link::own);
        near.or_else(|| sources.get(&peer).copied()).or_else(|| before.get(&peer)?.local)
    };
    let speaker = plan.speaker.iter();
    let watched = speaker.flat_map(|speaker| {
        speaker.peers.values().filter_map(|peer| {
            let profile = peer.bfd?;
            let far = if peer.asn == speaker.asn { 255 } else { 1 };
            let hops = if profile.multihop { peer.multihop.map_or(far, |hops| hops.get()) } else { 1 };
            // A multihop session cannot do without.
            let local = peer.source.or_else(|| own(peer.address));
            (hops == 1 || local.is_some()).then_some((peer.address, Session { profile, local, hops }))
        })
    });
    watched.collect()
}

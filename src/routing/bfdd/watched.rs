//! Peers of a routing daemon that knows nothing of BFD, watched in FRR's bfdd: the driver acts for it. Pure but for
//! [`Bfdd`].
//!
//! * A session that was up and is down shuts the BGP session with that peer, and no other; up again, it lets it go
//!   on. One that has never been up decides nothing (as with FRR's bgpd: the peer may not speak BFD).
//! * A bfdd that does not answer, or has no such session, is no reason to shut anything, and what was shut for BFD
//!   goes on: the BGP session's own hold time is left to tell.
//! * The peer's administrative down is its operator's wish about BFD, not about BGP (RFC 5882 §3.2).

use super::{Bfdd, Seen, Session};
use crate::model::observed::BfdState;
use crate::plan::RoutingPlan;
use crate::routing::ApplyError;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::path::Path;

#[derive(Debug)]
pub struct Watched {
    bfdd: Bfdd,
    wanted: BTreeMap<IpAddr, Session>,
    /// Sessions with neighbours that were found and not configured; they decide about nothing here.
    found: BTreeMap<IpAddr, Session>,
    /// Peers whose session was up when it was last seen.
    up: BTreeSet<IpAddr>,
}

/// A BGP session of ours, as the routing daemon has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Neighbor {
    pub address: IpAddr,
    /// Shut, by us or by somebody.
    pub is_shut: bool,
}

/// What to do about one BGP session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Shut(IpAddr),
    LetGoOn(IpAddr),
}

impl Watched {
    pub fn new(bfdd_dir: &Path) -> Self {
        Self {
            bfdd: Bfdd::new(bfdd_dir),
            wanted: BTreeMap::new(),
            found: BTreeMap::new(),
            up: BTreeSet::new(),
        }
    }

    pub fn restarts(&self) -> u64 {
        self.bfdd.restarts()
    }

    /// Has bfdd watch the peers that the plan wants watched, and no others of ours. `own` is the node's address
    /// towards a peer, as far as the driver knows it.
    pub async fn keep(
        &mut self,
        plan: &RoutingPlan,
        own: impl Fn(IpAddr) -> Option<IpAddr>,
    ) -> Result<usize, ApplyError> {
        self.wanted = wanted(plan, own, &self.wanted);
        self.register().await
    }

    /// Has bfdd watch these neighbours too.
    pub async fn keep_found(&mut self, found: BTreeMap<IpAddr, Session>) -> Result<usize, ApplyError> {
        if found == self.found {
            return Ok(0);
        }
        self.found = found;
        self.register().await
    }

    async fn register(&mut self) -> Result<usize, ApplyError> {
        let mut all = self.found.clone();
        all.extend(self.wanted.clone());
        match self.bfdd.keep(&all).await {
            // Who wants nothing needs no bfdd.
            Err(ApplyError::NotAnswering(_)) if all.is_empty() => Ok(0),
            other => other,
        }
    }

    /// The sessions; and what keeps them from being seen, where there should be some.
    pub async fn sessions(&mut self) -> (BTreeMap<IpAddr, Seen>, Option<String>) {
        match self.bfdd.sessions().await {
            Ok(sessions) => (sessions, None),
            Err(error) => (BTreeMap::new(), self.trouble(&error)),
        }
    }

    fn trouble(&self, error: &io::Error) -> Option<String> {
        let words = || format!("bfdd does not answer, so failures are noticed late: {error}");
        (!self.wanted.is_empty() || !self.found.is_empty()).then(words)
    }

    /// What follows from what was seen, for sessions of ours.
    pub fn verdicts(&mut self, bfd: &BTreeMap<IpAddr, Seen>, ours: &[Neighbor]) -> Vec<Verdict> {
        let verdicts = ours.iter().filter_map(|&Neighbor { address, is_shut }| {
            let state = bfd.get(&address).filter(|_| self.wanted.contains_key(&address));
            match state.map(|seen| (seen.observed.state, seen.shut_by_peer)) {
                Some((BfdState::Up, _)) => {
                    self.up.insert(address);
                    is_shut.then_some(Verdict::LetGoOn(address))
                }
                Some((BfdState::Down, false)) => {
                    (self.up.remove(&address) && !is_shut).then_some(Verdict::Shut(address))
                }
                // On its way up; what was shut waits for that.
                Some((BfdState::Init, _)) => None,
                Some((BfdState::AdminDown, _) | (BfdState::Down, true)) | None => {
                    self.up.remove(&address);
                    is_shut.then_some(Verdict::LetGoOn(address))
                }
            }
        });
        verdicts.collect()
    }
}

fn wanted(
    plan: &RoutingPlan,
    own: impl Fn(IpAddr) -> Option<IpAddr>,
    before: &BTreeMap<IpAddr, Session>,
) -> BTreeMap<IpAddr, Session> {
    let own = |peer: IpAddr| own(peer).or_else(|| before.get(&peer)?.local);
    let speaker = plan.speaker.iter();
    let watched = speaker.flat_map(|speaker| {
        speaker.peers.values().filter_map(|peer| {
            let profile = peer.bfd?;
            let far = if peer.asn == speaker.asn { 255 } else { 1 };
            let hops = if profile.multihop { peer.multihop.map_or(far, |hops| hops.get()) } else { 1 };
            // A multihop session cannot do without.
            let local = peer.source.or_else(|| own(peer.address));
            (hops == 1 || local.is_some())
                .then_some((peer.address, Session { profile, local, interface: None, hops }))
        })
    });
    watched.collect()
}

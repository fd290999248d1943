//! BFD sessions in FRR's bfdd for routing daemons that are not FRR: registered, and looked at.
//!
//! Owns the peers in bfdd that use a profile of ours, and those profiles; what else is there is the operator's.
//! A routing driver calls it by [`Watched`] and acts on what it says. bfdd's own running configuration is the only record: a
//! restarted bfdd gets its sessions back with the next call, a restarted agent finds those of its predecessor.
//!
//! | file | what | |
//! |---|---|---|
//! | [`config`] | sessions → bfdd's language, and what differs from what is there | pure |
//! | [`watched`] | which sessions a plan wants, and what follows from their state | |

mod config;
mod watched;

pub use watched::{Neighbor, Verdict, Watched};

use super::ApplyError;
use super::frr::BfdSession;
use super::frr::vty::Vty;
use crate::model::bfd::BfdProfile;
use crate::model::net::InterfaceName;
use crate::model::observed::BfdObserved;
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::path::Path;

/// A session that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub profile: BfdProfile,
    /// The BGP session's own address; `None`: the kernel chooses.
    pub local: Option<IpAddr>,
    /// Where a peer with a link-local address is.
    pub interface: Option<InterfaceName>,
    /// How many hops away the peer may be: more than 1 makes it a multihop session (RFC 5883).
    pub hops: u8,
}

/// A session that bfdd has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub observed: BfdObserved,
    /// Its administrative down is a wish about BFD, not about the peer (RFC 5882 §3.2).
    pub shut_by_peer: bool,
}

#[derive(Debug)]
pub struct Bfdd {
    vty: Vty,
}

impl Bfdd {
    /// The bfdd whose socket is in FRR's run directory; connects when it is first used.
    pub fn new(vty_dir: &Path) -> Self {
        Self { vty: Vty::new(vty_dir, "bfdd") }
    }

    /// How often bfdd was found to be another process than before.
    pub fn restarts(&self) -> u64 {
        self.vty.restarts()
    }

    /// Makes bfdd have these sessions, by peer, and no other of ours; says how many lines that took.
    ///
    /// # Errors
    /// bfdd does not answer, refuses a line, or reads back something else.
    pub async fn keep(&mut self, wanted: &BTreeMap<IpAddr, Session>) -> Result<usize, ApplyError> {
        let wanted = config::wanted(wanted);
        let lines = config::lines(&self.have().await.map_err(ApplyError::NotAnswering)?, &wanted);
        if lines.is_empty() {
            return Ok(0);
        }
        let answers = self.vty.send(&lines).await.map_err(ApplyError::NotAnswering)?;
        if let Some((line, answer)) = lines.iter().zip(&answers).find(|(_, answer)| answer.refused()) {
            let (line, answer) = (line.clone(), answer.text.trim().to_owned());
            return Err(ApplyError::Refused { line, answer });
        }
        match config::lines(&self.have().await.map_err(ApplyError::NotAnswering)?, &wanted).get(2) {
            None => Ok(lines.len()),
            Some(line) => Err(ApplyError::ReadBack(format!("bfdd, still to do: {line:?}"))),
        }
    }

    /// All sessions that bfdd has, by peer.
    ///
    /// # Errors
    /// bfdd does not answer.
    pub async fn sessions(&mut self) -> io::Result<BTreeMap<IpAddr, Seen>> {
        let answer = self.vty.ask("show bfd peers json").await?;
        let sessions: Vec<BfdSession> = serde_json::from_str(&answer.text).map_err(io::Error::other)?;
        let seen = |session: BfdSession| {
            let shut_by_peer = session.is_shut_by_peer();
            let (peer, observed) = session.observed()?;
            Some((peer, Seen { observed, shut_by_peer }))
        };
        Ok(sessions.into_iter().filter_map(seen).collect())
    }

    async fn have(&mut self) -> io::Result<config::Blocks> {
        Ok(config::ours(&self.vty.ask("show running-config").await?.text))
    }
}

//! One node's part in one VIP: what its agent says, whether it can be believed, and what follows from it.

use super::words::clauses;
use super::{Facts, VipFacts};
use crate::api::condition::Reason as Word;
use crate::model::attendance::Attendance;
use crate::model::leaving::Leaving;
use crate::model::name::Name;
use crate::model::status::{Explained, NodeStatus, Phase, Reason, VipStatus};
use std::collections::BTreeSet;

/// What an agent's silence makes of its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// No agent has ever spoken to this controller.
    Never,
    /// It is gone, or cannot be heard. Its last report is kept, but nothing is concluded from it.
    Silent,
    /// What it says is so.
    Speaking,
}

#[derive(Debug, Clone, Copy)]
pub struct Share<'a> {
    pub node: &'a Name,
    pub voice: Voice,
    /// The newest report of the whole node.
    pub report: Option<&'a NodeStatus>,
    /// What it says about the VIP.
    pub vip: Option<&'a VipStatus>,
    /// What the estate says to the node's wish to leave.
    pub leaving: Option<&'a Leaving>,
    pub candidate: bool,
    pub healthy: bool,
    /// The daemon there has all of the VIP's addresses, and some peer is up.
    pub announces: bool,
}

/// Of every candidate, and of every node that is still on its way out.
pub fn shares<'a>(name: &Name, vip: &'a VipFacts, facts: &Facts<'a>) -> Vec<Share<'a>> {
    let nodes: BTreeSet<&Name> = vip.nodes.iter().chain(vip.leaving.keys()).collect();
    nodes.into_iter().map(|node| share(name, node, vip, facts)).collect()
}

fn share<'a>(name: &Name, node: &'a Name, vip: &'a VipFacts, facts: &Facts<'a>) -> Share<'a> {
    let attendance: Option<&'a Attendance> = facts.attendance.get(node);
    let voice = match attendance {
        None => Voice::Never,
        Some(attendance) if attendance.alive => Voice::Speaking,
        Some(_) => Voice::Silent,
    };
    let report = attendance.and_then(|attendance| attendance.status.as_deref());
    let said = report.and_then(|report| report.vips.get(name));
    let in_daemon = |report: &NodeStatus| {
        vip.addresses.is_some_and(|all| all.iter().all(|route| report.routing.announced.contains(&route)))
    };
    let on_air = matches!(said.map(|said| said.phase), Some(Phase::Announced | Phase::Draining));
    Share {
        node,
        voice,
        report,
        vip: said,
        leaving: vip.leaving.get(node),
        candidate: vip.nodes.contains(node),
        healthy: vip.healthy.contains(node),
        announces: voice == Voice::Speaking && on_air && report.is_some_and(in_daemon),
    }
}

impl Share<'_> {
    /// Why it is not further, or what flaws it: a word, and a sentence's inside.
    pub fn why(&self) -> Option<Explained> {
        let tell = |word: Word, message: &str| {
            Some(Explained { reason: word.to_string(), message: message.to_owned() })
        };
        match (self.voice, self.vip) {
            (Voice::Never, _) => tell(
                Word::NoAgent,
                "no agent has spoken from there since the controller's start; start novaedge-agent there, or \
                 leave the node out by spec.nodeSelector",
            ),
            (Voice::Silent, _) => {
                tell(Word::AgentSilent, "its agent is not connected; the state is the last that it told")
            }
            (Voice::Speaking, None) => {
                tell(Word::NotReported, "its agent has not said anything about this VIP yet")
            }
            (Voice::Speaking, Some(said)) => self.in_its_words(said),
        }
    }

    /// Whether [`Self::why`] has an answer.
    pub fn has_news(&self) -> bool {
        let said = self.vip.filter(|_| self.voice == Voice::Speaking);
        said.is_none_or(|said| !said.reasons.is_empty()) || matches!(self.leaving, Some(Leaving::Held { .. }))
    }

    fn in_its_words(&self, said: &VipStatus) -> Option<Explained> {
        let held = self.held().filter(|held| said.reasons.iter().all(|reason| reason.reason != held.reason));
        let mut reasons = said.reasons.iter().chain(held.as_ref()).peekable();
        let reason = reasons.peek()?.reason.clone();
        Some(Explained { reason, message: clauses(reasons.map(|reason| &reason.message)) })
    }

    /// That it may not leave yet.
    pub fn held(&self) -> Option<Explained> {
        match self.leaving {
            Some(Leaving::Held { cause, by }) => {
                Some(Explained::from(&Reason::Held { cause: *cause, by: by.clone() }))
            }
            Some(Leaving::Granted { .. }) | None => None,
        }
    }

    /// What is wrong although it announces. That nobody listens has a condition of its own; that it leaves
    /// is nothing wrong.
    pub fn flaw(&self) -> Option<&Explained> {
        const NO_FLAWS: [&str; 3] = ["NoListeners", "Leaving", "Held"];
        let said = self.vip.filter(|_| self.announces)?;
        said.reasons.iter().find(|reason| !NO_FLAWS.contains(&reason.reason.as_str()))
    }

    /// It is silent, and announced when it was last heard: perhaps it still does.
    pub fn may_announce(&self) -> bool {
        let phase = self.vip.map(|said| said.phase);
        self.voice == Voice::Silent && matches!(phase, Some(Phase::Announced | Phase::Draining))
    }
}

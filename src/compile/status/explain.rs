//! Why is this VIP announced there, or not? A chain of conditions for every node, of which each needs those
//! before it:
//!
//! ```text
//! selected → snapshot taken → ports bound → address held → daemon answers → backends healthy
//!          → daemon has the prefix → a peer is up → announced
//! ```
//!
//! The first link that is broken is the one to repair; it is told in the daemon's own words, with what to do.

use super::estate::{EstateStatus, VipSummary};
use super::remedy;
use crate::api::condition::Reason as Word;
use crate::model::attendance::Attendance;
use crate::model::name::Name;
use crate::model::net::HostRoute;
use crate::model::status::{Explained, NodeStatus, Phase, VipStatus};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    pub vip: Name,
    pub summary: VipSummary,
    /// Of every node that the controller knows.
    pub nodes: BTreeMap<Name, Vec<Link>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    pub step: Step,
    pub state: State,
    /// What there is, or what is missing, in the words of whoever knows it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Step {
    Selected,
    SnapshotTaken,
    PortsBound,
    AddressHeld,
    DaemonAnswers,
    BackendsHealthy,
    InDaemon,
    PeersUp,
    Announced,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum State {
    Holds,
    /// It holds, but not all of it.
    Flawed,
    Broken,
    /// For a link before it.
    Waits,
}

/// `None`: there is no such VIP.
pub fn explain(
    vip: &Name,
    estate: &EstateStatus,
    attendance: &BTreeMap<Name, Attendance>,
) -> Option<Explanation> {
    let summary = estate.vips.get(vip)?;
    let chain = |node: &Name| match is_selected(vip, node, summary, attendance.get(node)) {
        true => chain(vip, node, attendance.get(node)),
        false => vec![not_selected()],
    };
    let nodes = estate.nodes.keys().map(|node| (node.clone(), chain(node))).collect();
    Some(Explanation { vip: vip.clone(), summary: summary.clone(), nodes })
}

/// The status may not list every candidate; those that it leaves out have told of the VIP.
fn is_selected(vip: &Name, node: &Name, summary: &VipSummary, attendance: Option<&Attendance>) -> bool {
    let report = attendance.and_then(|attendance| attendance.status.as_deref());
    summary.status.nodes.iter().any(|seen| seen.name == node.as_str())
        || report.is_some_and(|report| report.vips.contains_key(vip))
}

fn not_selected() -> Link {
    Link {
        step: Step::Selected,
        state: State::Broken,
        words: "spec.nodeSelector does not select the node".to_owned(),
        remedy: None,
    }
}

fn chain(vip: &Name, node: &Name, attendance: Option<&Attendance>) -> Vec<Link> {
    let mut links = vec![holds(Step::Selected, String::new())];
    match heard(vip, attendance) {
        Ok((report, said)) => {
            links.push(holds(Step::SnapshotTaken, format!("generation {}", report.generation)));
            links.extend(of_report(report, said));
        }
        Err(why) => links.push(broken(Step::SnapshotTaken, &why)),
    }
    for link in &mut links {
        link.remedy = link.remedy.take().map(|remedy| remedy.replace("NODE", node.as_str()));
    }
    links
}

/// What the agent says of the VIP, if it can be believed.
fn heard<'a>(
    vip: &Name,
    attendance: Option<&'a Attendance>,
) -> Result<(&'a NodeStatus, &'a VipStatus), Explained> {
    let why = |word: Word, message: &str| Explained { reason: word.to_string(), message: message.to_owned() };
    let attendance = attendance.ok_or_else(|| why(Word::NoAgent, "no agent has spoken from there"))?;
    if !attendance.alive {
        return Err(why(Word::AgentSilent, "its agent is not connected"));
    }
    if let Some((_, reason)) = attendance.refused.iter().find(|(entry, _)| entry.ends_with(vip.as_str())) {
        return Err(why(Word::NotReported, &format!("its agent could not use the VIP: {reason}")));
    }
    let report = attendance.status.as_deref();
    let said = report.and_then(|report| Some((report, report.vips.get(vip)?)));
    said.ok_or_else(|| why(Word::NotReported, "its agent has not said anything about this VIP yet"))
}

fn of_report(report: &NodeStatus, said: &VipStatus) -> Vec<Link> {
    let daemon = report.routing.daemon.as_ref().map(|daemon| format!("{} {}", daemon.name, daemon.version));
    let ports = said.ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let addresses = said.addresses.iter().map(HostRoute::to_string).collect::<Vec<_>>().join(", ");
    let in_daemon = said.addresses.iter().all(|route| report.routing.announced.contains(route));
    let on_air = matches!(said.phase, Phase::Announced | Phase::Draining);
    let steps: [(Step, &[&str], String, bool); 7] = [
        (Step::PortsBound, &["PortInUse", "PortFailed", "PortNotBound"], ports, true),
        (Step::AddressHeld, &["NotGuarded", "AddressNotHeld"], addresses.clone(), true),
        (Step::DaemonAnswers, &["DaemonNotAnswering"], daemon.clone().unwrap_or_default(), daemon.is_some()),
        (Step::BackendsHealthy, &["NoHealthyBackend", "BackendsUnchecked"], String::new(), true),
        (Step::InDaemon, &["DaemonCannot", "DaemonRefused", "NotInDaemon"], addresses, in_daemon),
        (Step::PeersUp, &["NoPeerUp", "PeerDown"], String::new(), true),
        (Step::Announced, &["Leaving", "Held"], format!("{:?}", said.phase), on_air),
    ];
    let mut whole = true;
    let mut links = Vec::new();
    for (step, lacks, words, holds) in steps {
        let found: Vec<&Explained> =
            said.reasons.iter().filter(|reason| lacks.contains(&reason.reason.as_str())).collect();
        let link = link(step, &found, words, holds, on_air, whole);
        whole &= link.state <= State::Flawed;
        links.push(link);
    }
    links
}

/// `holds`: as far as it can be seen without the reasons. `whole`: no link before it is broken. What an
/// announced VIP lacks is a flaw.
fn link(step: Step, found: &[&Explained], words: String, holds: bool, on_air: bool, whole: bool) -> Link {
    match (found.first(), holds) {
        (Some(first), _) => {
            let all = found.iter().map(|found| found.message.as_str()).collect::<Vec<_>>().join("; ");
            let state = if on_air { State::Flawed } else { State::Broken };
            Link { step, state, words: all, remedy: remedy::of(&first.reason) }
        }
        (None, true) => self::holds(step, words),
        (None, false) if whole => {
            Link { step, state: State::Broken, words, remedy: remedy::of("NoSnapshot") }
        }
        (None, false) => Link { step, state: State::Waits, words: String::new(), remedy: None },
    }
}

fn holds(step: Step, words: String) -> Link {
    Link { step, state: State::Holds, words, remedy: None }
}

fn broken(step: Step, why: &Explained) -> Link {
    Link { step, state: State::Broken, words: why.message.clone(), remedy: remedy::of(&why.reason) }
}

//! A node in numbers, and what is wrong with it.

use super::Facts;
use super::estate::{Count, NodeSummary};
use super::words::{clauses, sentence};
use crate::model::attendance::Attendance;
use crate::model::name::Name;
use crate::model::observed::{BfdState, EndpointHealth, PeerState};
use crate::model::status::{NodeStatus, Phase};
use std::collections::{BTreeMap, BTreeSet};

/// Of every node that has an object or an agent.
pub fn summaries(facts: &Facts<'_>) -> BTreeMap<Name, NodeSummary> {
    let names: BTreeSet<&Name> = facts.world.nodes.keys().chain(facts.attendance.keys()).collect();
    let summary = |name: &Name| match facts.attendance.get(name) {
        Some(attendance) => of_agent(attendance),
        None => {
            NodeSummary { troubles: vec!["No agent has spoken from there.".to_owned()], ..Default::default() }
        }
    };
    names.into_iter().map(|name| (name.clone(), summary(name))).collect()
}

fn of_agent(attendance: &Attendance) -> NodeSummary {
    let Attendance { alive, since, taken, refused, status } = attendance;
    let mut troubles = Vec::new();
    if !alive {
        troubles.push("Its agent is not connected; what is shown is the last that it told.".to_owned());
    }
    if !refused.is_empty() {
        let each = refused.iter().map(|(entry, reason)| format!("{entry}: {reason}"));
        troubles
            .push(format!("Its agent could not use a part of the snapshot: {}", sentence(&clauses(each))));
    }
    let summary =
        NodeSummary { alive: *alive, since: Some(*since), generation: *taken, ..Default::default() };
    match status {
        Some(report) => reported(report, summary, troubles),
        None => NodeSummary { troubles, ..summary },
    }
}

fn reported(report: &NodeStatus, summary: NodeSummary, mut troubles: Vec<String>) -> NodeSummary {
    let NodeStatus {
        node: _,
        version,
        generation: _,
        term: _,
        started: _,
        wish,
        held: _,
        vips,
        routing,
        served,
        rejected: _,
    } = report;
    let daemon = routing.daemon.as_ref().map(|daemon| format!("{} {}", daemon.name, daemon.version));
    if let (None, None) = (&daemon, &routing.trouble) {
        troubles.push("The routing daemon does not answer.".to_owned());
    }
    troubles.extend(routing.trouble.iter().map(|trouble| sentence(trouble)));
    let endpoints = served.backends.values().flat_map(|backend| backend.endpoints.values());
    NodeSummary {
        version: Some(version.clone()),
        wish: *wish,
        daemon,
        vips: Count::of(vips.values(), |vip| vip.phase == Phase::Announced),
        peers: Count::of(routing.peers.values(), |peer| peer.state == PeerState::Established),
        bfd: Count::of(routing.bfd.values(), |session| session.state == BfdState::Up),
        endpoints: Count::of(endpoints, |health| **health == EndpointHealth::Healthy),
        connections: served.connections,
        in_flight: served.in_flight,
        troubles,
        ..summary
    }
}

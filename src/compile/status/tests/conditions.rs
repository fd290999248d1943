//! Each condition of a VIP, each of its reasons.

use super::*;
use crate::model::leaving::{Cause, Hold};
use crate::model::observed::DaemonVersion;

type Edit = fn(&mut Estate);

/// What is wrong, the condition, its status and reason, and a part of its message.
const TABLE: [(Edit, &str, &str, &str); 33] = [
    (|_| (), "Accepted", "True Accepted", "as it is written"),
    (network, "Accepted", "False InvalidValue", "spec.address: 10.0.0.0/24 is a network; write 10.0.0.0/32."),
    (
        one_peer,
        "Accepted",
        "True PartlyUsed",
        "A part of it is not used: spec.bgpConfig.peers[1].as: too large.",
    ),
    (router_id, "Accepted", "True RouterIDPerNode", "each node uses its own"),
    (refused_edit, "Accepted", "False InvalidValue", "the VIP goes on as it was before"),
    (|_| (), "AddressAllocated", "True Written", "As it is written: 10.200.0.20/32."),
    (pooled, "AddressAllocated", "True Allocated", "From ProxyIPPool lan: 10.200.0.20/32."),
    (waiting, "AddressAllocated", "False AddressPending", "ProxyIPPool lan has not given"),
    (exhausted, "AddressAllocated", "False PoolExhausted", "give pool lan more"),
    (exhausted, "Accepted", "True Accepted", "as it is written"),
    (shrunk, "AddressAllocated", "True OutOfPool", "no longer contains"),
    (network, "AddressAllocated", "False InvalidValue", "Accepted says why"),
    (|_| (), "Ready", "True Announced", "n1, n2 and n3 announce it."),
    (two_broken, "Ready", "True Announced", "n1 announces it."),
    (nobody, "Ready", "False NotAnnounced", "n2: port 80 is held by sshd (pid 812); stop it there"),
    (no_agents, "Ready", "False NotAnnounced", "n1: no agent has spoken from there"),
    (waiting, "Ready", "False NoAddress", "AddressAllocated says why"),
    (network, "Ready", "False NotAccepted", "Accepted says why"),
    (unselected, "Ready", "False NoNodeSelected", "label a node"),
    (all_silent, "Ready", "Unknown AgentsSilent", "n1, n2 and n3 did when last heard"),
    (|_| (), "Degraded", "False EnoughNodes", "3 of 3 nodes are healthy; minHealthyNodes is 2."),
    (one_broken, "Degraded", "False EnoughNodes", "2 of 3 nodes are healthy"),
    (
        two_broken,
        "Degraded",
        "True BelowMinHealthyNodes",
        "1 of 3 nodes is healthy; minHealthyNodes is 2. n2: port 80",
    ),
    (
        held,
        "Degraded",
        "True DepartureHeld",
        "n2 may not leave yet, although its Node is cordoned: without it 1",
    ),
    (
        one_by_one,
        "Degraded",
        "False EnoughNodes",
        "n1 is leaving: its Node is cordoned; n2 may not leave yet",
    ),
    (peer_down, "Degraded", "True PeerDown", "n1: peer 10.0.0.253 is down: Hold Timer Expired."),
    (network, "Degraded", "False NotAccepted", "Accepted says why"),
    (|_| (), "Conflicted", "False NoConflict", ""),
    (conflict, "Conflicted", "True Conflicted", "ProxyVIP old has 10.200.0.20"),
    (|_| (), "NoListeners", "False HasListeners", ""),
    (|estate| estate.web().listeners = false, "NoListeners", "True NoListeners", "so that it can be tried"),
    (|_| (), "DaemonUntested", "False DaemonTested", ""),
    (strange_daemon, "DaemonUntested", "True DaemonUntested", "n2 runs frr 10.9.9. NovaEdge is tested with"),
];

#[test]
fn every_condition_says_what_holds_and_why() {
    for (edit, kind, expected, words) in TABLE {
        let mut estate = Estate::well();
        edit(&mut estate);
        let status = estate.compute();
        let conditions = &status.vips[&name("web")].status.conditions;
        let condition = condition(conditions, kind);
        assert_eq!((kind, said(condition).as_str()), (kind, expected), "{}", condition.message);
        assert!(condition.message.contains(words), "{kind}: {}", condition.message);
        assert!(condition.message.ends_with('.'), "{kind}: {}", condition.message);
        assert_eq!(condition.observed_generation, Some(3));
    }
}

fn strange_daemon(estate: &mut Estate) {
    let version = DaemonVersion { name: "frr".to_owned(), version: "10.9.9".to_owned() };
    estate.report("n2", |report| report.routing.daemon = Some(version.clone()));
}

fn refuse(estate: &mut Estate, field: &str, reason: &str, message: &str) {
    estate.reject("ProxyVIP web", field, reason, message, false);
}

fn network(estate: &mut Estate) {
    refuse(estate, "spec.address", "InvalidValue", "10.0.0.0/24 is a network; write 10.0.0.0/32");
    estate.vips.clear();
    for node in ["n1", "n2", "n3"] {
        estate.report(node, |report| report.vips.clear());
    }
}

fn one_peer(estate: &mut Estate) {
    refuse(estate, "spec.bgpConfig.peers[1].as", "InvalidValue", "too large");
}

fn router_id(estate: &mut Estate) {
    let message = "several nodes would share it; each node uses its own";
    estate.reject("ProxyVIP web", "spec.bgpConfig.routerID", "RouterIDPerNode", message, true);
}

fn refused_edit(estate: &mut Estate) {
    refuse(estate, "spec.address", "InvalidValue", "10.0.0.0/24 is a network");
    let message = "the edit is not used; the VIP goes on as it was before";
    estate.reject("ProxyVIP web", "", "Ignored", message, true);
}

fn pooled(estate: &mut Estate) {
    estate.web().pool = Some(name("lan"));
}

fn waiting(estate: &mut Estate) {
    pooled(estate);
    estate.web().addresses = None;
    for node in ["n1", "n2", "n3"] {
        estate.report(node, |report| report.vips.clear());
    }
}

fn exhausted(estate: &mut Estate) {
    waiting(estate);
    refuse(estate, "spec.poolRef", "PoolExhausted", "no address is left; give pool lan more");
}

fn shrunk(estate: &mut Estate) {
    pooled(estate);
    let message = "ProxyIPPool lan no longer contains 10.200.0.20; it stays";
    estate.reject("ProxyVIP web", "spec.poolRef", "OutOfPool", message, true);
}

fn in_use(estate: &mut Estate, node: &str) {
    let holder = Some("sshd (pid 812)".to_owned());
    estate.tells(node, Phase::Preparing, &[Reason::PortInUse { port: Port::new(80).unwrap(), holder }]);
}

fn one_broken(estate: &mut Estate) {
    in_use(estate, "n2");
}

fn two_broken(estate: &mut Estate) {
    in_use(estate, "n2");
    in_use(estate, "n3");
}

fn nobody(estate: &mut Estate) {
    in_use(estate, "n1");
    two_broken(estate);
}

fn no_agents(estate: &mut Estate) {
    estate.attendance.clear();
    estate.web().healthy.clear();
}

fn unselected(estate: &mut Estate) {
    estate.web().nodes.clear();
    estate.web().healthy.clear();
}

fn all_silent(estate: &mut Estate) {
    for node in ["n1", "n2", "n3"] {
        estate.silence(node);
    }
}

fn held(estate: &mut Estate) {
    in_use(estate, "n3");
    let by = Hold::BelowMinimum { healthy: 1, minimum: 2 };
    estate.web().leaving.insert(name("n2"), Leaving::Held { cause: Cause::Cordon, by });
}

fn one_by_one(estate: &mut Estate) {
    let by = Hold::OneByOne { leaver: name("n1") };
    let web = estate.web();
    web.leaving.insert(name("n1"), Leaving::Granted { cause: Cause::Cordon });
    web.leaving.insert(name("n2"), Leaving::Held { cause: Cause::Cordon, by });
}

fn peer_down(estate: &mut Estate) {
    let error = Some("Hold Timer Expired".to_owned());
    let peer = "10.0.0.253".parse().unwrap();
    estate.tells("n1", Phase::Announced, &[Reason::PeerDown { peer, error }]);
}

fn conflict(estate: &mut Estate) {
    refuse(estate, "spec.address", "Conflicted", "ProxyVIP old has 10.200.0.20; write another address");
    estate.web().addresses = None;
}

#[test]
fn a_condition_keeps_its_time_until_its_status_changes() {
    let mut estate = Estate::well();
    let first = estate.compute();
    let at = |status: &EstateStatus, kind: &str| {
        condition(&status.vips[&name("web")].status.conditions, kind).last_transition_time.clone()
    };
    estate.before = Some(first.clone());
    estate.now = NOW + 60;
    in_use(&mut estate, "n2");
    let second = estate.compute();
    assert_eq!(at(&second, "Ready"), at(&first, "Ready"), "another message is no transition");
    nobody(&mut estate);
    let third = estate.compute();
    assert_eq!(at(&third, "Ready"), verdict::time(NOW + 60));
    assert_eq!(at(&third, "Accepted"), at(&first, "Accepted"));
}

#[test]
fn a_vip_shows_who_announces_it_and_why_the_others_do_not() {
    let mut estate = Estate::well();
    in_use(&mut estate, "n2");
    estate.silence("n3");
    let status = estate.compute().vips.remove(&name("web")).unwrap().status;
    assert_eq!(status.addresses, ["10.200.0.20/32"]);
    assert_eq!(status.announcing_nodes, ["n1"]);
    assert_eq!((status.healthy_nodes, status.healthy.as_deref()), (Some(1), Some("1/3")));
    assert_eq!(status.bfd_session_state.as_deref(), Some("Up"));
    let [n1, n2, n3] = &status.nodes[..] else { panic!("{:?}", status.nodes) };
    assert_eq!((n1.state.as_str(), &n1.reason), ("Announced", &None));
    assert_eq!(n1.daemon.as_deref(), Some("frr 8.4.4"));
    assert_eq!(n1.peers[0].state, "Established");
    assert_eq!(n1.peers[0].bfd_state.as_deref(), Some("Up"));
    assert_eq!((n2.state.as_str(), n2.reason.as_deref()), ("Preparing", Some("PortInUse")));
    assert_eq!((n3.state.as_str(), n3.reason.as_deref()), ("Announced", Some("AgentSilent")));
    assert_eq!(n3.since, Some(verdict::time(NOW - 5)));
    assert!(n3.peers.is_empty() && n3.daemon.is_none(), "nobody knows about them now");
}

#[test]
fn the_worst_bfd_session_with_a_peer_of_the_vip_counts() {
    let mut estate = Estate::well();
    estate.report("n2", |report| {
        let mut session = report.routing.bfd[&peer_address()].clone();
        session.state = BfdState::Down;
        report.routing.bfd.insert("10.0.0.1".parse().unwrap(), session.clone());
        session.state = BfdState::Init;
        report.routing.bfd.insert(peer_address(), session);
    });
    let status = estate.compute().vips.remove(&name("web")).unwrap().status;
    assert_eq!(status.bfd_session_state.as_deref(), Some("Init"), "10.0.0.1 is another VIP's peer");
}

#[test]
fn of_many_nodes_those_are_listed_that_lack_something() {
    let mut estate = Estate::well();
    for number in 0..200 {
        let node = name(&format!("m{number:03}"));
        estate.attendance.insert(node.clone(), present(node.clone()));
        estate.web().nodes.insert(node.clone());
        estate.web().healthy.insert(node);
    }
    in_use(&mut estate, "n2");
    estate.silence("m007");
    let status = estate.compute();
    let web = &status.vips[&name("web")].status;
    let listed: Vec<&str> = web.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(listed, ["m007", "n2"]);
    assert_eq!((web.announcing_nodes.len(), web.healthy.as_deref()), (201, Some("201/203")));
    let explained = explain(&name("web"), &status, &estate.attendance).unwrap();
    assert!(explained.nodes.values().all(|chain| chain.len() > 1), "every node is selected");
    no_agents(&mut estate);
    let web = estate.compute().vips.remove(&name("web")).unwrap().status;
    assert_eq!(web.nodes.len(), 64, "the first of those");
    let messages = web.conditions.iter().map(|condition| condition.message.len());
    assert!(messages.max() < Some(2_000));
}

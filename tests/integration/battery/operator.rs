//! What is not ours stays as it is, line by line.

use super::fixture::Fixture;
use super::plans::{Plan, TOR, attributes, peer, route};
use super::world::World;
use novaedge::routing::ApplyError;
use serde_json::json;

const VIP: &str = "10.200.0.20/32";
const OPERATORS: &str = "10.200.0.99/32";

/// Our speaker moves into the operator's instance and out again.
pub fn the_operators_lines_stay<F: Fixture>() {
    let mut world = World::<F>::new("foreign");
    F::operate(world.node());
    let before = F::operators_lines(world.node());
    assert!(before.len() > 5, "{before:?}");
    world.hold(VIP);
    world.apply(&Plan::to_the_tor().announcing(VIP));
    world.routed(VIP);
    assert_eq!(F::operators_lines(world.node()), before);
    assert!(!F::our_lines(world.node()).is_empty());
    world.apply(&Plan(Default::default()));
    world.unrouted(VIP);
    assert_eq!(F::operators_lines(world.node()), before);
    assert_eq!(F::our_lines(world.node()), Vec::<String>::new());
}

/// A prefix that the operator announces is refused to us, and only that one.
pub fn the_operators_prefix_is_refused_alone<F: Fixture>() {
    let mut world = World::<F>::new("refused");
    F::operate(world.node());
    let before = F::operators_lines(world.node());
    world.hold(VIP);
    let plan = Plan::to_the_tor().announcing(VIP).announcing(OPERATORS);
    let applied = world.try_apply(&plan).unwrap();
    assert_eq!(applied.refused.keys().copied().collect::<Vec<_>>(), [route(OPERATORS)]);
    world.routed(VIP);
    assert_eq!(world.try_apply(&plan).unwrap().changes, 0);
    assert_eq!(F::operators_lines(world.node()), before);
}

/// The operator's session is not reconfigured; everything else goes in and the report says what did not.
pub fn the_operators_session_is_not_taken_over<F: Fixture>() {
    let mut world = World::<F>::new("taken");
    F::operate(world.node());
    let before = F::operators_lines(world.node());
    world.hold(VIP);
    let plan = Plan::to_the_tor().with_peer(peer("10.0.0.77".parse().unwrap(), 64777)).announcing(VIP);
    let error = world.try_apply(&plan).unwrap_err();
    assert!(matches!(&error, ApplyError::Refused { line, .. } if line.contains("10.0.0.77")), "{error}");
    world.routed(VIP);
    assert_eq!(F::operators_lines(world.node()), before);
}

/// Attach mode has nothing to attach to: refused with words, and nothing is made in the daemon for it.
pub fn without_the_operators_speaker_nothing_attaches<F: Fixture>() {
    let mut world = World::<F>::new("nowhere");
    world.hold(VIP);
    let error = world.try_apply(&Plan::speaker().attaching(VIP, attributes(&[]))).unwrap_err();
    assert!(matches!(&error, ApplyError::Refused { answer, .. } if answer.contains("peers")), "{error}");
    world.apply(&Plan(Default::default()));
    assert_eq!(F::our_lines(world.node()), Vec::<String>::new());
}

/// Attach mode: the sessions are the operator's, only the prefixes are ours, attributes and all.
pub fn without_peers_our_prefixes_use_the_operators_sessions<F: Fixture>() {
    let mut world = World::<F>::new("attach");
    F::operate(world.node());
    F::peer_with_the_tor(world.node());
    world.established();
    let before = F::operators_lines(world.node());
    world.hold(VIP);
    world.apply(&Plan::speaker().attaching(VIP, attributes(&["64501:100"])));
    world.path_has(VIP, &[("/community/string", json!("64501:100"))]);
    let seen = world.sees("announced", |seen| seen.announced.contains(&route(VIP)));
    assert!(seen.peers.contains_key(&TOR), "the operator's sessions carry our prefixes");
    world.apply(&Plan(Default::default()));
    world.unrouted(VIP);
    assert_eq!(F::operators_lines(world.node()), before);
}

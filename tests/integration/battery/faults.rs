//! Restarts, silence, and the loop that heals them.

use super::fixture::Fixture;
use super::plans::{Plan, TOR, bfd, peer, route};
use super::world::World;
use novaedge::model::bgp::Peer;
use novaedge::model::observed::{BfdState, PeerState};
use novaedge::routing::ApplyError;
use novaedge_lab::eventually;
use std::collections::BTreeSet;
use std::time::Duration;

const VIP: &str = "10.200.0.20/32";

fn watched() -> Plan {
    Plan::speaker().with_peer(Peer { bfd: Some(bfd(false)), ..peer(TOR, 64500) }).announcing(VIP)
}

/// Any process of the daemon is restarted: set up again within a second of its answering, and counted.
pub fn a_restart_is_noticed_and_healed<F: Fixture>() {
    let world = World::<F>::of("restart", |lab| lab.bfd(100, 3));
    world.hold(VIP);
    let world = world.driven();
    world.plan(&watched());
    world.routed(VIP);
    let before = F::our_lines(world.node());
    for (count, process) in F::PROCESSES.iter().enumerate() {
        F::crash(world.node(), process);
        let healed = eventually(&format!("{process} set up again"), Duration::from_secs(1), || {
            let (lines, seen) = (F::our_lines(world.node()), world.seen.borrow().clone());
            let counted = seen.restarts == count as u64 + 1;
            if lines == before && counted { Ok(()) } else { Err(format!("{seen:?} {lines:?}")) }
        });
        healed.unwrap();
        world.sees("peer and BFD up, prefix announced", |seen| {
            let up = |peer: &novaedge::model::observed::PeerObserved| peer.state == PeerState::Established;
            seen.peers.get(&TOR).is_some_and(up)
                && seen.bfd.get(&TOR).is_some_and(|bfd| bfd.state == BfdState::Up)
                && seen.announced.contains(&route(VIP))
                && seen.trouble.is_none()
        });
        world.routed(VIP);
    }
}

/// A daemon that is stopped does not answer; the loop says so, and goes on when it does.
pub fn a_frozen_daemon_is_told_from_a_working_one<F: Fixture>() {
    let mut world = World::<F>::new("frozen");
    world.hold(VIP);
    world.apply(&Plan::to_the_tor().announcing(VIP));
    F::freeze(world.node(), true);
    let error = world.try_apply(&Plan::to_the_tor()).unwrap_err();
    assert!(matches!(error, ApplyError::NotAnswering(_)), "{error}");
    assert!(world.try_observe().is_err());
    F::freeze(world.node(), false);
    world.apply(&Plan::to_the_tor().announcing(VIP));
    world.sees("announced", |seen| seen.announced.contains(&route(VIP)));
    assert_eq!(world.observe().restarts, 0, "it was the same process all along");
}

/// The loop does nothing before its first plan, takes each newer one, and says what it sees.
pub fn the_loop_follows_the_newest_plan<F: Fixture>() {
    let mut world = World::<F>::new("loop");
    let (first, last) = (VIP, "10.200.0.21/32");
    world.hold(first);
    world.hold(last);
    // What an earlier agent left, as a restarted one finds it.
    world.apply(&Plan::to_the_tor().announcing(first));
    world.routed(first);
    let left = F::our_lines(world.node());
    let world = world.driven();
    let up = |state| state == PeerState::Established;
    world.sees("the session", |seen| seen.peers.get(&TOR).is_some_and(|peer| up(peer.state)));
    assert_eq!(F::our_lines(world.node()), left, "no plan, no change");

    world.plan(&Plan::to_the_tor());
    world.plan(&Plan::to_the_tor().announcing(first));
    world.plan(&Plan::to_the_tor().announcing(last));
    let wanted = BTreeSet::from([route(last)]);
    world.sees("the newest plan's prefix", |seen| seen.announced == wanted);
    world.routed(last);
}

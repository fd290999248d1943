//! How fast a node that falls silent is forgotten: its links stay up, and nothing comes from it any more.

use super::fixture::Fixture;
use super::plans::{Plan, TOR, bfd_every, peer};
use super::world::World;
use novaedge::model::bgp::Peer;
use novaedge::model::observed::BfdState;
use novaedge_lab::NodeId;
use std::time::Duration;

const VIP: &str = "10.200.0.20/32";
const SAMPLES: usize = 5;

pub fn a_silent_node_is_forgotten_in_three_times_300_ms<F: Fixture>() {
    forgotten::<F>(300);
}

pub fn a_silent_node_is_forgotten_in_three_times_100_ms<F: Fixture>() {
    forgotten::<F>(100);
}

pub fn a_silent_node_is_forgotten_in_three_times_50_ms<F: Fixture>() {
    forgotten::<F>(50);
}

/// The route is out of the ToR's FIB within the detection time and 150 ms, in the worst of the samples.
fn forgotten<F: Fixture>(millis: u32) {
    let mut world = World::<F>::of("silence", |lab| lab.bfd(millis, 3));
    world.hold(VIP);
    world.apply(
        &Plan::speaker().with_peer(Peer { bfd: Some(bfd_every(millis)), ..peer(TOR, 64500) }).announcing(VIP),
    );
    let bound = Duration::from_millis(u64::from(3 * millis) + 150);
    let mut lost = Vec::new();
    for _ in 0..SAMPLES {
        world.sees("BFD up", |seen| seen.bfd.get(&TOR).is_some_and(|bfd| bfd.state == BfdState::Up));
        world.routed(VIP);
        agreed(&world, millis);
        let since = world.lab.silence(NodeId(1)).unwrap();
        lost.push(world.unrouted_since(VIP, since));
        world.lab.unsilence(NodeId(1)).unwrap();
    }
    lost.sort();
    println!("{}: silent at {millis} ms x 3, forgotten after {lost:?}", F::NAME);
    assert!(lost.iter().all(|lost| *lost <= bound), "at most {bound:?}: {lost:?}");
}

/// Until both sides have agreed on their timers, RFC 5880 has them wait for seconds.
fn agreed<F: Fixture>(world: &World<F>, millis: u32) {
    let wanted = Duration::from_millis(u64::from(3 * millis));
    novaedge_lab::eventually("the timers are agreed on", super::world::SOON, || {
        let neighbours = world.lab.tor().neighbours().map_err(|error| format!("{error:#}"))?;
        let found = neighbours.get(&NodeId(1)).and_then(|neighbour| neighbour.bfd.clone());
        match found {
            Some(bfd) if bfd.state == "up" && bfd.detection == wanted => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .unwrap();
}

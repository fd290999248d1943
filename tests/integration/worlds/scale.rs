//! A thousand VIPs, and one more, against the same commands by hand on the next node of the same world.

use super::estate::{Estate, vip};
use super::hand::Hand;
use novaedge_lab::{FibWatch, Lab, NodeId};
use std::time::{Duration, Instant};

const MANY: u16 = 1000;
const PATIENCE: Duration = Duration::from_secs(60);

/// The contract: this many times the floor, and this much more.
const RATIO: f64 = 1.5;
const MORE: Duration = Duration::from_millis(50);

#[test]
fn a_thousand_vips_and_one_more_keep_up_with_the_same_commands_by_hand() {
    let estate = Estate::with_agents(Lab::builder("t-scale").nodes(2).without_backends(), &[1]);
    let watch = estate.lab.watch_fib().unwrap();
    let hand = Hand::on(estate.lab.node(2));
    // One VIP is always there: the session stands on both nodes.
    estate.write("base.yaml", &vip("base", "address: 10.205.0.1", 300));
    watch.wait_for("10.205.0.1/32", Instant::now(), PATIENCE, |hops| !hops.is_empty()).unwrap();
    let many = many_from_nothing(&estate, &watch, &hand);
    report("1000 from nothing", &many);

    let before = estate.lab.tor().neighbours().unwrap();
    let one = one_more(&estate, &watch, &hand);
    report("one more at 1000", &one);
    let after = estate.lab.tor().neighbours().unwrap();
    for node in [NodeId(1), NodeId(2)] {
        assert!(after[&node].uptime_ms > before[&node].uptime_ms, "the session of {node} was reset");
    }
}

/// What the agent took, and what the same took by hand.
struct Pair {
    ours: Vec<Duration>,
    floor: Vec<Duration>,
}

fn report(what: &str, pair: &Pair) {
    let (ours, floor) = (median(&pair.ours), median(&pair.floor));
    let ratio = ours.as_secs_f64() / floor.as_secs_f64();
    println!("{what}: median {ours:?}, by hand {floor:?}, ratio {ratio:.2}");
    println!("  ours {:?}\n  hand {:?}", pair.ours, pair.floor);
    let bound = floor.mul_f64(RATIO) + MORE;
    assert!(ours <= bound, "{what}: {ours:?} is more than {bound:?}");
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

fn addresses(of: u8) -> Vec<String> {
    (0..MANY).map(|i| format!("10.2{of}.{}.{}", i / 250, 1 + i % 250)).collect()
}

fn many_from_nothing(estate: &Estate, watch: &FibWatch, hand: &Hand) -> Pair {
    let (ours, theirs) = (addresses(1), addresses(2));
    let all: String = ours
        .iter()
        .enumerate()
        .map(|(i, a)| vip(&format!("v{i}"), &format!("address: {a}"), 300) + "---\n")
        .collect();
    let mut pair = Pair { ours: Vec::new(), floor: Vec::new() };
    for round in 0..3 {
        if round > 0 {
            let since = Instant::now();
            estate.remove("many.yaml");
            hand.withdraw(&theirs);
            wait_for_count(watch, NodeId(1), 1, since);
            wait_for_count(watch, NodeId(2), 0, since);
        }
        let since = Instant::now();
        estate.write("many.yaml", &all);
        pair.ours.push(wait_for_count(watch, NodeId(1), ours.len() + 1, since) - since);
        let since = Instant::now();
        hand.announce(&theirs);
        pair.floor.push(wait_for_count(watch, NodeId(2), theirs.len(), since) - since);
    }
    pair
}

/// Until the ToR routes so many prefixes to the node.
fn wait_for_count(watch: &FibWatch, node: NodeId, count: usize, since: Instant) -> Instant {
    let routed = |fib: &novaedge_lab::Fib| {
        fib.0
            .iter()
            .filter(|(prefix, hops)| prefix.prefix_len() == 32 && hops.nodes().contains(&node))
            .count()
    };
    watch.wait(&format!("{count} prefixes of {node}"), since, PATIENCE, |fib| routed(fib) == count).unwrap()
}

fn one_more(estate: &Estate, watch: &FibWatch, hand: &Hand) -> Pair {
    let mut pair = Pair { ours: Vec::new(), floor: Vec::new() };
    for round in 1..=11 {
        let (ours, theirs) = (format!("10.203.0.{round}"), format!("10.204.0.{round}"));
        let seen = |prefix: &str, since| {
            watch.wait_for(&format!("{prefix}/32"), since, PATIENCE, |hops| !hops.is_empty())
        };
        let since = Instant::now();
        estate.write(
            &format!("one-{round}.yaml"),
            &vip(&format!("one-{round}"), &format!("address: {ours}"), 300),
        );
        pair.ours.push(seen(&ours, since).unwrap() - since);
        let since = Instant::now();
        hand.announce(std::slice::from_ref(&theirs));
        pair.floor.push(seen(&theirs, since).unwrap() - since);
    }
    pair
}

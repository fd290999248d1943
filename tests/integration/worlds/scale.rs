//! A thousand VIPs, and one more, against the same commands by hand on the next node of the same world.

use super::pace::{Pair, Race};
use novaedge_lab::NodeId;
use std::time::Duration;

/// The contract: this many times the floor, and this much more.
const RATIO: f64 = 1.5;
const MORE: Duration = Duration::from_millis(50);

#[test]
fn a_thousand_vips_and_one_more_keep_up_with_the_same_commands_by_hand() {
    let race = Race::start("t-scale");
    let hand = race.hand();
    check("1000 from nothing", &race.many(&hand, 1000, 3));

    let before = race.estate.lab.tor().neighbours().unwrap();
    let (come, go) = race.one(&hand, 11);
    check("one more at 1000", &come);
    let (ours, by_hand, ratio) = go.medians();
    println!("one less at 1000: median {ours:?}, by hand {by_hand:?}, ratio {ratio:.2}");
    let after = race.estate.lab.tor().neighbours().unwrap();
    for node in [NodeId(1), NodeId(2)] {
        assert!(after[&node].uptime_ms > before[&node].uptime_ms, "the session of {node} was reset");
    }
}

fn check(what: &str, pair: &Pair) {
    let (ours, by_hand, ratio) = pair.medians();
    println!("{what}: median {ours:?}, by hand {by_hand:?}, ratio {ratio:.2}");
    println!("  ours    {:?}\n  by hand {:?}", pair.ours, pair.by_hand);
    let bound = by_hand.mul_f64(RATIO) + MORE;
    assert!(ours <= bound, "{what}: {ours:?} is more than {bound:?}");
}

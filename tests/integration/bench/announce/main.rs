//! `cargo bench --bench announce`: from the manifest to the ToR's FIB and back, against the same commands by
//! hand in the same run. Needs root and the program `lab` of the same profile beside this one.

#![allow(clippy::print_stdout)] // What was measured is the answer.

#[path = "../../worlds/estate.rs"]
#[allow(dead_code)] // The tests use more of it.
mod estate;
#[path = "../../worlds/hand.rs"]
mod hand;
#[path = "../../worlds/pace.rs"]
mod pace;

use pace::{Pair, Race};
use std::sync::Mutex;

/// One world at a time.
pub static WORLD: Mutex<()> = Mutex::new(());

fn main() {
    println!("| what | samples | ours, median | by hand, median | ratio |\n|---|---|---|---|---|");
    for standing in [0, 1000] {
        let race = Race::start("b-announce");
        let hand = race.hand();
        if standing > 0 {
            row("1000 at once", &race.many(&hand, standing, 5));
        }
        let (come, go) = race.one(&hand, 20);
        row(&format!("announce one beside {standing}"), &come);
        row(&format!("withdraw one beside {standing}"), &go);
    }
}

fn row(what: &str, pair: &Pair) {
    let (ours, by_hand, ratio) = pair.medians();
    println!("| {what} | {} | {ours:.0?} | {by_hand:.0?} | {ratio:.2} |", pair.ours.len());
}

//! What an estate of 10 000 VIPs costs its controller: to compile it, to change one VIP, and to have a thousand
//! agents come back at once.
//!
//! What is compared is CPU time, since it hardly depends on what else the machine does; the least of all
//! rounds counts, because neighbours only ever add. The ratio is to writing and reading the same world as
//! JSON, in the same run.
//!
//! `cargo bench --bench estate -- [compile] [change] [agents]`
//!
//! | file | what |
//! |---|---|
//! | [`world`] | the estates, and what their agents would report |
//! | [`cost`] | CPU time, memory |
//! | [`change`] | a whole round of the controller, and what the wire makes of it |
//! | [`agents`] | a thousand of them, in a process of their own |
//! | [`controller`] | their controller, in another |

mod agents;
mod change;
mod controller;
mod cost;
mod world;

use anyhow::Result;
use cost::Cost;
use novaedge::compile::accepted::Accepted;
use novaedge::compile::{Allocations, Estate, Given, Memory};
use std::collections::BTreeMap;
use std::time::Duration;
use world::{Shapes, World};

pub const VIPS: usize = 10_000;
pub const NODES: usize = 200;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["agents-of", directory, port] => agents::run(directory.as_ref(), port.parse()?),
        ["controller-of", directory, port] => controller::run(directory.as_ref(), port.parse()?),
        ref parts => measure(parts),
    }
}

fn measure(parts: &[&str]) -> Result<()> {
    let wanted = |part| parts.is_empty() || parts.contains(&part);
    say("| what | world | least CPU | median CPU | bound | ratio to JSON |\n|---|---|---|---|---|---|");
    for shapes in Shapes::ALL {
        let world = World::new(shapes, VIPS, NODES);
        let reference = Cost::of(3, || _ = world.through_json());
        row("the world through JSON", shapes, &reference, "–", &reference);
        if wanted("compile") {
            let compiled = Cost::of(5, || compile(&world));
            row("compile and snapshots", shapes, &compiled, "1 s", &reference);
        }
        if wanted("change") {
            change::measure(&world, &reference)?;
        }
    }
    if wanted("agents") {
        agents::measure()?;
    }
    Ok(())
}

fn compile(world: &World) {
    let (accepted, pools, serving) = (Accepted::default(), Allocations::new(), BTreeMap::new());
    let (nodes, world) = (world.nodes(), &world.resources);
    let given = Given { world, accepted: &accepted, pools: Some(&pools), nodes: &nodes, serving: &serving };
    let estate = Estate::compile(&given, &mut Memory::default());
    assert!(estate.rejections.is_empty(), "{:?}", estate.rejections.first());
    assert_eq!(estate.snapshots(&BTreeMap::new()).len(), nodes.len());
}

pub fn row(what: &str, shapes: Shapes, cost: &Cost, bound: &str, reference: &Cost) {
    let ratio = cost.least().as_secs_f64() / reference.least().as_secs_f64();
    let (least, median) = (milliseconds(cost.least()), milliseconds(cost.median()));
    say(&format!("| {what} | {shapes} | {least} | {median} | {bound} | {ratio:.2} |"));
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

#[allow(clippy::print_stdout)] // What was measured is the answer.
pub fn say(line: &str) {
    println!("{line}");
}

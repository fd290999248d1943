//! Hundreds of random edits, mistakes and faults in an estate, under load, and one VIP that has nothing to do with
//! them. `NOVAEDGE_SEED` and `NOVAEDGE_STEPS` choose what happens; the same seed makes the same steps.
//!
//! | file | what |
//! |---|---|
//! | this | the run |
//! | `plan` | all steps, from a seed |
//! | `objects` | what users write in them |
//! | `faults` | what happens to nodes and the controller, and when they are back |
//! | `invariants` | what holds at any moment |
//! | `rest` | what holds at the end |

mod faults;
mod invariants;
mod objects;
mod plan;
mod rest;

use super::estate::{Estate, SOON, vip, web};
use faults::{Trouble, Troubles};
use invariants::Witness;
use novaedge_lab::probe::Running;
use novaedge_lab::{FibWatch, Lab, NodeId, Report, Sample, eventually};
use plan::Step;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// The VIP that nobody edits.
const STEADY: &str = "10.200.0.90";
const STEADY_ROUTE: &str = "10.200.0.90/32";

/// Requests a second on it; they are the clock of the run.
const RATE: u32 = 200;

fn number(variable: &str, otherwise: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

#[test]
fn after_any_edits_and_faults_the_estate_is_what_a_fresh_compile_says() {
    let seed = number("NOVAEDGE_SEED", 4);
    let steps = plan::steps(seed, usize::try_from(number("NOVAEDGE_STEPS", 500)).unwrap());
    println!("NOVAEDGE_SEED={seed} NOVAEDGE_STEPS={}", steps.len());
    let mut run = Run::start();
    for (index, step) in steps.iter().enumerate() {
        run.step(index, step);
    }
    run.pause(200);
    let took = run.started.elapsed();
    let told = rest::come_to_rest(&run.estate, &run.watch, &mut run.troubles);
    println!("{} steps in {took:?}, at rest {:?} later", steps.len(), run.started.elapsed() - took);
    let changes = invariants::check_routes(&run.watch, run.started, &run.troubles);
    run.witness.look(&run.estate, &run.troubles);
    rest::equals_a_fresh_compile(&run.estate, &told);
    let Run { estate, watch, load, troubles, started, witness, journal: _ } = run;
    invariants::check_routes(&watch, started, &troubles);
    nobody_panicked(&estate);
    print_counts(&steps);
    let vips: Vec<usize> =
        told.values().map(|snapshot| snapshot["vips"].as_object().unwrap().len()).collect();
    println!("VIPs on each node at the end: {vips:?}; {} looks at the estate", witness.samples);
    println!("the steady VIP's next hops changed {changes} times");
    print_report(&load.stop().unwrap(), &troubles);
}

struct Run {
    estate: Estate,
    watch: FibWatch,
    load: Running,
    troubles: Troubles,
    witness: Witness,
    started: Instant,
    journal: Journal,
}

impl Run {
    fn start() -> Self {
        let estate = Estate::led_by(Lab::builder("t-chaos"), &["lead", "other"]);
        let watch = estate.lab.watch_fib().unwrap();
        estate.write("steady.yaml", &vip("steady", &format!("address: {STEADY}"), 300));
        estate.write("web.yaml", &web("steady", "trafficPolicy: Local"));
        estate.wait_for_nodes(&watch, STEADY_ROUTE, Instant::now(), &[1, 2, 3]);
        (1..=3).for_each(|k| drop(estate.wait_for_phase(k, "steady", "Announced", None)));
        let load = estate.lab.probe(format!("{STEADY}:80").parse().unwrap()).rate(RATE).start().unwrap();
        load.wait_for(100, SOON).unwrap();
        let (troubles, witness) = (Troubles::default(), Witness::default());
        troubles.write_nodes(&estate);
        let journal = Journal { text: String::new(), path: estate.lab.logs().join("chaos.log") };
        let started = Instant::now();
        Self { estate, watch, load, troubles, witness, started, journal }
    }

    fn step(&mut self, index: usize, step: &Step) {
        if let Step::Node { node, .. } = step {
            self.until(|troubles| troubles.may_begin(NodeId(*node)));
        }
        if let Step::Controller { .. } = step {
            self.until(Troubles::controller_runs);
        }
        self.journal.note(self.started.elapsed(), index, step);
        match step {
            Step::Write { kind: _, file, text } => self.estate.write(file, text),
            Step::Delete { file } => self.estate.remove(file),
            Step::Label { node, zone } => self.troubles.label(&self.estate, *node, *zone),
            Step::Node { node, fault, lasts } => self.troubles.begin(&self.estate, *node, *fault, *lasts),
            Step::Controller { lasts } => self.troubles.kill_controller(&self.estate, *lasts),
        }
        self.pause(10 + index % 17);
        if index.is_multiple_of(5) {
            self.witness.look(&self.estate, &self.troubles);
        }
    }

    /// Lets some traffic flow.
    fn pause(&mut self, requests: usize) {
        self.load.wait_for(requests, SOON).unwrap();
        self.troubles.tick(&self.estate, &self.watch);
    }

    fn until(&mut self, holds: impl Fn(&Troubles) -> bool) {
        let Self { estate, watch, troubles, .. } = self;
        eventually("a node is well again", Duration::from_secs(60), || {
            troubles.tick(estate, watch);
            if holds(troubles) { Ok(()) } else { Err(format!("{:?}", troubles.all)) }
        })
        .unwrap();
    }
}

/// Every step with its time; stays with the lab's logs when the test fails.
struct Journal {
    text: String,
    path: std::path::PathBuf,
}

impl Journal {
    fn note(&mut self, at: Duration, index: usize, step: &Step) {
        writeln!(self.text, "{at:?} step {index}: {step}").unwrap();
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if std::thread::panicking() && std::fs::write(&self.path, &self.text).is_ok() {
            println!("the steps are in {}", self.path.display());
        }
    }
}

fn nobody_panicked(estate: &Estate) {
    for process in estate.controller.iter().chain(&estate.agents) {
        let log = process.log();
        let line = log.lines().find(|line| line.contains("panicked at"));
        assert!(line.is_none(), "{}: {}", process.log_path().display(), line.unwrap_or_default());
    }
}

fn print_counts(steps: &[Step]) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for step in steps {
        *counts.entry(step.kind()).or_default() += 1;
    }
    println!("{counts:?}");
}

/// A request that failed on a node that nothing ailed was moved there, or away from there, by the router's re-hash;
/// so was, as far as one can see, one that failed on a node that was leaving on purpose.
fn print_report(report: &Report, troubles: &Troubles) {
    let ailments = |sample: &Sample, node: NodeId| {
        let (sent, ended) = (report.started + sample.sent, report.started + sample.sent + sample.took);
        let meanwhile = move |t: &&Trouble| {
            t.node == node && t.from <= ended && t.until.is_none_or(|until| until >= sent)
        };
        troubles.all.iter().filter(meanwhile).collect::<Vec<_>>()
    };
    let accepted: Vec<Vec<&Trouble>> =
        report.failures().filter_map(|sample| Some(ailments(sample, sample.flow?))).collect();
    let well = accepted.iter().filter(|ailments| ailments.is_empty()).count();
    let leaving = |ailments: &&Vec<&Trouble>| {
        !ailments.is_empty() && ailments.iter().all(|trouble| trouble.fault.is_voluntary())
    };
    let leaving = accepted.iter().filter(leaving).count();
    println!("the steady VIP: {report}");
    println!("failed on nodes that nothing ailed: {well}, on nodes that were leaving: {leaving}");
}

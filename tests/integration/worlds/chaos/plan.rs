//! The steps, all of them before the first: the same seed gives the same ones.

use super::objects;
use fastrand::Rng;
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Write {
        kind: &'static str,
        file: String,
        text: String,
    },
    Delete {
        file: String,
    },
    /// The zone of a node's label; `None`: it has no such label.
    Label {
        node: u8,
        zone: Option<&'static str>,
    },
    Node {
        node: u8,
        fault: Fault,
        lasts: Duration,
    },
    Controller {
        lasts: Duration,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The agent dies, and is there again after that time; at once, and nobody should notice.
    Killed,
    /// The agent is frozen.
    Stopped,
    Daemon(&'static str),
    Silent,
    Cordoned,
    Annotated,
    NotReady,
    /// `novaedge-agent drain`, then `undrain`.
    Drained,
}

impl Fault {
    /// A wish to leave, and no failure.
    pub fn is_voluntary(self) -> bool {
        matches!(self, Self::Cordoned | Self::Annotated | Self::NotReady | Self::Drained)
    }
}

/// Shorter than this, a dead or stopped agent is back before its addresses expire (3 s).
pub const UNNOTICED: Duration = Duration::from_millis(700);

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { kind, file, text } => write!(f, "{kind}: {file}\n{text}"),
            Self::Delete { file } => write!(f, "delete {file}"),
            Self::Label { node, zone } => write!(f, "n{node} is in zone {zone:?}"),
            Self::Node { node, fault, lasts } => write!(f, "n{node} {fault:?} for {lasts:?}"),
            Self::Controller { lasts } => write!(f, "no controller for {lasts:?}"),
        }
    }
}

impl Step {
    /// For counting.
    pub fn kind(&self) -> String {
        match self {
            Self::Write { kind, .. } => (*kind).to_owned(),
            Self::Delete { .. } => "delete".to_owned(),
            Self::Label { .. } => "label".to_owned(),
            Self::Node { fault, .. } => format!("{fault:?}"),
            Self::Controller { .. } => "controller killed".to_owned(),
        }
    }
}

type Write = (&'static str, u8, fn(&mut Rng, u8) -> String);

/// Edits, each with the names that there are of its kind.
const GOOD: [Write; 8] = [
    ("vip", objects::VIPS, objects::good_vip),
    ("vip", objects::VIPS, objects::good_vip),
    ("vip", objects::VIPS, objects::good_vip),
    ("vip", objects::VIPS, objects::good_vip),
    ("pool", objects::POOLS, objects::good_pool),
    ("gateway", objects::GATEWAYS, objects::good_gateway),
    ("route", objects::ROUTES, objects::good_route),
    ("backend", objects::BACKENDS, objects::good_backend),
];

const BAD: [Write; 6] = [
    ("vip", objects::VIPS, objects::bad_vip),
    ("vip", objects::VIPS, objects::bad_vip),
    ("pool", objects::POOLS, objects::bad_pool),
    ("gateway", objects::GATEWAYS, objects::bad_gateway),
    ("route", objects::ROUTES, objects::bad_route),
    ("backend", objects::BACKENDS, objects::bad_backend),
];

/// Plans steps, knowing which files there are.
struct Planner {
    rng: Rng,
    files: BTreeSet<String>,
    /// A file that a bad edit has broken, and the step at which somebody puts it right.
    broken: Option<(usize, usize, String, u8)>,
}

pub fn steps(seed: u64, count: usize) -> Vec<Step> {
    let mut planner = Planner { rng: Rng::with_seed(seed), files: BTreeSet::new(), broken: None };
    let mut steps: Vec<Step> =
        (0..objects::POOLS).map(|number| planner.write_one(GOOD[4], "", number)).collect();
    while steps.len() < count {
        let step = planner.next(steps.len());
        steps.push(step);
    }
    if let Some((kind, _, _, number)) = planner.broken.take() {
        steps.push(planner.write_one(BAD_REPAIRS[kind], "repaired ", number));
    }
    steps
}

/// What puts an edit of [`BAD`] right.
const BAD_REPAIRS: [Write; 6] = [GOOD[0], GOOD[0], GOOD[4], GOOD[5], GOOD[6], GOOD[7]];

impl Planner {
    fn next(&mut self, at: usize) -> Step {
        if self.broken.as_ref().is_some_and(|(_, due, _, _)| at >= *due)
            && let Some((kind, _, _, number)) = self.broken.take()
        {
            return self.write_one(BAD_REPAIRS[kind], "repaired ", number);
        }
        match self.rng.u8(..100) {
            0..=56 => self.write(),
            57..=72 => self.delete(),
            73..=82 => self.mistake(at),
            83..=88 => self.label(),
            89..=97 => self.node(),
            _ => Step::Controller { lasts: Duration::from_millis(self.rng.u64(..4000)) },
        }
    }

    fn write(&mut self) -> Step {
        let write = GOOD[self.rng.usize(..GOOD.len())];
        let number = self.rng.u8(..write.1);
        self.write_one(write, "", number)
    }

    fn write_one(&mut self, (kind, _, text): Write, how: &str, number: u8) -> Step {
        let file = format!("{kind}-{number}.yaml");
        if self.broken.as_ref().is_some_and(|(_, _, broken, _)| *broken == file) {
            self.broken = None;
        }
        self.files.insert(file.clone());
        let kind = match (how, kind) {
            ("", kind) => kind,
            ("bad ", _) => "bad",
            _ => "repair",
        };
        Step::Write { kind, file, text: text(&mut self.rng, number) }
    }

    /// One at a time, because a controller that starts while a file cannot be read leaves all as it is.
    fn mistake(&mut self, at: usize) -> Step {
        if self.broken.is_some() {
            return self.write();
        }
        let kind = self.rng.usize(..BAD.len());
        let number = self.rng.u8(..BAD[kind].1);
        let step = self.write_one(BAD[kind], "bad ", number);
        let due = at + self.rng.usize(1..8);
        self.broken = Some((kind, due, format!("{}-{number}.yaml", BAD[kind].0), number));
        step
    }

    fn delete(&mut self) -> Step {
        let files: Vec<String> = self.files.iter().cloned().collect();
        let file = files[self.rng.usize(..files.len())].clone();
        if file.starts_with("pool") && self.rng.bool() {
            return self.write();
        }
        if self.broken.as_ref().is_some_and(|(_, _, broken, _)| *broken == file) {
            self.broken = None;
        }
        self.files.remove(&file);
        if self.files.is_empty() { self.write() } else { Step::Delete { file } }
    }

    fn label(&mut self) -> Step {
        let zones = [Some("a"), Some("a"), Some("b"), None];
        Step::Label { node: self.rng.u8(1..=3), zone: zones[self.rng.usize(..zones.len())] }
    }

    fn node(&mut self) -> Step {
        let faults = [
            Fault::Killed,
            Fault::Killed,
            Fault::Stopped,
            Fault::Stopped,
            Fault::Daemon("bgpd"),
            Fault::Daemon("zebra"),
            Fault::Daemon("bfdd"),
            Fault::Silent,
            Fault::Cordoned,
            Fault::Annotated,
            Fault::NotReady,
            Fault::Drained,
        ];
        let fault = faults[self.rng.usize(..faults.len())];
        let short = self.rng.bool();
        let lasts = match fault {
            Fault::Killed if short => Duration::ZERO,
            Fault::Stopped if short => Duration::from_millis(self.rng.u64(100..600)),
            // bgpd and bfdd connect to a new zebra after 10 s, and reset their sessions then.
            Fault::Daemon("zebra") => Duration::from_secs(12),
            Fault::Daemon(_) => Duration::ZERO,
            _ => Duration::from_millis(self.rng.u64(1000..5000)),
        };
        Step::Node { node: self.rng.u8(1..=3), fault, lasts }
    }
}

#[test]
fn the_same_seed_plans_the_same_steps() {
    assert_eq!(steps(7, 300), steps(7, 300));
    assert_ne!(steps(7, 300), steps(8, 300));
    let kinds: BTreeSet<String> = steps(7, 500).iter().map(Step::kind).collect();
    assert!(kinds.len() >= 18, "{kinds:?}");
}

//! From what a daemon has to what it should have, as the fewest lines. Pure.
//!
//! A line that is there and not wanted goes by its `no` form; one that is wanted and not there is sent. A
//! setting that only changes its value is sent once: FRR replaces it, where `no` first would drop a session
//! twice (a password) or the neighbour itself (`remote-as`).

use super::parse::{Config, Line, Object, words};
use std::collections::BTreeSet;

/// The order in which steps are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// What must not be announced any more, before anything else.
    Withdraw,
    /// Neighbours, then instances, that go.
    Dismantle,
    /// Profiles, maps, instance and neighbours that come or change.
    Build,
    Announce,
    /// Maps and profiles that nothing names any more, once everything else is in.
    Sweep,
}

/// All lines that bring one object to where it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub phase: Phase,
    pub object: Object,
    pub lines: Vec<Line>,
}

/// The steps from `have` to `want`, in order. Empty when equal.
pub fn steps(have: &Config, want: &Config) -> Vec<Step> {
    let gone = have.objects.iter().filter(|(object, _)| !want.objects.contains_key(object));
    let removals = gone.map(|(object, lines)| removal(object, lines, have));
    let changes = want.objects.iter().filter_map(|(object, lines)| match have.objects.get(object) {
        None => Some(creation(object, lines)),
        // Most of a thousand prefixes are as they should be.
        Some(present) if present == lines => None,
        Some(present) => Some(edit(object, present, lines)),
    });
    let mut steps: Vec<Step> = removals.chain(changes).filter(|step| !step.lines.is_empty()).collect();
    steps.sort_by_key(|step| step.phase);
    // Neighbours go before the instance that holds them: entering a section that is gone would make it again.
    let dismantled = steps.partition_point(|step| step.phase < Phase::Dismantle)
        ..steps.partition_point(|step| step.phase <= Phase::Dismantle);
    steps[dismantled].reverse();
    steps
}

/// One object's lines, taken back and given again.
pub fn again(lines: &[Line]) -> Vec<Line> {
    lines.first().map(undo).into_iter().chain(lines.iter().cloned()).collect()
}

fn removal(object: &Object, lines: &[Line], have: &Config) -> Step {
    let phase = match object {
        Object::Network(..) | Object::Prefix(_) => Phase::Withdraw,
        Object::Neighbor(..)
        | Object::Instance(_)
        | Object::Anchor
        | Object::Hosts
        | Object::Unheard(_)
        | Object::Ospf(..)
        | Object::Adjacency(..) => Phase::Dismantle,
        Object::Profile(_) | Object::RouteMap(_) => Phase::Sweep,
    };
    let lines = match object {
        // An instance that the operator has put something into stays, without our lines.
        Object::Instance(_) if have.foreign.instance_lines > 0 => lines.iter().skip(1).map(undo).collect(),
        Object::Ospf(version, _) if have.foreign.ospf.contains(version) => {
            lines.iter().filter(|line| !line.within.is_empty()).map(undo).collect()
        }
        Object::Adjacency(..) | Object::Hosts | Object::Prefix(_) => leave_interface(lines),
        Object::Neighbor(_, peer) => lines
            .first()
            .map(|line| Line { within: line.within[..1].into(), text: format!("no neighbor {peer}") })
            .into_iter()
            .collect(),
        // The head takes all below it along.
        _ => lines.first().map(undo).into_iter().collect(),
    };
    Step { phase, object: object.clone(), lines }
}

/// The interface is the kernel's, so its lines go one by one. Without priority, or without its list, it would be
/// spoken for otherwise: so it leaves the area first.
fn leave_interface(lines: &[Line]) -> Vec<Line> {
    let mut lines: Vec<&Line> = lines.iter().collect();
    lines.sort_by_key(|line| (!line.text.contains(" area "), std::cmp::Reverse(&line.text)));
    lines.into_iter().map(undo).collect()
}

fn creation(object: &Object, lines: &[Line]) -> Step {
    Step { phase: building(object), object: object.clone(), lines: lines.to_vec() }
}

fn building(object: &Object) -> Phase {
    match object {
        Object::Network(..) | Object::Prefix(_) => Phase::Announce,
        Object::Profile(_)
        | Object::RouteMap(_)
        | Object::Instance(_)
        | Object::Neighbor(..)
        | Object::Anchor
        | Object::Hosts
        | Object::Unheard(_)
        | Object::Ospf(..)
        | Object::Adjacency(..) => Phase::Build,
    }
}

fn edit(object: &Object, present: &[Line], wanted: &[Line]) -> Step {
    let present: BTreeSet<&Line> = present.iter().filter(|line| !is_default(&line.text)).collect();
    let is_set: BTreeSet<_> = present.iter().map(|line| setting(line)).collect();
    let to_set: BTreeSet<_> = wanted.iter().map(setting).collect();
    // A default is not printed: it holds unless another value is.
    let missing = wanted.iter().filter(|line| match is_default(&line.text) {
        true => is_set.contains(&setting(line)),
        false => !present.contains(line),
    });
    // What depends on another line is longer than it, and goes first.
    let surplus: Vec<Line> = present
        .iter()
        .rev()
        .filter(|line| !wanted.contains(line) && !to_set.contains(&setting(line)))
        .map(|line| undo(line))
        .collect();
    let lines = match object {
        // bfdd has no `no` form for most lines of a profile.
        Object::Profile(_) if !surplus.is_empty() => {
            wanted.first().map(undo).into_iter().chain(wanted.iter().cloned()).collect()
        }
        _ => surplus.into_iter().chain(missing.cloned()).collect(),
    };
    Step { phase: building(object), object: object.clone(), lines }
}

/// What a line sets, without the value: two lines of one setting replace each other.
fn setting(line: &Line) -> (&[String], String) {
    let words = words(&line.text);
    let length = match words.as_slice() {
        ["network", ..] => 2,
        ["neighbor", _, "timers" | "bfd", "connect" | "profile", ..] => 4,
        ["neighbor", _, "route-map", _, _] => {
            return (&line.within, format!("{} {} {}", words[0], words[1], words[4]));
        }
        ["neighbor", ..] => 3,
        ["set", "as-path", ..] | ["bgp", "graceful-restart", ..] | ["echo", ..] => 3,
        ["ip", "ospf", "cost", _, address] => return (&line.within, format!("ip ospf cost {address}")),
        ["ip" | "ipv6", "ospf" | "ospf6", "bfd", "profile", ..] => 4,
        // One that is there goes before another comes.
        ["ip" | "ipv6", "ospf" | "ospf6", "area" | "message-digest-key", ..]
        | ["ipv6", "ospf6", "authentication", ..]
        | ["ip" | "ipv6", "prefix-list" | "protocol", ..] => words.len(),
        ["ip" | "ipv6", "ospf" | "ospf6", ..] => 3,
        ["set" | "match" | "bgp", ..] => 2,
        [one, ..] if one.ends_with("-interval") || ["detect-multiplier", "coalesce-time"].contains(one) => 1,
        all => all.len(),
    };
    (&line.within, words[..length.min(words.len())].join(" "))
}

fn undo(line: &Line) -> Line {
    let text = match line.text.strip_prefix("no ") {
        Some(positive) => positive.to_owned(),
        // ospf6d does not know it with its value.
        None if line.text.starts_with("graceful-restart ") => "no graceful-restart".to_owned(),
        // bgpd takes no more than one AS number behind its `no` form.
        None if line.text.starts_with("set as-path prepend ") => "no set as-path prepend".to_owned(),
        None => format!("no {}", line.text),
    };
    Line { within: line.within.clone(), text }
}

/// Lines that FRR takes and, since they say what holds anyway, does not print.
fn is_default(text: &str) -> bool {
    matches!(
        text,
        "bgp network import-check"
            | "bgp graceful-restart restart-time 120"
            | "detect-multiplier 3"
            | "transmit-interval 300"
            | "receive-interval 300"
            | "echo transmit-interval 50"
            | "echo receive-interval 50"
            | "ip ospf hello-interval 10"
            | "ipv6 ospf6 hello-interval 10"
            | "ipv6 ospf6 dead-interval 40"
    ) || (text.starts_with("neighbor ") && text.ends_with(" port 179"))
}

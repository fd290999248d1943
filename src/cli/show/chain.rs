//! `novaedgectl vip explain`: the chain of conditions, node by node.

use super::estate::condition;
use crate::compile::status::Explanation;
use crate::compile::status::explain::{Link, State, Step};
use std::fmt::Write;

/// The verdict on the VIP, then each node with its links; below a broken link what to do about it.
pub fn explanation(explanation: &Explanation) -> String {
    let Explanation { vip, summary, nodes } = explanation;
    let mut text = String::new();
    for kind in ["Accepted", "AddressAllocated", "Ready", "Degraded"] {
        let told = condition(summary, kind).filter(|condition| worth_a_word(kind, &condition.status));
        if let Some(told) = told {
            // A String takes whatever is written to it.
            let _ = writeln!(text, "{vip}: {}", told.message);
        }
    }
    for (node, links) in nodes {
        let _ = writeln!(text, "\n{node}");
        for each in links {
            text += &link(each);
        }
    }
    text
}

/// Ready always; the others where they are bad.
fn worth_a_word(kind: &str, status: &str) -> bool {
    match kind {
        "Ready" => true,
        "Degraded" => status == "True",
        _ => status != "True",
    }
}

fn link(link: &Link) -> String {
    let Link { step, state, words, remedy } = link;
    let mark = match state {
        State::Holds => "ok",
        State::Flawed => "!",
        State::Broken => "NO",
        State::Waits => "-",
    };
    let words = if words.is_empty() { String::new() } else { format!("  {words}") };
    let line = format!("  {mark:<2}  {:<22}{words}", name(*step));
    let remedy = remedy.as_ref().map(|remedy| format!("\n      -> {remedy}")).unwrap_or_default();
    format!("{}{remedy}\n", line.trim_end())
}

fn name(step: Step) -> &'static str {
    match step {
        Step::Selected => "selected",
        Step::SnapshotTaken => "snapshot taken",
        Step::PortsBound => "ports bound",
        Step::AddressHeld => "address held",
        Step::DaemonAnswers => "daemon answers",
        Step::BackendsHealthy => "backends healthy",
        Step::InDaemon => "daemon has the prefix",
        Step::PeersUp => "peers up",
        Step::Announced => "announced",
    }
}

//! Degraded: too few nodes are healthy, somebody is held who wishes to leave, or those who announce do so
//! with a flaw (spec §2.1, §2.2). The message always says who leaves, who is held, and why.

use super::VipFacts;
use super::share::Share;
use super::verdict::{Truth, Verdict};
use super::words::{clauses_of, count, sentence};
use crate::api::condition::{ConditionType, Reason};
use crate::model::leaving::{Hold, Leaving};

/// `None`: the VIP is refused.
pub fn degraded(vip: Option<&VipFacts>, shares: &[Share<'_>]) -> Verdict {
    let kind = ConditionType::Degraded;
    let Some(vip) = vip else {
        return Verdict::new(kind, false, Reason::NotAccepted, "It is refused; Accepted says why.");
    };
    let health = health(vip);
    let (below, held) = (is_below(vip), is_held(vip));
    let flawed = shares.iter().find_map(|share| Some((share, share.flaw()?)));
    let mut words = vec![health];
    words.extend(below.then(|| ill(shares)).flatten());
    words.extend(flawed.map(|(share, flaw)| sentence(&format!("{}: {}", share.node, flaw.message))));
    words.extend(departures(shares));
    let message = words.join(" ");
    match (below, held, flawed) {
        (true, _, _) => Verdict::new(kind, true, Reason::BelowMinHealthyNodes, message),
        (_, true, _) => Verdict::new(kind, true, Reason::DepartureHeld, message),
        (_, _, Some((_, flaw))) => Verdict { kind, truth: Truth::True, reason: flaw.reason.clone(), message },
        (false, false, None) => Verdict::new(kind, false, Reason::EnoughNodes, message),
    }
}

fn is_below(vip: &VipFacts) -> bool {
    (vip.healthy.len() as u64) < u64::from(vip.min_healthy)
}

/// Somebody has to act. That nodes leave one by one passes by itself.
fn is_held(vip: &VipFacts) -> bool {
    let short = |leaving: &Leaving| matches!(leaving, Leaving::Held { by: Hold::BelowMinimum { .. }, .. });
    vip.leaving.values().any(short)
}

/// `1 of 3 nodes is healthy; minHealthyNodes is 2.`
fn health(vip: &VipFacts) -> String {
    let (healthy, all) = (vip.healthy.len(), count(vip.nodes.len(), "node"));
    let verb = if healthy == 1 { "is" } else { "are" };
    format!("{healthy} of {all} {verb} healthy; minHealthyNodes is {}.", vip.min_healthy)
}

/// Who is not healthy, and what it lacks.
fn ill(shares: &[Share<'_>]) -> Option<String> {
    let ill = shares.iter().filter(|share| share.candidate && !share.healthy && share.leaving.is_none());
    let tell = |share: &Share<'_>| match share.why() {
        Some(why) => format!("{}: {}", share.node, why.message),
        None => format!("{}: not healthy", share.node),
    };
    let words = clauses_of(ill, tell);
    (!words.is_empty()).then(|| sentence(&words))
}

/// Who is on its way, and who is not let go.
fn departures(shares: &[Share<'_>]) -> Option<String> {
    let leaving = shares.iter().filter_map(|share| Some((share.node, share.leaving?)));
    let words = clauses_of(leaving, |(node, leaving)| match leaving {
        Leaving::Granted { cause } => format!("{node} is leaving: {cause}"),
        Leaving::Held { cause, by } => format!("{node} may not leave yet, although {cause}: {by}"),
    });
    (!words.is_empty()).then(|| sentence(&words))
}

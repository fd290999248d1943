//! The wishes of one VIP, one by one.

use super::Facts;
use super::health::{can_serve, healthy, phase};
use crate::model::leaving::{Cause, Hold, Leaving};
use crate::model::name::Name;
use crate::model::status::Phase;
use std::collections::BTreeMap;

/// What each wisher is told. Whoever is missing from the answer stays as it is: its agent is away, or it is
/// too early to decide.
pub fn answer<'a>(
    facts: &Facts<'a>,
    vip: &'a Name,
    minimum: u32,
    wishes: Vec<(&'a Name, Cause)>,
) -> BTreeMap<&'a Name, Leaving> {
    let mut queue = Queue { facts, vip, minimum, healthy: healthy(facts, vip), answers: BTreeMap::new() };
    let (gone, waiting): (Vec<_>, Vec<_>) = wishes.into_iter().partition(|(node, _)| queue.was_granted(node));
    for (node, cause) in &gone {
        queue.answers.insert(*node, Leaving::Granted { cause: *cause });
    }
    if facts.settled {
        for (node, cause) in gone {
            queue.reconsider(node, cause);
        }
        for (node, cause) in waiting {
            queue.consider(node, cause);
        }
    }
    queue.answers
}

struct Queue<'a, 'f> {
    facts: &'f Facts<'a>,
    vip: &'a Name,
    minimum: u32,
    healthy: BTreeMap<&'a Name, Phase>,
    answers: BTreeMap<&'a Name, Leaving>,
}

impl<'a> Queue<'a, '_> {
    fn was_granted(&self, node: &Name) -> bool {
        let before = self.facts.before.get(node).and_then(|vips| vips.get(self.vip));
        let on_its_way = |phase| matches!(phase, Phase::Draining | Phase::Withdrawn);
        match before {
            Some(leaving) => matches!(leaving, Leaving::Granted { .. }),
            // Another controller, or an earlier life of this one, has granted it.
            None => !self.facts.settled && phase(self.facts, node, self.vip).is_some_and(on_its_way),
        }
    }

    /// The last announcer never withdraws for a voluntary reason: if all others have failed since, whoever was
    /// let go is called back. A machine that is out of service cannot come.
    fn reconsider(&mut self, node: &'a Name, cause: Cause) {
        let is_back = phase(self.facts, node, self.vip).is_some();
        if is_back && cause != Cause::OutOfService && !self.is_announced_without(node) {
            self.answers.insert(node, Leaving::Held { cause, by: Hold::LastAnnouncer });
        }
    }

    fn consider(&mut self, node: &'a Name, cause: Cause) {
        let Some(phase) = phase(self.facts, node, self.vip) else { return };
        let held = if can_serve(phase) { self.hold(node, phase) } else { None };
        let answer = match held {
            Some(by) => Leaving::Held { cause, by },
            None => Leaving::Granted { cause },
        };
        self.answers.insert(node, answer);
    }

    fn hold(&self, node: &Name, phase: Phase) -> Option<Hold> {
        let others = self.staying(node).count();
        let healthy = u32::try_from(others).unwrap_or(u32::MAX);
        if healthy < self.minimum {
            return Some(Hold::BelowMinimum { healthy, minimum: self.minimum });
        }
        if phase == Phase::Announced && !self.is_announced_without(node) {
            return Some(Hold::LastAnnouncer);
        }
        self.leaver(node).map(|leaver| Hold::OneByOne { leaver: leaver.clone() })
    }

    /// The healthy nodes that stay when this one goes.
    fn staying(&self, node: &Name) -> impl Iterator<Item = (&Name, Phase)> {
        let stays = move |other: &Name| {
            other != node && !matches!(self.answers.get(other), Some(Leaving::Granted { .. }))
        };
        self.healthy.iter().map(|(other, phase)| (*other, *phase)).filter(move |(other, _)| stays(other))
    }

    fn is_announced_without(&self, node: &Name) -> bool {
        self.staying(node).any(|(_, phase)| phase == Phase::Announced)
    }

    /// Somebody who has been let go, and is not gone yet.
    fn leaver(&self, node: &Name) -> Option<&Name> {
        let going = |other: &Name| {
            phase(self.facts, other, self.vip)
                .is_some_and(|phase| can_serve(phase) || phase == Phase::Draining)
        };
        let granted = self.answers.iter().filter(|(_, answer)| matches!(answer, Leaving::Granted { .. }));
        granted.map(|(other, _)| *other).find(|other| *other != node && going(other))
    }
}

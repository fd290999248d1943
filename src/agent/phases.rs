//! Phases with the time of their last change, and a log line for each change.

use crate::model::name::Name;
use crate::model::snapshot::Snapshot;
use crate::model::status::{Explained, Phase, Reason, VipStatus};
use crate::model::vip::Vip;
use crate::plan::VipState;
use std::collections::BTreeMap;

/// More changes at once than these are told as a number.
const FEW: usize = 20;

/// What the phases were at the last look.
#[derive(Debug, Default)]
pub struct Phases {
    last: BTreeMap<Name, Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    phase: Phase,
    reasons: Vec<Reason>,
    since: u64,
}

impl Phases {
    /// Takes the newest states in, logs what changed, and returns the VIPs as `status` shows them.
    /// `now` is in Unix seconds.
    pub fn update(
        &mut self,
        states: &BTreeMap<Name, VipState>,
        snapshot: &Snapshot,
        now: u64,
    ) -> BTreeMap<Name, VipStatus> {
        let entries: BTreeMap<Name, Entry> =
            states.iter().map(|(name, state)| (name.clone(), self.entry(name, state, now))).collect();
        log_changes(&self.last, &entries);
        self.last = entries;
        let vip = |name| snapshot.vips.get(name).map(|vip| &**vip);
        self.last.iter().map(|(name, entry)| (name.clone(), told(entry, vip(name)))).collect()
    }

    fn entry(&self, name: &Name, state: &VipState, now: u64) -> Entry {
        let same = |before: &&Entry| before.phase == state.phase;
        let since = self.last.get(name).filter(same).map_or(now, |before| before.since);
        Entry { phase: state.phase, reasons: state.reasons.clone(), since }
    }
}

fn told(entry: &Entry, vip: Option<&Vip>) -> VipStatus {
    VipStatus {
        addresses: vip.map(|vip| vip.addresses.iter().collect()).unwrap_or_default(),
        mode: vip.map(|vip| vip.reach.mode().to_owned()).unwrap_or_default(),
        phase: entry.phase,
        reasons: entry.reasons.iter().map(Explained::from).collect(),
        since: entry.since,
        ports: vip.map(|vip| vip.ports.iter().copied().collect()).unwrap_or_default(),
    }
}

fn log_changes(before: &BTreeMap<Name, Entry>, now: &BTreeMap<Name, Entry>) {
    let phase = |entry: Option<&Entry>| entry.map_or(Phase::Idle, |entry| entry.phase);
    let changed: Vec<_> = now.iter().filter(|(name, entry)| before.get(*name) != Some(entry)).collect();
    if changed.len() > FEW {
        let announced = now.values().filter(|entry| entry.phase == Phase::Announced).count();
        tracing::info!(
            changed = changed.len(),
            announced,
            known = now.len(),
            "many VIPs changed their state"
        );
        return;
    }
    for (name, entry) in changed {
        let (from, to) = (phase(before.get(name)), entry.phase);
        let why = entry.reasons.iter().map(Reason::to_string).collect::<Vec<_>>().join("; ");
        if from == to {
            tracing::debug!(vip = %name, phase = ?to, why, "VIP has other reasons");
        } else {
            tracing::info!(vip = %name, ?from, ?to, why, "VIP changed its state");
        }
    }
}

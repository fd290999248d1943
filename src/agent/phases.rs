//! Phases with the time of their last change, and a log line for each change.

use crate::model::name::Name;
use crate::model::snapshot::Snapshot;
use crate::model::status::{Explained, Phase, Reason, VipStatus};
use crate::plan::VipState;
use std::collections::BTreeMap;

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
        self.last.retain(|name, _| states.contains_key(name));
        states.iter().map(|(name, state)| (name.clone(), self.one(name, state, snapshot, now))).collect()
    }

    fn one(&mut self, name: &Name, state: &VipState, snapshot: &Snapshot, now: u64) -> VipStatus {
        let VipState { phase, reasons } = state;
        let before = self.last.get(name);
        let since = before.filter(|entry| entry.phase == *phase).map_or(now, |entry| entry.since);
        let entry = Entry { phase: *phase, reasons: reasons.clone(), since };
        if before != Some(&entry) {
            log_change(name, before, &entry);
            self.last.insert(name.clone(), entry);
        }
        let vip = snapshot.vips.get(name);
        VipStatus {
            addresses: vip.map(|vip| vip.addresses.iter().collect()).unwrap_or_default(),
            mode: vip.map(|vip| vip.reach.mode().to_owned()).unwrap_or_default(),
            phase: *phase,
            reasons: reasons.iter().map(Explained::from).collect(),
            since,
            ports: vip.map(|vip| vip.ports.iter().copied().collect()).unwrap_or_default(),
        }
    }
}

fn log_change(name: &Name, before: Option<&Entry>, now: &Entry) {
    let from = before.map_or(Phase::Idle, |entry| entry.phase);
    let why = now.reasons.iter().map(Reason::to_string).collect::<Vec<_>>().join("; ");
    tracing::info!(vip = %name, ?from, to = ?now.phase, why, "VIP changed its state");
}

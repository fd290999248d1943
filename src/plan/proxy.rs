//! What the proxy serves.

use super::facts::NodeFacts;
use super::leave::Leave;
use super::linger::Lingering;
use crate::model::snapshot::{Serving, Snapshot};

/// What the proxy should serve.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxyPlan {
    pub serving: Serving,
    /// Every response asks its connection to end; HTTP/2 connections get a GOAWAY.
    pub lame_duck: bool,
}

/// The snapshot's share, with the addresses that are on their way out of an edited VIP added to its
/// listeners. Listeners stay to the end of a departure: what is in flight is finished.
pub(super) fn plan(snapshot: &Snapshot, facts: &NodeFacts, lingering: &Lingering) -> ProxyPlan {
    let mut serving = Serving::clone(&snapshot.serving);
    if !lingering.kept.is_empty() {
        for (key, listener) in &mut serving.listeners {
            let kept = lingering.kept.iter().filter(|(_, vip)| **vip == key.vip);
            listener.addresses.extend(kept.map(|(route, _)| route.address()));
        }
    }
    ProxyPlan { serving, lame_duck: facts.leave > Leave::Staying }
}

//! The node's one BGP speaker.

use super::facts::NodeFacts;
use super::leave::Leave;
use crate::model::bgp::{Asn, GracefulRestart, Peer};
use crate::model::snapshot::Snapshot;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeakerPlan {
    pub asn: Asn,
    pub router_id: Ipv4Addr,
    pub graceful_restart: Option<GracefulRestart>,
    pub peers: BTreeMap<IpAddr, Peer>,
}

/// The sessions outlive the announcements: they carry the withdrawals. Graceful restart ends before the
/// node leaves, so that no router keeps routes of a node that went on purpose (spec §2.4).
pub(super) fn plan(snapshot: &Snapshot, facts: &NodeFacts) -> Option<SpeakerPlan> {
    let speaker = snapshot.speaker.as_ref().filter(|_| facts.leave < Leave::Released)?;
    Some(SpeakerPlan {
        asn: speaker.asn,
        router_id: speaker.router_id.unwrap_or(facts.router_id),
        graceful_restart: speaker.graceful_restart.filter(|_| facts.leave == Leave::Staying),
        peers: speaker.peers.clone(),
    })
}

//! The node's one BGP speaker.

use super::facts::NodeFacts;
use super::leave::Leave;
use super::whole::Whole;
use crate::model::bgp::{Asn, GracefulRestart, Peer};
use crate::model::vip::Reach;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeakerPlan {
    pub asn: Asn,
    pub router_id: Ipv4Addr,
    pub graceful_restart: Option<GracefulRestart>,
    pub peers: BTreeMap<IpAddr, Peer>,
}

/// The sessions outlive the announcements: they carry the withdrawals. A node without any address left has no
/// speaker.
///
/// Graceful restart ends before the *node* leaves, so that no router keeps routes of a node that went on
/// purpose (spec §2.4). It only matters when sessions end: while another VIP stays, they do not, and an
/// explicit withdrawal counts whatever was negotiated (RFC 4724 §4.2).
pub(super) fn plan(whole: &Whole<'_>, facts: &NodeFacts) -> Option<SpeakerPlan> {
    let any = |which: fn(Leave) -> bool| whole.any(facts, |reach| matches!(reach, Reach::Bgp(_)), which);
    let speaker = whole.speaker.as_ref().filter(|_| any(|step| step < Leave::Released))?;
    Some(SpeakerPlan {
        asn: speaker.asn,
        router_id: speaker.router_id.unwrap_or(facts.router_id),
        graceful_restart: speaker.graceful_restart.filter(|_| any(|step| step == Leave::Staying)),
        peers: speaker.peers.clone(),
    })
}

//! The switch between ToR and nodes, which can silence a node: its link stays up and nothing comes through.

use crate::topology::NodeId;
use crate::{Netns, OwnedNetns};
use anyhow::Result;
use std::time::Instant;

/// Every frame between ports passes here; a port in `silent` neither sends nor receives.
const RULES: &str = "table bridge lab {
    set silent { type ifname; }
    chain through {
        type filter hook forward priority filter
        iifname @silent drop
        oifname @silent drop
    }
}";

#[derive(Debug)]
pub(crate) struct Switch(pub(crate) OwnedNetns);

impl Switch {
    pub(crate) fn new(netns: OwnedNetns) -> Result<Self> {
        netns.nft(RULES)?;
        Ok(Self(netns))
    }

    pub(crate) fn silence(&self, node: NodeId) -> Result<Instant> {
        silence(&self.0, node)
    }

    pub(crate) fn unsilence(&self, node: NodeId) -> Result<Instant> {
        unsilence(&self.0, node)
    }
}

/// Silences a node, given the switch's namespace. Returns a moment before the silence began: `nft` takes
/// some milliseconds, which count as the node's.
///
/// # Errors
/// nft refuses: the node is silent already, or there is no such lab.
pub fn silence(switch: &Netns, node: NodeId) -> Result<Instant> {
    let before = Instant::now();
    switch.nft(&format!("create element bridge lab silent {{ \"{node}\" }}"))?;
    Ok(before)
}

/// Lets a silenced node be heard again. Returns a moment before it was.
///
/// # Errors
/// nft refuses: the node is not silent, or there is no such lab.
pub fn unsilence(switch: &Netns, node: NodeId) -> Result<Instant> {
    let before = Instant::now();
    switch.nft(&format!("delete element bridge lab silent {{ \"{node}\" }}"))?;
    Ok(before)
}

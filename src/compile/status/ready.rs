//! Ready: somebody announces the VIP.

use super::VipFacts;
use super::share::Share;
use super::verdict::{Truth, Verdict};
use super::words::{clauses_of, list, sentence};
use crate::api::condition::{ConditionType, Reason};

/// `None`: the VIP is refused.
pub fn ready(vip: Option<&VipFacts>, shares: &[Share<'_>]) -> Verdict {
    let verdict =
        |truth: Truth, reason, message: String| Verdict::new(ConditionType::Ready, truth, reason, message);
    let announcing: Vec<_> = shares.iter().filter(|share| share.announces).map(|share| share.node).collect();
    if !announcing.is_empty() {
        let verb = if announcing.len() == 1 { "announces" } else { "announce" };
        return verdict(Truth::True, Reason::Announced, format!("{} {verb} it.", list(announcing)));
    }
    let perhaps: Vec<_> =
        shares.iter().filter(|share| share.may_announce()).map(|share| share.node).collect();
    if !perhaps.is_empty() {
        let message = format!(
            "Nobody is heard who announces it; {} did when last heard. Look whether the agents run there and \
             reach the controller.",
            list(perhaps)
        );
        return verdict(Truth::Unknown, Reason::AgentsSilent, message);
    }
    match vip {
        None => verdict(Truth::False, Reason::NotAccepted, "It is refused; Accepted says why.".to_owned()),
        Some(vip) if vip.addresses.is_none() => verdict(
            Truth::False,
            Reason::NoAddress,
            "It has no address to announce; AddressAllocated says why.".to_owned(),
        ),
        Some(vip) if vip.nodes.is_empty() => verdict(
            Truth::False,
            Reason::NoNodeSelected,
            "No node is selected; label a node as spec.nodeSelector asks, or change it.".to_owned(),
        ),
        Some(_) => verdict(Truth::False, Reason::NotAnnounced, not_announced(shares)),
    }
}

fn not_announced(shares: &[Share<'_>]) -> String {
    let tell = |share: &Share<'_>| match share.why() {
        Some(why) => format!("{}: {}", share.node, why.message),
        None => format!("{}: on its way", share.node),
    };
    sentence(&format!("no node announces it: {}", clauses_of(shares, tell)))
}

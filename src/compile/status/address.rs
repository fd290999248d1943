//! AddressAllocated and Conflicted: what a VIP has to announce, and who else wants it.

use super::VipFacts;
use super::problems::{About, told};
use super::verdict::{Truth, Verdict};
use super::words::list;
use crate::api::condition::{ConditionType, Reason};

/// What can keep a VIP from an address, or taint the one that it has.
const ABOUT_ADDRESSES: [Reason; 4] =
    [Reason::PoolExhausted, Reason::OutOfPool, Reason::AddressInUse, Reason::Conflicted];

pub fn allocated(vip: &VipFacts, about: &About<'_>) -> Verdict {
    let kind = ConditionType::AddressAllocated;
    let why = |truth: Truth, reasons: &[Reason]| {
        let first = about.because(reasons).next()?;
        let message = told(about.because(reasons));
        Some(Verdict { kind, truth, reason: first.reason.clone(), message })
    };
    let Some(addresses) = vip.addresses else {
        return why(Truth::False, &ABOUT_ADDRESSES).unwrap_or_else(|| missing(vip, about));
    };
    let addresses = list(addresses.iter());
    match &vip.pool {
        None => Verdict::new(kind, true, Reason::Written, format!("As it is written: {addresses}.")),
        Some(pool) => why(Truth::True, &[Reason::OutOfPool]).unwrap_or_else(|| {
            let message = format!("From ProxyIPPool {pool}: {addresses}.");
            Verdict::new(kind, true, Reason::Allocated, message)
        }),
    }
}

fn missing(vip: &VipFacts, about: &About<'_>) -> Verdict {
    let kind = ConditionType::AddressAllocated;
    if let Some(refused) = about.refused().next() {
        let message = "The VIP is refused; Accepted says why.";
        return Verdict {
            kind,
            truth: Truth::False,
            reason: refused.reason.clone(),
            message: message.to_owned(),
        };
    }
    let message = match &vip.pool {
        Some(pool) => format!("ProxyIPPool {pool} has not given an address yet."),
        None => "It has no address yet.".to_owned(),
    };
    Verdict::new(kind, false, Reason::AddressPending, message)
}

pub fn conflicted(about: &About<'_>) -> Verdict {
    let kind = ConditionType::Conflicted;
    let mut conflicts = about.because(&[Reason::Conflicted]).peekable();
    if conflicts.peek().is_some() {
        return Verdict::new(kind, true, Reason::Conflicted, told(conflicts));
    }
    Verdict::new(kind, false, Reason::NoConflict, "No other VIP wants what it has.")
}

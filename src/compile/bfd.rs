//! `spec.bfd` → a profile that every session of the VIP has.

use super::rejection::Findings;
use crate::api::bfd::BfdConfig;
use crate::api::condition::Reason;
use crate::api::duration::Duration;
use crate::model::bfd::{BfdProfile, Interval};
use std::num::NonZeroU8;

/// `Some(None)`: no BFD is asked for.
pub fn profile(written: Option<&BfdConfig>, findings: &mut Findings) -> Option<Option<BfdProfile>> {
    let Some(BfdConfig {
        enabled,
        detect_multiplier,
        desired_min_tx_interval,
        required_min_rx_interval,
        echo_mode,
        multihop,
    }) = written
    else {
        return Some(None);
    };
    findings.whole(|findings| {
        if *echo_mode && *multihop {
            let message = "echoMode works over a single hop only (RFC 5883); switch off echoMode or multihop";
            findings.refuse("spec.bfd.echoMode", Reason::InvalidValue, message);
        }
        let zero = "detectMultiplier must be 1 to 255; 3 is customary";
        let multiplier = NonZeroU8::new(*detect_multiplier).ok_or(zero);
        let multiplier = findings.valid("spec.bfd.detectMultiplier", multiplier);
        let desired_min_tx = interval(*desired_min_tx_interval, "desiredMinTxInterval", findings);
        let required_min_rx = interval(*required_min_rx_interval, "requiredMinRxInterval", findings);
        let profile = BfdProfile {
            detect_multiplier: multiplier?,
            desired_min_tx: desired_min_tx?,
            required_min_rx: required_min_rx?,
            echo: *echo_mode,
            multihop: *multihop,
        };
        Some(enabled.then_some(profile))
    })
}

fn interval(written: Duration, field: &str, findings: &mut Findings) -> Option<Interval> {
    let field = format!("spec.bfd.{field}");
    let duration = written.get();
    if !duration.subsec_nanos().is_multiple_of(1_000_000) {
        findings.refuse(field, Reason::InvalidValue, format!("{written} is no whole number of milliseconds"));
        return None;
    }
    let millis = u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
    findings.valid(field, Interval::from_millis(millis))
}

//! `spec.healthCheck` → an active check.

use super::backend::positive;
use super::rejection::Findings;
use crate::api::backend_tuning::HealthCheck as Written;
use crate::api::condition::Reason;
use crate::api::status_range::StatusRange;
use crate::model::backend::{HealthCheck, Probe};
use std::num::NonZeroU16;

/// `Some(None)`: no check is asked for.
pub fn check(written: Option<&Written>, findings: &mut Findings) -> Option<Option<HealthCheck>> {
    let Some(Written {
        interval,
        timeout,
        healthy_threshold,
        unhealthy_threshold,
        http_path,
        expected_statuses,
        tcp,
    }) = written
    else {
        return Some(None);
    };
    findings.whole(|findings| {
        if timeout > interval {
            let message = "timeout must not be longer than interval";
            findings.refuse("spec.healthCheck.timeout", Reason::InvalidValue, message);
        }
        let interval = positive("spec.healthCheck.interval", *interval, findings);
        let timeout = positive("spec.healthCheck.timeout", *timeout, findings);
        let healthy_threshold = at_least_one("healthyThreshold", *healthy_threshold, findings);
        let unhealthy_threshold = at_least_one("unhealthyThreshold", *unhealthy_threshold, findings);
        let probe = probe(http_path.as_deref(), expected_statuses, *tcp == Some(true), findings);
        Some(Some(HealthCheck {
            interval: interval?,
            timeout: timeout?,
            healthy_threshold: healthy_threshold?,
            unhealthy_threshold: unhealthy_threshold?,
            probe: probe?,
        }))
    })
}

fn at_least_one(field: &str, count: u32, findings: &mut Findings) -> Option<u32> {
    let counted = if count > 0 { Ok(count) } else { Err("write 1 or more") };
    findings.valid(format!("spec.healthCheck.{field}"), counted)
}

fn probe(path: Option<&str>, expected: &[StatusRange], tcp: bool, findings: &mut Findings) -> Option<Probe> {
    let (field, message) = match (path, tcp) {
        (Some(_), true) => (
            "spec.healthCheck.tcp",
            "give httpPath for a check by HTTP or tcp: true for a check by connection, not both",
        ),
        (None, _) if !expected.is_empty() => (
            "spec.healthCheck.expectedStatuses",
            "expectedStatuses belongs to a check by HTTP; give httpPath",
        ),
        (Some(path), false) if !path.starts_with('/') || !path.bytes().all(|b| b.is_ascii_graphic()) => {
            ("spec.healthCheck.httpPath", "a path begins with / and has no blanks; write one like /healthz")
        }
        (None, _) => return Some(Probe::Connect),
        (Some(path), false) => {
            return Some(Probe::Http { path: path.to_owned(), expected: ranges(expected) });
        }
    };
    findings.refuse(field, Reason::InvalidValue, message);
    None
}

fn ranges(written: &[StatusRange]) -> Vec<(NonZeroU16, NonZeroU16)> {
    let range = |range: &StatusRange| Some((NonZeroU16::new(range.first())?, NonZeroU16::new(range.last())?));
    let success = StatusRange::new(200, 299);
    if written.is_empty() {
        return success.iter().filter_map(range).collect();
    }
    written.iter().filter_map(range).collect()
}

//! A pool's status as people see it.

use super::tally::{self, Tally};
use crate::api::condition::{ConditionType, Reason};
use crate::api::pool::{PoolAllocation, PoolStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;

/// `refused` is the first message about an entry that cannot be used. Conditions whose status is that of
/// `previous` keep their time of transition.
pub fn status(
    tally: &Tally,
    refused: Option<&str>,
    previous: Option<&PoolStatus>,
    generation: Option<i64>,
    now: u64,
) -> PoolStatus {
    let Tally { total, available, given, overlaps } = tally;
    let small = |count: u128| i64::try_from(count).unwrap_or(i64::MAX);
    let allocations = given.iter().map(|(route, given)| PoolAllocation {
        address: route.address().to_string(),
        vip_ref: given.vip.to_string(),
        allocated_at: time(given.allocated_at),
    });
    let ready = match refused {
        Some(message) if *total == 0 => ("False", Reason::InvalidValue.as_str(), message.to_owned()),
        Some(message) => ("True", Reason::InvalidValue.as_str(), format!("in part: {message}")),
        None => ("True", Reason::Usable.as_str(), "every entry can be read".to_owned()),
    };
    let overlapping = if overlaps.is_empty() {
        ("False", Reason::Distinct.as_str(), "no other pool has any of its addresses".to_owned())
    } else {
        ("True", Reason::Overlaps.as_str(), tally::overlap(overlaps))
    };
    let conditions = [(ConditionType::Ready, ready), (ConditionType::Overlaps, overlapping)];
    let conditions = conditions.into_iter().map(|(kind, (status, reason, message))| {
        let before = previous.into_iter().flat_map(|previous| &previous.conditions);
        let same = before.clone().find(|one| one.type_ == kind.as_str() && one.status == status);
        Condition {
            type_: kind.as_str().to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message,
            last_transition_time: same.map_or_else(|| time(now), |one| one.last_transition_time.clone()),
            observed_generation: generation,
        }
    });
    PoolStatus {
        total: small(*total),
        allocated: small(given.len() as u128),
        available: small(*available),
        allocations: allocations.collect(),
        conditions: conditions.collect(),
        observed_generation: generation,
    }
}

fn time(seconds: u64) -> Time {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    Time(Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX))
}

//! A condition on its way: what holds, why, and since when.

use crate::api::condition::{ConditionType, Reason};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;

/// The status of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    True,
    False,
    /// Nobody who could know has spoken.
    Unknown,
}

impl Truth {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// A condition without its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub kind: ConditionType,
    pub truth: Truth,
    /// One of [`Reason`]'s words, or an agent's.
    pub reason: String,
    pub message: String,
}

impl Verdict {
    pub fn new(
        kind: ConditionType,
        truth: impl Into<Truth>,
        reason: Reason,
        message: impl Into<String>,
    ) -> Self {
        Self { kind, truth: truth.into(), reason: reason.to_string(), message: message.into() }
    }
}

/// What the times of an object's conditions come from.
#[derive(Debug, Clone, Copy)]
pub struct Clock<'a> {
    /// Unix seconds.
    pub now: u64,
    pub generation: Option<i64>,
    /// The object's conditions as they were told last.
    pub before: &'a [Condition],
}

impl Clock<'_> {
    /// The verdicts as conditions. One whose status is what it was keeps the time of its last transition.
    pub fn conditions(&self, verdicts: impl IntoIterator<Item = Verdict>) -> Vec<Condition> {
        verdicts.into_iter().map(|verdict| self.condition(verdict)).collect()
    }

    fn condition(&self, verdict: Verdict) -> Condition {
        let Verdict { kind, truth, reason, message } = verdict;
        let same = |before: &&Condition| before.type_ == kind.as_str() && before.status == truth.as_str();
        let kept = self.before.iter().find(same).map(|before| before.last_transition_time.clone());
        Condition {
            last_transition_time: kept.unwrap_or_else(|| time(self.now)),
            message,
            observed_generation: self.generation,
            reason,
            status: truth.as_str().to_owned(),
            type_: kind.as_str().to_owned(),
        }
    }
}

/// Unix seconds as the API writes them. A time that no calendar has is told as 1970.
pub fn time(unix_seconds: u64) -> Time {
    let seconds = i64::try_from(unix_seconds).unwrap_or_default();
    Time(Timestamp::from_second(seconds).unwrap_or_default())
}

//! BFD session parameters (RFC 5880, RFC 5881, RFC 5883).

use serde::{Deserialize, Serialize};
use std::num::NonZeroU8;

/// An interval of 10 ms to 60 s, in whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Interval(u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a BFD interval is 10ms to 60s, not {0}ms")]
pub struct InvalidInterval(pub u32);

impl Interval {
    pub fn from_millis(millis: u32) -> Result<Self, InvalidInterval> {
        if (10..=60_000).contains(&millis) { Ok(Self(millis)) } else { Err(InvalidInterval(millis)) }
    }

    pub fn as_millis(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Interval {
    type Error = InvalidInterval;
    fn try_from(millis: u32) -> Result<Self, InvalidInterval> {
        Self::from_millis(millis)
    }
}

impl From<Interval> for u32 {
    fn from(interval: Interval) -> Self {
        interval.0
    }
}

/// How a session to a peer is kept. Equal profiles are one `profile` in bfdd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BfdProfile {
    pub detect_multiplier: NonZeroU8,
    pub desired_min_tx: Interval,
    pub required_min_rx: Interval,
    /// RFC 5880 §6.4, single hop only; runs at `required_min_rx`.
    pub echo: bool,
    /// RFC 5883.
    pub multihop: bool,
}

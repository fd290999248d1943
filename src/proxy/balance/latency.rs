//! Peak-EWMA, after Finagle: a moving average of answer times that believes bad news at once and forgets
//! it slowly. Shared by all cores without a lock: two answers at the same instant may cost one of them its
//! say, and no more.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Time in which the past loses two thirds of its weight.
const DECAY: Duration = Duration::from_secs(10);
/// What an endpoint that nobody has asked yet is thought to need. Zero would call everybody to it.
const UNKNOWN: Duration = Duration::from_millis(30);
/// A failure counts as an answer this slow, at least: otherwise whoever fails fast looks best.
const FAILURE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct PeakEwma {
    /// The average in seconds, as the bits of an `f64`.
    average: AtomicU64,
    /// When it was last told something, in nanoseconds of the caller's clock.
    told: AtomicU64,
}

impl Default for PeakEwma {
    fn default() -> Self {
        Self { average: AtomicU64::new(UNKNOWN.as_secs_f64().to_bits()), told: AtomicU64::new(0) }
    }
}

impl PeakEwma {
    /// Expected seconds to the first byte. An endpoint that is not asked is slowly forgiven.
    pub fn estimate(&self, now: u64) -> f64 {
        self.average() * self.fading(now)
    }

    pub fn answered(&self, took: Duration, now: u64) {
        let took = took.as_secs_f64();
        let fading = self.fading(now);
        let average = self.average();
        let next = if took > average { took } else { average * fading + took * (1.0 - fading) };
        self.average.store(next.to_bits(), Relaxed);
        self.told.store(now, Relaxed);
    }

    /// No answer came in so long. A short wait says nothing.
    pub fn waited(&self, so_long: Duration, now: u64) {
        if so_long.as_secs_f64() > self.estimate(now) {
            self.answered(so_long, now);
        }
    }

    pub fn failed(&self, now: u64) {
        let penalty = FAILURE.max(Duration::from_secs_f64((self.average() * 2.0).min(60.0)));
        self.answered(penalty, now);
    }

    fn average(&self) -> f64 {
        f64::from_bits(self.average.load(Relaxed))
    }

    fn fading(&self, now: u64) -> f64 {
        let elapsed = Duration::from_nanos(now.saturating_sub(self.told.load(Relaxed)));
        (-elapsed.as_secs_f64() / DECAY.as_secs_f64()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn bad_news_is_believed_at_once_and_forgotten_slowly() {
        let ewma = PeakEwma::default();
        ewma.answered(Duration::from_millis(500), SECOND);
        assert!((ewma.estimate(SECOND) - 0.5).abs() < 1e-9);
        ewma.answered(Duration::from_millis(1), 2 * SECOND);
        assert!(ewma.estimate(2 * SECOND) > 0.4, "one good answer does not clear it");
        assert!(ewma.estimate(62 * SECOND) < 0.01, "a minute does");
    }

    #[test]
    fn failing_fast_is_no_recommendation() {
        let ewma = PeakEwma::default();
        ewma.failed(SECOND);
        assert!(ewma.estimate(SECOND) >= 1.0);
    }
}

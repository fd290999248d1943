//! How long to wait before trying again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LAST: Duration = Duration::from_secs(10);

/// Waits that double from 100 ms to 10 s, each shortened by chance by up to a half, so that those who failed
/// together do not come back together.
#[derive(Debug, Clone, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after one more failure. `random` is evenly spread over 0..1.
    pub fn after_failure(&mut self, random: f64) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.failures.min(16)).min(LAST);
        self.failures = self.failures.saturating_add(1);
        whole.mul_f64(1.0 - random.clamp(0.0, 1.0) / 2.0)
    }

    /// It worked: the next failure waits shortly again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn waits_double_to_the_last_one_and_start_over_after_a_success() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..9).map(|_| backoff.after_failure(0.0).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        backoff.reset();
        assert_eq!(backoff.after_failure(0.0), FIRST);
    }

    proptest! {
        #[test]
        fn chance_takes_half_at_most(failures in any::<u32>(), random in any::<f64>()) {
            let whole = Backoff { failures }.after_failure(0.0);
            let wait = Backoff { failures }.after_failure(if random.is_nan() { 0.5 } else { random });
            prop_assert!(wait <= whole && wait >= whole / 2, "{wait:?} of {whole:?}");
        }
    }
}

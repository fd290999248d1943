//! Waiting for something to become true: the only place in the tests that sleeps.

use anyhow::Result;
use std::fmt::Display;
use std::time::{Duration, Instant};

/// The pauses between questions: short at first, so that what is quick is seen quickly.
fn pause(asked: usize) -> Duration {
    Duration::from_millis([1, 2, 5, 10, 20].get(asked).copied().unwrap_or(25))
}

/// Asks `check` until it answers `Ok`, which is returned.
///
/// # Errors
/// `deadline` passed: the message says `what` was waited for, and what `check` said last.
pub fn eventually<T, E: Display>(
    what: &str,
    deadline: Duration,
    mut check: impl FnMut() -> Result<T, E>,
) -> Result<T> {
    let started = Instant::now();
    let mut asked = 0;
    loop {
        match check() {
            Ok(value) => return Ok(value),
            Err(said) if started.elapsed() >= deadline => return Err(gave_up(what, deadline, &said)),
            Err(_) => std::thread::sleep(pause(asked)),
        }
        asked += 1;
    }
}

/// [`eventually`] for a runtime's thread: other tasks go on between the questions.
///
/// # Errors
/// As [`eventually`].
pub async fn eventually_async<T, E: Display>(
    what: &str,
    deadline: Duration,
    mut check: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T> {
    let started = Instant::now();
    let mut asked = 0;
    loop {
        match check().await {
            Ok(value) => return Ok(value),
            Err(said) if started.elapsed() >= deadline => return Err(gave_up(what, deadline, &said)),
            Err(_) => tokio::time::sleep(pause(asked)).await,
        }
        asked += 1;
    }
}

fn gave_up(what: &str, deadline: Duration, said: &impl Display) -> anyhow::Error {
    anyhow::anyhow!("{what}: not within {deadline:?}; at the end: {said}")
}

#[cfg(test)]
mod tests {
    use super::eventually;
    use std::time::Duration;

    #[test]
    fn answers_as_soon_as_the_check_does() {
        let mut left = 3;
        let answer = eventually("three questions", Duration::from_secs(5), || {
            left -= 1;
            if left == 0 { Ok("yes") } else { Err("not yet") }
        });
        assert_eq!(answer.unwrap(), "yes");
    }

    #[test]
    fn says_what_was_waited_for_and_the_last_answer() {
        let outcome = eventually("the impossible", Duration::from_millis(3), || Err::<(), _>("still no"));
        assert_eq!(outcome.unwrap_err().to_string(), "the impossible: not within 3ms; at the end: still no");
    }
}

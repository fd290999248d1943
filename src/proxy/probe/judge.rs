//! When a row of answers changes the verdict.
//!
//! ```text
//!            first answer good ┌─────────┐  `unhealthy_threshold` bad in a row
//!   Unknown ──────────────────▶│ Healthy │───────────────┐
//!      │                       └─────────┘               ▼
//!      │ first answer bad           ▲              ┌───────────┐
//!      └────────────────────────────┼─────────────▶│ Unhealthy │
//!                                   └──────────────└───────────┘
//!                       `healthy_threshold` good in a row
//! ```

use crate::model::backend::HealthCheck;
use crate::model::observed::EndpointHealth;

#[derive(Debug)]
pub struct Judge {
    health: EndpointHealth,
    /// Answers in a row that speak against `health`.
    contradictions: u32,
    healthy_threshold: u32,
    unhealthy_threshold: u32,
}

impl Judge {
    pub fn new(health: EndpointHealth, check: &HealthCheck) -> Self {
        let HealthCheck { healthy_threshold, unhealthy_threshold, .. } = *check;
        Self { health, contradictions: 0, healthy_threshold, unhealthy_threshold }
    }

    /// The last answer spoke against the verdict, and was not enough to change it.
    pub fn is_in_doubt(&self) -> bool {
        self.contradictions > 0
    }

    /// The new verdict, if this answer changes it.
    pub fn hear(&mut self, good: bool) -> Option<EndpointHealth> {
        let says = if good { EndpointHealth::Healthy } else { EndpointHealth::Unhealthy };
        let needed = match self.health {
            EndpointHealth::Unknown => 1,
            EndpointHealth::Healthy => self.unhealthy_threshold,
            EndpointHealth::Unhealthy => self.healthy_threshold,
        };
        self.contradictions = if says == self.health { 0 } else { self.contradictions + 1 };
        if self.contradictions == 0 || self.contradictions < needed {
            return None;
        }
        self.contradictions = 0;
        self.health = says;
        Some(says)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::backend::Probe;
    use EndpointHealth::{Healthy, Unhealthy, Unknown};
    use std::time::Duration;

    fn judge(health: EndpointHealth) -> Judge {
        let check = HealthCheck {
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
            healthy_threshold: 2,
            unhealthy_threshold: 3,
            probe: Probe::Connect,
        };
        Judge::new(health, &check)
    }

    #[test]
    fn rows_of_answers_change_the_verdict() {
        // `+` good, `-` bad; what each answer changes.
        type Changes<'a> = &'a [(usize, EndpointHealth)];
        let table: [(_, _, Changes<'_>); 6] = [
            (Unknown, "+", &[(0, Healthy)]),
            (Unknown, "-", &[(0, Unhealthy)]),
            (Healthy, "--+--+---", &[(8, Unhealthy)]),
            (Unhealthy, "+-+-++", &[(5, Healthy)]),
            (Unknown, "-+---++", &[(0, Unhealthy), (6, Healthy)]),
            (Unknown, "+---++---", &[(0, Healthy), (3, Unhealthy), (5, Healthy), (8, Unhealthy)]),
        ];
        for (start, answers, expected) in table {
            let mut judge = judge(start);
            let changes: Vec<_> = answers
                .chars()
                .enumerate()
                .filter_map(|(index, answer)| Some((index, judge.hear(answer == '+')?)))
                .collect();
            assert_eq!(changes, expected, "{start:?} {answers}");
        }
    }
}

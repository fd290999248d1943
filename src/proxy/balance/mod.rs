//! Which of a backend's endpoints gets the next request, and which of a rule's backends.
//!
//! Pure: what can be chosen, what it costs and the dice are arguments. A weight of zero means "not now":
//! the caller has folded health, avoidance and earlier attempts into it. Each core balances by itself;
//! what an endpoint has in flight, and how fast it answers, is known to all of them (see
//! [`super::upstream::endpoint`]).
//!
//! | file | what |
//! |---|---|
//! | [`round_robin`] | smooth weighted round robin |
//! | [`two_choices`] | the cheaper of two drawn by weight |
//! | [`latency`] | what an endpoint's answers cost: peak-EWMA |

pub mod latency;
mod round_robin;
mod two_choices;

use crate::model::backend::LbPolicy;
use round_robin::RoundRobin;
use std::cell::RefCell;

/// What a policy knows of a candidate.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// Share of the traffic; zero: not to be chosen.
    pub weight: u32,
    /// Requests and streams in flight, of all cores.
    pub outstanding: u32,
}

/// The closed set of policies, each with what it remembers.
#[derive(Debug)]
pub enum Balancer {
    RoundRobin(RefCell<RoundRobin>),
    LeastOutstanding,
    LeastLatency,
}

impl Balancer {
    pub fn new(policy: LbPolicy) -> Self {
        match policy {
            LbPolicy::RoundRobin => Self::RoundRobin(RefCell::default()),
            LbPolicy::P2c => Self::LeastOutstanding,
            LbPolicy::Ewma => Self::LeastLatency,
        }
    }

    /// One of `0..count`; `None`: all weights are zero. `latency` is the expected time to the first byte.
    pub fn pick(
        &self,
        count: usize,
        standing: impl Fn(usize) -> Standing,
        latency: impl Fn(usize) -> f64,
        dice: &mut fastrand::Rng,
    ) -> Option<usize> {
        let weight = |index| standing(index).weight;
        match self {
            Self::RoundRobin(turns) => turns.borrow_mut().pick(count, weight, dice),
            Self::LeastOutstanding => two_choices::pick(count, weight, |index| load(standing(index)), dice),
            Self::LeastLatency => {
                let cost = |index| latency(index) * (load(standing(index)) + 1.0);
                two_choices::pick(count, weight, cost, dice)
            }
        }
    }
}

/// What is in flight, relative to the candidate's share. Idle candidates are equal, whatever their share:
/// the draw has already favoured the heavier.
fn load(standing: Standing) -> f64 {
    f64::from(standing.outstanding) / f64::from(standing.weight.max(1))
}

/// One of `0..count` with a chance in proportion to its weight; `None`: all weights are zero.
pub fn draw(count: usize, weight: impl Fn(usize) -> u32, dice: &mut fastrand::Rng) -> Option<usize> {
    let total: u64 = (0..count).map(|index| u64::from(weight(index))).sum();
    if total == 0 {
        return None;
    }
    let mut ticket = dice.u64(..total);
    (0..count).find(|&index| {
        let share = u64::from(weight(index));
        let won = ticket < share;
        ticket = ticket.saturating_sub(share);
        won
    })
}

#[cfg(test)]
mod tests;

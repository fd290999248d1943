use super::{Balancer, Standing, draw};
use crate::model::backend::LbPolicy;
use proptest::prelude::*;

const ROUNDS: usize = 6000;

/// Everybody answers equally fast.
fn same(_: usize) -> f64 {
    0.01
}

/// How often each of the weights' owners is picked when nothing is in flight and all are equally fast.
fn shares(policy: LbPolicy, weights: &[u32], seed: u64) -> Vec<usize> {
    let balancer = Balancer::new(policy);
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut picked = vec![0; weights.len()];
    let standing = |index: usize| Standing { weight: weights[index], outstanding: 0 };
    for _ in 0..ROUNDS {
        picked[balancer.pick(weights.len(), standing, same, &mut dice).unwrap()] += 1;
    }
    picked
}

#[test]
fn round_robin_is_exact_and_smooth() {
    let balancer = Balancer::new(LbPolicy::RoundRobin);
    let mut dice = fastrand::Rng::with_seed(7);
    let weights = [5, 1, 1];
    let standing = |index: usize| Standing { weight: weights[index], outstanding: 0 };
    let turns: Vec<usize> = (0..70).map(|_| balancer.pick(3, standing, same, &mut dice).unwrap()).collect();
    for round in turns[..70].chunks(7) {
        assert_eq!(round.iter().filter(|&&index| index == 0).count(), 5, "{turns:?}");
    }
    assert!(turns.windows(5).all(|five| five.iter().any(|&index| index != 0)), "{turns:?}");
}

#[test]
fn the_less_loaded_and_the_faster_win() {
    let mut dice = fastrand::Rng::with_seed(7);
    let loaded = |index: usize| Standing { weight: 1, outstanding: [9, 0][index] };
    let idle = |_: usize| Standing { weight: 1, outstanding: 0 };
    let busy = |index: usize| Standing { weight: 1, outstanding: [0, 9][index] };
    let slow = |index: usize| [0.5, 0.01][index];
    for _ in 0..100 {
        assert_eq!(Balancer::new(LbPolicy::P2c).pick(2, loaded, same, &mut dice), Some(1));
        assert_eq!(Balancer::new(LbPolicy::Ewma).pick(2, idle, slow, &mut dice), Some(1));
        assert_eq!(
            Balancer::new(LbPolicy::Ewma).pick(2, busy, slow, &mut dice),
            Some(1),
            "busy, still faster"
        );
    }
}

#[test]
fn a_round_goes_on_when_somebody_drops_out_and_comes_back() {
    let balancer = Balancer::new(LbPolicy::RoundRobin);
    let mut dice = fastrand::Rng::with_seed(7);
    let without_second = |index: usize| Standing { weight: u32::from(index != 1), outstanding: 0 };
    let all = |_: usize| Standing { weight: 1, outstanding: 0 };
    for _ in 0..100 {
        assert_ne!(balancer.pick(3, without_second, same, &mut dice), Some(1));
    }
    let picked: Vec<_> = (0..6).filter_map(|_| balancer.pick(3, all, same, &mut dice)).collect();
    assert_eq!(picked.iter().filter(|&&index| index == 1).count(), 2, "no debt to make up for: {picked:?}");
}

proptest! {
    /// Whatever the policy and the weights: shares follow weights, and zero gets nothing.
    #[test]
    fn shares_follow_weights(
        weights in proptest::collection::vec(0u32..20, 1..6),
        policy in prop_oneof![Just(LbPolicy::RoundRobin), Just(LbPolicy::P2c), Just(LbPolicy::Ewma)],
        seed in any::<u64>(),
    ) {
        let total: u32 = weights.iter().sum();
        prop_assume!(total > 0);
        for (picked, weight) in shares(policy, &weights, seed).into_iter().zip(&weights) {
            let share = f64::from(*weight) / f64::from(total);
            let due = ROUNDS as f64 * share;
            let chance = 6.0 * (due * (1.0 - share)).sqrt();
            let tolerance = if policy == LbPolicy::RoundRobin { weights.len() as f64 } else { chance };
            prop_assert!((picked as f64 - due).abs() <= tolerance + 1.0, "{picked} for {due}");
        }
    }

    #[test]
    fn a_draw_is_none_only_when_nobody_may_be_chosen(
        weights in proptest::collection::vec(0u32..3, 0..6), seed in any::<u64>(),
    ) {
        let mut dice = fastrand::Rng::with_seed(seed);
        match draw(weights.len(), |index| weights[index], &mut dice) {
            Some(index) => prop_assert!(weights[index] > 0),
            None => prop_assert!(weights.iter().all(|&weight| weight == 0)),
        }
    }
}

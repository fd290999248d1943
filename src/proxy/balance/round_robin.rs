//! Smooth weighted round robin, after nginx: in each turn every candidate earns its weight, the richest
//! is chosen and pays what all earned. Weights 5, 1, 1 give a a b a c a a, never five in a row.

#[derive(Debug, Default)]
pub struct RoundRobin {
    earned: Vec<i64>,
}

impl RoundRobin {
    pub fn pick(
        &mut self,
        count: usize,
        weight: impl Fn(usize) -> u32,
        dice: &mut fastrand::Rng,
    ) -> Option<usize> {
        if self.earned.len() != count {
            // Cores begin at different places of the round, so that together they do not all begin with the
            // first candidate.
            self.earned = vec![0; count];
            for _ in 0..dice.usize(..count.max(1)) {
                self.turn(count, &weight);
            }
        }
        self.turn(count, &weight)
    }

    fn turn(&mut self, count: usize, weight: &impl Fn(usize) -> u32) -> Option<usize> {
        let mut total = 0;
        let mut richest = None;
        for index in (0..count).filter(|&index| weight(index) > 0) {
            let earns = i64::from(weight(index));
            total += earns;
            self.earned[index] += earns;
            if richest.is_none_or(|best: usize| self.earned[index] > self.earned[best]) {
                richest = Some(index);
            }
        }
        self.earned[richest?] -= total;
        richest
    }
}

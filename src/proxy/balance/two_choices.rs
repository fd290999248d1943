//! Power of two choices: draw two different candidates, take the cheaper one. Nearly as good as looking
//! at all of them, without the herd that follows whoever looks best to everybody at once
//! (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing").

pub fn pick(
    count: usize,
    weight: impl Fn(usize) -> u32,
    cost: impl Fn(usize) -> f64,
    dice: &mut fastrand::Rng,
) -> Option<usize> {
    let first = super::draw(count, &weight, dice)?;
    let others = |index: usize| if index == first { 0 } else { weight(index) };
    match super::draw(count, others, dice) {
        Some(second) if cost(second) < cost(first) => Some(second),
        _ => Some(first),
    }
}

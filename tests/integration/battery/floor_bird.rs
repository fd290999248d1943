//! The same done by hand with BIRD: the file in place, `configure`, and nothing checked.

use super::bird::OfBird;
use super::floor::{SAMPLES, compare, median};
use super::plans::Plan;
use super::scale::{MANY, all_routed, hold_all, none_routed, plan, prefix};
use super::world::World;
use std::time::Instant;

/// A plan, and the file that it takes.
struct Step {
    plan: Plan,
    text: String,
}

impl Step {
    fn of(world: &mut World<OfBird>, plan: Plan) -> Self {
        world.apply(&plan);
        let text = std::fs::read_to_string(world.node().bird().include()).unwrap();
        Self { plan, text }
    }

    fn by_hand(&self, world: &World<OfBird>) {
        let bird = world.node().bird();
        std::fs::write(bird.include(), &self.text).unwrap();
        bird.ask("configure").unwrap();
    }
}

/// One more at a thousand, ours and by hand in turns.
#[test]
fn one_more_takes_what_it_takes_by_hand() {
    let mut world = World::<OfBird>::new("floor-one");
    hold_all(&world, MANY + 1);
    let many = Step::of(&mut world, plan(MANY + 1));
    let few = Step::of(&mut world, plan(MANY));
    all_routed(&world, Instant::now(), MANY);
    let more = prefix(MANY);
    world.unrouted(&more);
    let (mut ours, mut floor) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    for _ in 0..SAMPLES {
        let since = Instant::now();
        world.try_apply(&many.plan).unwrap();
        ours.0.push(world.routed_since(&more, since));
        let since = Instant::now();
        world.try_apply(&few.plan).unwrap();
        ours.1.push(world.unrouted_since(&more, since));
        let since = Instant::now();
        many.by_hand(&world);
        floor.0.push(world.routed_since(&more, since));
        let since = Instant::now();
        few.by_hand(&world);
        floor.1.push(world.unrouted_since(&more, since));
    }
    compare("bird: announce one more", median(ours.0), median(floor.0));
    compare("bird: withdraw one", median(ours.1), median(floor.1));
}

/// A thousand from nothing and back, ours and by hand in turns.
#[test]
fn a_thousand_take_what_they_take_by_hand() {
    let mut world = World::<OfBird>::new("floor-all");
    hold_all(&world, MANY);
    let all = Step::of(&mut world, plan(MANY));
    let none = Step::of(&mut world, Plan::to_the_tor());
    none_routed(&world, Instant::now());
    let (mut ours, mut floor) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    for _ in 0..SAMPLES {
        let since = Instant::now();
        world.try_apply(&all.plan).unwrap();
        ours.0.push(all_routed(&world, since, MANY));
        let since = Instant::now();
        world.try_apply(&none.plan).unwrap();
        ours.1.push(none_routed(&world, since));
        let since = Instant::now();
        all.by_hand(&world);
        floor.0.push(all_routed(&world, since, MANY));
        let since = Instant::now();
        none.by_hand(&world);
        floor.1.push(none_routed(&world, since));
    }
    compare("bird: announce a thousand", median(ours.0), median(floor.0));
    compare("bird: withdraw a thousand", median(ours.1), median(floor.1));
}

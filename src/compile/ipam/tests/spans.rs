use super::super::spans::{Span, Spans, Taken, address, number};
use proptest::prelude::*;
use std::net::IpAddr;

fn span(first: &str, last: &str) -> Span {
    Span::new(first.parse().unwrap(), last.parse().unwrap()).unwrap()
}

#[test]
fn ten_thousand_addresses_of_a_64_cost_one_question_each() {
    let block = Spans::from_iter([span("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff")]);
    let (mut taken, mut questions) = (Taken::default(), 0);
    for nth in 1..=10_000_u128 {
        let free = block.first_free(0, |number| {
            questions += 1;
            taken.run_end(number)
        });
        assert_eq!(free, Some(number("2001:db8::".parse().unwrap()) + nth));
        taken.insert(free.unwrap());
    }
    assert_eq!(questions, 10_000);
    assert_eq!(taken.count_in(&block), 10_000);
}

#[test]
fn full_spans_before_the_cursor_are_not_asked_again() {
    let single = |n: u128| Span {
        first: number("10.0.0.0".parse().unwrap()) + 2 * n,
        last: number("10.0.0.0".parse().unwrap()) + 2 * n,
    };
    let singles: Spans = (0..10_000).map(single).collect();
    let (mut taken, mut questions, mut from) = (Taken::default(), 0, 0);
    for _ in 0..10_000 {
        let free = singles.first_free(from, |number| {
            questions += 1;
            taken.run_end(number)
        });
        from = free.unwrap();
        taken.insert(from);
    }
    assert!(questions < 20_001, "{questions}");
    assert_eq!(singles.first_free(from, |number| taken.run_end(number)), None);
}

#[test]
fn the_line_holds_both_families_apart() {
    for text in ["10.0.0.1", "255.255.255.255", "2001:db8::1", "ffff::"] {
        let one: IpAddr = text.parse().unwrap();
        assert_eq!(address(number(one)), one);
    }
    assert_eq!(Span::new("10.0.0.1".parse().unwrap(), "2001:db8::".parse().unwrap()), None);
}

#[test]
fn the_whole_line_is_counted_without_overflow() {
    let whole = Spans::from_iter([Span { first: 0, last: u128::MAX }]);
    assert_eq!(whole.size(), u128::MAX);
    let mut taken = Taken::default();
    for number in [u128::MAX, 0, u128::MAX - 1] {
        assert!(taken.insert(number));
        assert!(!taken.insert(number));
    }
    assert_eq!(taken.count_in(&whole), 3);
    assert_eq!(whole.first_free(u128::MAX, |number| taken.run_end(number)), None);
}

proptest! {
    /// Against the same in the simplest words.
    #[test]
    fn spans_and_runs_are_sets(
        pieces in prop::collection::vec((0_u128..60, 0_u128..6), 0..8),
        numbers in prop::collection::btree_set(0_u128..70, 0..50),
        from in 0_u128..70,
    ) {
        let spans: Spans = pieces.iter().map(|(first, more)| Span { first: *first, last: first + more }).collect();
        let inside = |n: &u128| pieces.iter().any(|(first, more)| (*first..=first + more).contains(n));
        let mut taken = Taken::default();
        for number in &numbers {
            prop_assert!(taken.insert(*number));
        }
        prop_assert!((0..80).all(|n| spans.contains(n) == inside(&n)));
        prop_assert_eq!(spans.size(), (0..80).filter(inside).count() as u128);
        prop_assert_eq!(taken.count_in(&spans), numbers.iter().filter(|n| inside(n)).count() as u128);
        let first = (from..80).find(|n| inside(n) && !numbers.contains(n));
        prop_assert_eq!(spans.first_free(from, |n| taken.run_end(n)), first);
        prop_assert!(spans.as_slice().windows(2).all(|two| two[0].last + 1 < two[1].first));
    }
}

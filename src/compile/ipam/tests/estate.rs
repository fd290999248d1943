//! Settlements one after the other: edits, deletions, time.

use super::*;
use std::sync::Arc;

/// A ledger that is settled again and again; nothing is held unless a test says so.
#[derive(Default)]
struct Estate {
    ledger: Ledger,
    held: std::collections::BTreeSet<HostRoute>,
}

impl Estate {
    fn settle(&mut self, now: u64, lines: &str) -> Settled {
        self.settle_world(now, &world(lines))
    }

    fn settle_world(&mut self, now: u64, world: &Resources) -> Settled {
        let outside = Outside { held: self.held.clone(), now, ..Outside::default() };
        let settled = settle(world, &self.ledger, &outside);
        self.ledger = settled.ledger.clone();
        settled
    }
}

const ONE: &str = "pool p: {addresses: [10.0.0.1], reclaimDelay: 30s}\n";

#[test]
fn a_freed_address_waits_for_its_delay() {
    let mut estate = Estate::default();
    estate.settle(100, &format!("{ONE}vip a: {{poolRef: {{name: p}}}}"));
    let younger = format!("{ONE}vip b: {{poolRef: {{name: p}}}}");
    let settled = estate.settle(110, &younger);
    assert!(have(&settled).is_empty());
    assert_eq!(settled.wake, Some(140));
    assert!(have(&estate.settle(139, &younger)).is_empty());
    let settled = estate.settle(140, &younger);
    assert_eq!(have(&settled), ["b 10.0.0.1"]);
    assert_eq!(settled.wake, None);
}

#[test]
fn a_freed_address_waits_for_the_last_live_agent() {
    let mut estate = Estate::default();
    estate.settle(100, &format!("{ONE}vip a: {{poolRef: {{name: p}}}}"));
    let younger = format!("{ONE}vip b: {{poolRef: {{name: p}}}}");
    estate.held.insert(route("10.0.0.1"));
    for now in [110, 140, 100_000] {
        assert!(have(&estate.settle(now, &younger)).is_empty());
    }
    estate.held.clear();
    assert_eq!(have(&estate.settle(100_001, &younger)), ["b 10.0.0.1"]);
}

#[test]
fn a_vip_that_comes_back_in_time_gets_its_own_address() {
    let mut estate = Estate::default();
    let both = "pool p: {addresses: [10.0.0.1-10.0.0.9]}
         vip a: {poolRef: {name: p}}
         vip b: {poolRef: {name: p}}";
    estate.settle(100, both);
    estate.settle(110, "pool p: {addresses: [10.0.0.1-10.0.0.9]}\nvip a: {poolRef: {name: p}}");
    assert_eq!(have(&estate.settle(120, both)), ["a 10.0.0.1", "b 10.0.0.2"]);
}

#[test]
fn a_vip_made_anew_under_its_name_is_another_one() {
    let mut estate = Estate::default();
    let pools = "pool p: {addresses: [10.0.0.1]}\npool q: {addresses: [10.0.0.9]}\n";
    let mut old = world(&format!("{pools}vip a: {{poolRef: {{name: p}}}}"));
    Arc::make_mut(old.vips.get_mut("a").unwrap()).metadata.uid = Some("1".to_owned());
    estate.settle_world(100, &old);
    let mut new = world(&format!("{pools}vip a: {{poolRef: {{name: q}}}}"));
    Arc::make_mut(new.vips.get_mut("a").unwrap()).metadata.uid = Some("2".to_owned());
    let settled = estate.settle_world(110, &new);
    assert_eq!(have(&settled), ["a 10.0.0.9"]);
    assert!(said(&settled).is_empty());
    assert_eq!(estate.ledger.get(route("10.0.0.1")).unwrap().released_at, Some(110));
}

#[test]
fn nothing_is_renumbered_when_pools_change() {
    let vips = "vip a: {poolRef: {name: p}}\nvip b: {poolRef: {name: p}}";
    let mut estate = Estate::default();
    estate.settle(100, &format!("pool p: {{addresses: [10.0.0.1-10.0.0.2]}}\n{vips}"));
    let kept = ["a 10.0.0.1", "b 10.0.0.2"];

    let shrunk = estate.settle(110, &format!("pool p: {{addresses: [10.0.0.2-10.0.0.3]}}\n{vips}"));
    assert_eq!(have(&shrunk), kept);
    let out = ["ProxyIPPool p: spec: OutOfPool", "ProxyVIP a: spec.poolRef: OutOfPool"];
    assert_eq!(said(&shrunk), out);
    assert_eq!(shrunk.pools["p"].available, 1);

    let deleted = estate.settle(120, vips);
    assert_eq!(have(&deleted), kept);
    assert_eq!(
        said(&deleted),
        ["ProxyVIP a: spec.poolRef: OutOfPool", "ProxyVIP b: spec.poolRef: OutOfPool"]
    );

    let by_hand =
        estate.settle(130, &format!("pool p: {{addresses: [10.0.0.1-10.0.0.2], autoAssign: false}}\n{vips}"));
    assert_eq!(have(&by_hand), kept);
    assert!(said(&by_hand).is_empty());
}

#[test]
fn another_pool_does_not_move_a_vip_but_what_it_writes_does() {
    let pools = "pool p: {addresses: [10.0.0.1-10.0.0.2]}\npool q: {addresses: [10.0.0.9]}\n";
    let mut estate = Estate::default();
    estate.settle(100, &format!("{pools}vip a: {{poolRef: {{name: p}}}}"));
    let moved = estate.settle(110, &format!("{pools}vip a: {{poolRef: {{name: q}}}}"));
    assert_eq!(have(&moved), ["a 10.0.0.1"]);
    assert!(message(&moved, "ProxyVIP a").contains("q does not contain 10.0.0.1"));

    let written = estate.settle(120, &format!("{pools}vip a: {{poolRef: {{name: q}}, address: 10.0.0.9}}"));
    assert!(have(&written).is_empty());
    assert!(estate.ledger.get(route("10.0.0.9")).unwrap().by_value);
    assert_eq!(estate.ledger.get(route("10.0.0.1")).unwrap().released_at, Some(120));

    let erased = estate.settle(130, &format!("{pools}vip a: {{poolRef: {{name: q}}}}"));
    assert_eq!(have(&erased), ["a 10.0.0.9"]);
}

#[test]
fn an_edit_that_cannot_be_read_takes_nothing_away() {
    let mut estate = Estate::default();
    estate.settle(100, &format!("{ONE}vip a: {{poolRef: {{name: p}}}}"));
    let slips = [
        "{}",
        "{poolRef: {name: p}, address: 10.0.0.0/24}",
        "{templateRef: {name: none}}",
        "{poolRef: {name: p}, address: '2001:db8::1', addressFamily: ipv4}",
    ];
    for slip in slips {
        assert_eq!(have(&estate.settle(110, &format!("{ONE}vip a: {slip}"))), ["a 10.0.0.1"], "{slip}");
    }
}

#[test]
fn a_second_family_is_added_to_the_first() {
    let pool = "pool p: {addresses: [10.0.0.1-10.0.0.2, '2001:db8::1']}\n";
    let mut estate = Estate::default();
    estate.settle(100, &format!("{pool}vip a: {{poolRef: {{name: p}}}}"));
    let dual = estate.settle(110, &format!("{pool}vip a: {{poolRef: {{name: p}}, addressFamily: dual}}"));
    assert_eq!(have(&dual), ["a 10.0.0.1 2001:db8::1"]);
    let single = estate.settle(120, &format!("{pool}vip a: {{poolRef: {{name: p}}, addressFamily: ipv6}}"));
    assert_eq!(have(&single), ["a 2001:db8::1"]);
    assert_eq!(single.wake, Some(150));
}

#[test]
fn an_address_by_value_comes_back_with_a_delay_too() {
    let mut estate = Estate::default();
    estate.settle(100, &format!("{ONE}vip a: {{address: 10.0.0.1}}"));
    let younger = format!("{ONE}vip b: {{poolRef: {{name: p}}}}");
    assert!(have(&estate.settle(110, &younger)).is_empty());
    assert_eq!(have(&estate.settle(140, &younger)), ["b 10.0.0.1"]);
}

#[test]
fn what_is_written_by_somebody_else_is_not_taken_back() {
    let mut estate = Estate::default();
    estate.settle(100, &format!("{ONE}vip a: {{poolRef: {{name: p}}}}"));
    estate.settle(110, ONE);
    let both = format!("{ONE}vip a: {{poolRef: {{name: p}}}}\nvip b: {{address: 10.0.0.1}}");
    let settled = estate.settle(120, &both);
    assert!(have(&settled).is_empty());
    assert_eq!(estate.ledger.get(route("10.0.0.1")).unwrap().vip, name("b"));
}

#[test]
fn a_clock_that_was_set_back_delays_by_one_delay_only() {
    let mut estate = Estate::default();
    estate.settle(1_000_000, &format!("{ONE}vip a: {{poolRef: {{name: p}}}}"));
    let younger = format!("{ONE}vip b: {{poolRef: {{name: p}}}}");
    estate.settle(1_000_000, &younger);
    assert_eq!(estate.settle(100, &younger).wake, Some(130));
    assert_eq!(have(&estate.settle(130, &younger)), ["b 10.0.0.1"]);
}

#[test]
fn a_ledger_reads_back_and_a_wrong_one_does_not() {
    let mut estate = Estate::default();
    estate.settle(100, &format!("{ONE}vip a: {{poolRef: {{name: p}}}}"));
    estate.settle(110, ONE);
    let text = serde_json::to_string(&estate.ledger).unwrap();
    assert_eq!(serde_json::from_str::<Ledger>(&text).unwrap(), estate.ledger);

    let line = |address: &str, vip: &str| {
        format!(r#"{{"address":"{address}","vip":"{vip}","pool":"p","allocatedAt":1}}"#)
    };
    let read = |version: u32, lines: &[String]| {
        let text = format!(r#"{{"version":{version},"addresses":[{}]}}"#, lines.join(","));
        serde_json::from_str::<Ledger>(&text).map_err(|error| error.to_string())
    };
    assert!(read(1, &[line("10.0.0.1", "a"), line("2001:db8::1", "a")]).is_ok());
    let rows = [
        (2, vec![], "version 2"),
        (1, vec![line("10.0.0.1", "a"), line("10.0.0.1", "b")], "given out twice"),
        (1, vec![line("10.0.0.1", "a"), line("10.0.0.2", "a")], "two addresses of one family"),
        (1, vec![line("10.0.0.0/24", "a")], "host route"),
        (1, vec![line("10.0.0.1", "A!")], "not a valid name"),
    ];
    for (version, lines, words) in rows {
        let error = read(version, &lines).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
}

//! One settlement of an empty ledger: who gets what, and who waits.

use super::*;

fn first(lines: &str) -> Settled {
    settle(&world(lines), &Ledger::default(), &at(100))
}

#[test]
fn the_oldest_gets_the_lowest() {
    let settled = first(
        "pool p: {cidrs: [10.0.0.0/24, 2001:db8::/64]}
         vip z: {poolRef: {name: p}}
         vip a: {poolRef: {name: p}, addressFamily: dual}
         vip m: {poolRef: {name: p}, addressFamily: ipv6}",
    );
    assert_eq!(have(&settled), ["a 10.0.0.2 2001:db8::1", "m 2001:db8::2", "z 10.0.0.1"]);
    assert!(said(&settled).is_empty(), "{:?}", said(&settled));
    assert_eq!(settled.wake, None);
}

#[test]
fn the_pool_and_the_family_may_come_from_the_template() {
    let settled = first(
        "pool p: {cidrs: [10.0.0.0/24, 2001:db8::/64]}
         template t: {poolRef: {name: p}, addressFamily: dual}
         vip a: {templateRef: {name: t}}
         vip b: {templateRef: {name: t}, address: 10.9.9.9}
         vip c: {templateRef: {name: none}}",
    );
    assert_eq!(have(&settled), ["a 10.0.0.1 2001:db8::1", "b 2001:db8::2"]);
}

/// Ten thousand addresses of a /64: quadratic work would take minutes here.
#[test]
fn a_huge_block_serves_ten_thousand_vips() {
    let mut world =
        world("pool p: {cidrs: ['2001:db8::/64']}\nvip v: {poolRef: {name: p}, addressFamily: ipv6}");
    let vip = world.vips.remove("v").unwrap();
    world.vips = (0..10_000).map(|nth| (name(&format!("v{nth:05}")), vip.clone())).collect();
    let settled = settle(&world, &Ledger::default(), &at(100));
    assert_eq!(settled.allocations.len(), 10_000);
    assert_eq!(settled.allocations["v09999"].iter().collect::<Vec<_>>(), [route("2001:db8::2710")]);
    let again = settle(&world, &settled.ledger, &at(200));
    assert_eq!(again, settled);
    world.vips.remove("v00007");
    let freed = settle(&world, &settled.ledger, &at(300));
    assert_eq!((freed.allocations.len(), freed.wake), (9_999, Some(330)));
}

#[test]
fn what_is_written_reserved_or_held_is_given_to_nobody() {
    let world = world(
        "pool p: {addresses: [10.0.0.1-10.0.0.5]}
         vip auto: {poolRef: {name: p}}
         vip written: {address: 10.0.0.1/32}
         vip unreadable: {address: 10.0.0.2, ipv6Address: nonsense}",
    );
    let outside = Outside {
        reserved: ["10.0.0.3".parse().unwrap()].into(),
        held: [route("10.0.0.4")].into(),
        unheard: false,
        now: 100,
    };
    let settled = settle(&world, &Ledger::default(), &outside);
    assert_eq!(have(&settled), ["auto 10.0.0.5"]);
    let tally = &settled.pools["p"];
    assert_eq!((tally.total, tally.available), (5, 0));
    let given: Vec<_> = tally.given.iter().map(|(route, given)| format!("{} {route}", given.vip)).collect();
    assert_eq!(given, ["written 10.0.0.1/32", "auto 10.0.0.5/32"]);
}

#[test]
fn what_was_released_stays_so_until_all_agents_have_been_heard() {
    let mut world = world("pool p: {addresses: [10.0.0.1], reclaimDelay: 2s}\nvip a: {poolRef: {name: p}}");
    let given = settle(&world, &Ledger::default(), &at(100)).ledger;
    let vip = world.vips.remove("a").unwrap();
    world.vips.insert(name("b"), vip);
    let released = settle(&world, &given, &at(200)).ledger;
    let unheard = settle(&world, &released, &Outside { unheard: true, ..at(300) });
    assert_eq!((have(&unheard), unheard.wake), (vec![], None));
    assert_eq!(have(&settle(&world, &unheard.ledger, &at(300))), ["b 10.0.0.1"]);
}

#[test]
fn nodes_and_peers_are_reserved() {
    let mut world = world(
        "vip a: {address: 10.0.0.1, mode: BGP, bgpConfig: {localAS: 1, peers: [{address: 10.0.0.254, as: 2}]}}
         template t: {bgpConfig: {localAS: 1, peers: [{address: '2001:db8::fe', as: 2}]}}",
    );
    let node = serde_json::json!({"status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.11"}, {"type": "Hostname", "address": "n1"}]}});
    world.nodes.insert(name("n1"), serde_json::from_value(node).unwrap());
    let reserved: Vec<_> = reserved(&world).iter().map(ToString::to_string).collect();
    assert_eq!(reserved, ["10.0.0.11", "10.0.0.254", "2001:db8::fe"]);
}

#[test]
fn both_families_or_none_and_nobody_overtakes() {
    let settled = first(
        "pool p: {addresses: [10.0.0.1, 10.0.0.2]}
         vip dual: {poolRef: {name: p}, addressFamily: dual}
         vip second: {poolRef: {name: p}}
         vip third: {poolRef: {name: p}}",
    );
    assert_eq!(have(&settled), ["second 10.0.0.2"]);
    assert_eq!(
        said(&settled),
        ["ProxyVIP dual: spec.poolRef: PoolExhausted", "ProxyVIP third: spec.poolRef: PoolExhausted"]
    );
    let message = message(&settled, "ProxyVIP dual");
    assert!(message.contains("none of its 0 IPv6 addresses is free"), "{message}");
    assert!(message.contains("add addresses to the pool"), "{message}");
}

#[test]
fn an_exhausted_pool_says_how_many_wait() {
    let settled = first(
        "pool p: {addresses: [10.0.0.1]}
         vip a: {poolRef: {name: p}}
         vip b: {poolRef: {name: p}}
         vip c: {poolRef: {name: p}}",
    );
    assert!(message(&settled, "ProxyVIP b").contains("0 older VIPs wait"), "{settled:?}");
    assert!(message(&settled, "ProxyVIP c").contains("1 older VIPs wait"), "{settled:?}");
    assert!(message(&settled, "ProxyVIP c").contains("none of its 1 IPv4 addresses"), "{settled:?}");
}

#[test]
fn without_auto_assign_an_address_is_given_by_value_only() {
    let settled = first(
        "pool p: {cidrs: [10.0.0.0/24], autoAssign: false}
         vip asks: {poolRef: {name: p}, address: 10.0.0.9}
         vip hopes: {poolRef: {name: p}}",
    );
    assert!(have(&settled).is_empty());
    assert_eq!(said(&settled), ["ProxyVIP hopes: spec.address: Missing"]);
    assert_eq!(settled.pools["p"].given[0].1.vip, name("asks"));
    assert_eq!(settled.pools["p"].available, 253);
}

#[test]
fn a_pool_that_does_not_exist_is_named() {
    let settled = first("vip a: {poolRef: {name: Nowhere}}");
    assert_eq!(said(&settled), ["ProxyVIP a: spec.poolRef.name: RefNotFound"]);
    assert!(message(&settled, "ProxyVIP a").contains("there is no ProxyIPPool Nowhere"));
}

#[test]
fn an_address_of_two_pools_is_given_once() {
    let settled = first(
        "pool p: {addresses: [10.0.0.1-10.0.0.2]}
         pool q: {addresses: [10.0.0.2-10.0.0.3]}
         pool r: {addresses: [10.0.0.9]}
         vip a: {poolRef: {name: p}}
         vip b: {poolRef: {name: p}}
         vip c: {poolRef: {name: q}}",
    );
    assert_eq!(have(&settled), ["a 10.0.0.1", "b 10.0.0.2", "c 10.0.0.3"]);
    assert_eq!(said(&settled), ["ProxyIPPool p: spec: Overlaps", "ProxyIPPool q: spec: Overlaps"]);
    assert!(message(&settled, "ProxyIPPool p").contains("q (10.0.0.2)"), "{settled:?}");
    assert_eq!(settled.pools["q"].available, 0);
    assert_eq!(settled.pools["r"].available, 1);
}

#[test]
fn the_status_counts_and_saturates() {
    let settled = first(
        "pool p: {cidrs: [10.0.0.0/24, '2001:db8::/32', bad]}
         pool q: {addresses: [bad]}
         vip a: {poolRef: {name: p}}",
    );
    assert_eq!(
        said(&settled),
        ["ProxyIPPool p: spec.cidrs[2]: InvalidValue", "ProxyIPPool q: spec.addresses[0]: InvalidValue"]
    );
    let statuses = settled.statuses();
    let status = &statuses["p"];
    assert_eq!((status.total, status.allocated, status.available), (i64::MAX, 1, i64::MAX));
    let given = &status.allocations[0];
    assert_eq!((given.address.as_str(), given.vip_ref.as_str()), ("10.0.0.1", "a"));
    assert_eq!(given.allocated_at.0.as_second(), 100);
    assert_eq!((statuses["q"].total, statuses["q"].available), (0, 0));
}

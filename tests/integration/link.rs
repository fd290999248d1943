//! `l2` against the real kernel: what is held, what the kernel lets go of, what is left alone.

use crate::inside::inside;
use novaedge::l2::{self, Link, Netlink, identity};
use novaedge::model::name::Name;
use novaedge::model::net::HostRoute;
use novaedge::model::observed::Held;
use novaedge::plan::LinkPlan;
use novaedge_lab::eventually::{eventually, eventually_async};
use novaedge_lab::netns::Netns;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

const LIFETIME: Duration = Duration::from_secs(3);

fn plan(addresses: &[&str]) -> LinkPlan {
    lasting(LIFETIME, addresses)
}

fn lasting(lifetime: Duration, addresses: &[&str]) -> LinkPlan {
    LinkPlan { addresses: addresses.iter().map(|text| HostRoute::parse(text).unwrap()).collect(), lifetime }
}

fn hold(netns: &Netns, plan: &LinkPlan) -> Held {
    inside(netns, async || Netlink::new().hold(plan).await.unwrap())
}

/// What `ip address show dev lo` says, in one string.
fn lo(netns: &Netns) -> String {
    netns.ip("-oneline address show dev lo").unwrap()
}

#[test]
fn both_families_are_held_for_a_while_and_never_chosen_as_a_source() {
    let netns = Netns::create("link-both").unwrap();
    let asked = plan(&["10.9.9.8", "2001:db8:ffff::8"]);
    assert_eq!(hold(&netns, &asked), Held { addresses: asked.addresses.clone(), ..Held::default() });
    let said = lo(&netns);
    for mine in ["inet 10.9.9.8/32 scope host deprecated dynamic", "inet6 2001:db8:ffff::8/128"] {
        assert!(said.contains(mine), "{mine}: {said}");
    }

    // An uplink without addresses of its own: Linux looks for a source on lo then, and would find the VIP
    // first, and the IPv6 one nearer to where the packet goes.
    let uplink = "link add eth0 type veth peer name far
        link set eth0 up
        link set far up
        address add 10.9.9.9/32 dev lo
        address add 2001:db8::9/128 dev lo
        route add default dev eth0
        route add default via fe80::1 dev eth0 onlink";
    netns.ip_batch(uplink).unwrap();
    let route = netns.ip("route get 192.0.2.1").unwrap();
    assert!(route.contains("src 10.9.9.9"), "{route}");
    let route = netns.ip("route get 2001:db8:ffff::1").unwrap();
    assert!(route.contains("src 2001:db8::9"), "{route}");
}

#[test]
fn a_plan_replaces_the_one_before_and_sweeps_what_an_earlier_run_left() {
    let netns = Netns::create("link-sweep").unwrap();
    hold(&netns, &plan(&["10.200.0.1", "10.200.0.2", "2001:db8::1", "2001:db8::2"]));
    let asked = plan(&["10.200.0.2", "2001:db8::2", "2001:db8::3"]);
    assert_eq!(hold(&netns, &asked).addresses, asked.addresses);
    let said = lo(&netns);
    assert!(!said.contains("10.200.0.1/32") && !said.contains("2001:db8::1/128"), "{said}");
    assert_eq!(hold(&netns, &plan(&[])), Held::default());
}

#[test]
fn an_operators_addresses_are_never_touched() {
    let netns = Netns::create("link-foreign").unwrap();
    netns.ip("link add eth0 type veth peer name far").unwrap();
    netns.ip("link set eth0 up").unwrap();
    netns.ip("address add 10.200.0.7/32 dev lo").unwrap();
    netns.ip("address add 10.200.0.8/24 dev eth0").unwrap();
    netns.ip("address add 2001:db8::8/64 dev eth0 nodad").unwrap();
    let before = netns.ip("-oneline address show").unwrap();

    let held = hold(&netns, &plan(&["10.200.0.7", "10.200.0.8", "2001:db8::8", "10.200.0.9"]));
    assert_eq!(held.addresses, plan(&["10.200.0.9"]).addresses, "one refusal stops no other");
    let words: Vec<&String> = held.refused.values().collect();
    assert!(words[0].contains("ip address del 10.200.0.7/32 dev lo"), "{words:?}");
    assert!(words[1].contains("ip address del 10.200.0.8/24 dev eth0"), "{words:?}");
    assert!(words[2].contains("ip address del 2001:db8::8/64 dev eth0"), "{words:?}");
    hold(&netns, &plan(&[]));
    assert_eq!(netns.ip("-oneline address show").unwrap(), before);
}

#[test]
fn what_the_kernel_refuses_is_told_in_its_words_and_stops_nothing_else() {
    let netns = Netns::create("link-refused").unwrap();
    netns.sysctl(&[("ipv6.conf.lo.disable_ipv6", "1")]).unwrap();
    let held = hold(&netns, &plan(&["10.200.0.9", "2001:db8::8"]));
    assert_eq!(held.addresses, plan(&["10.200.0.9"]).addresses);
    let words = held.refused.values().next().unwrap();
    assert!(words.contains("IPv6 must not be disabled on lo"), "{words}");
}

#[test]
fn each_plan_is_a_refresh_and_without_plans_the_kernel_lets_go() {
    let _alone = crate::WORLD.lock().unwrap_or_else(PoisonError::into_inner);
    let netns = Netns::create("link-expiry").unwrap();
    let lifetime = Duration::from_secs(2);
    let asked = Arc::new(lasting(lifetime, &["10.200.0.20", "2001:db8::50"]));
    inside(&netns, async || {
        let (plans, plan) = watch::channel(Arc::new(lasting(lifetime, &[])));
        let (seen, mut held) = watch::channel(Held::default());
        let driver = tokio::spawn(l2::drive(Netlink::new(), plan, seen));
        let mut looking = Netlink::new();

        // Two lifetimes of a loop that works: never a moment without the addresses.
        plans.send(Arc::clone(&asked)).unwrap();
        held.wait_for(|held| held.addresses == asked.addresses).await.unwrap();
        let mut beat = tokio::time::interval(Duration::from_millis(50));
        let started = Instant::now();
        while started.elapsed() < 2 * lifetime {
            beat.tick().await;
            assert_eq!(looking.held().await.unwrap().addresses, asked.addresses);
            plans.send(Arc::clone(&asked)).unwrap();
        }

        // The loop hangs. The driver lives, and lets go; it tells that too.
        let hung = Instant::now();
        eventually_async("the addresses expire", lifetime + Duration::from_secs(2), async || {
            let left = looking.held().await.unwrap().addresses;
            if left.is_empty() { Ok(()) } else { Err(format!("{left:?} are still held")) }
        })
        .await
        .unwrap();
        assert!(hung.elapsed() >= lifetime / 2, "the kernel keeps them for their lifetime");
        held.wait_for(|held| held.addresses.is_empty()).await.unwrap();

        // It works again.
        plans.send(Arc::clone(&asked)).unwrap();
        held.wait_for(|held| held.addresses == asked.addresses).await.unwrap();
        drop(plans);
        driver.await.unwrap();
    });
    // The driver is gone, as after kill -9: nobody of ours removes anything.
    eventually("the addresses expire", lifetime + Duration::from_secs(2), || {
        let said = lo(&netns);
        if said.contains("10.200.0.20") || said.contains("2001:db8::50") { Err(said) } else { Ok(()) }
    })
    .unwrap();
}

#[test]
fn a_thousand_addresses_refresh_in_a_small_part_of_their_lifetime() {
    let _alone = crate::WORLD.lock().unwrap_or_else(PoisonError::into_inner);
    let netns = Netns::create("link-thousand").unwrap();
    let address = |n: u16| match n % 2 {
        0 => format!("10.200.{}.{}", n / 200, n % 200 + 1),
        _ => format!("2001:db8::{n:x}"),
    };
    let all: Vec<String> = (0..1000).map(address).collect();
    let asked = plan(&all.iter().map(String::as_str).collect::<Vec<_>>());
    inside(&netns, async || {
        let mut link = Netlink::new();
        let started = Instant::now();
        let held = link.hold(&asked).await.unwrap();
        assert_eq!(held, Held { addresses: asked.addresses.clone(), ..Held::default() });
        eprintln!("1000 addresses added in {:?}", started.elapsed());
        let started = Instant::now();
        assert_eq!(link.hold(&asked).await.unwrap().addresses.len(), 1000);
        eprintln!("1000 addresses refreshed in {:?}", started.elapsed());
        assert!(started.elapsed() < LIFETIME / 6, "the agent's loop refreshes twice a second");
        let none = LinkPlan { addresses: BTreeSet::new(), lifetime: LIFETIME };
        assert_eq!(link.hold(&none).await.unwrap(), Held::default());
    });
}

#[test]
fn the_router_id_is_the_nodes_own_address_whatever_vips_it_holds() {
    let netns = Netns::create("link-identity").unwrap();
    let node = Name::parse("n1").unwrap();
    let id = || inside(&netns, async || identity::router_id(&node).await);
    hold(&netns, &plan(&["10.0.0.1"]));
    let from_name = id();
    assert!(from_name != Ipv4Addr::new(10, 0, 0, 1) && !from_name.is_loopback());
    netns.ip("link add eth0 type veth peer name far").unwrap();
    netns.ip("link set eth0 up").unwrap();
    netns.ip("address add 10.1.0.12/24 dev eth0").unwrap();
    netns.ip("address add 10.1.0.11/24 dev eth0").unwrap();
    assert_eq!(id(), Ipv4Addr::new(10, 1, 0, 11), "the lowest, without a default route");
    netns.ip("route add default via 10.1.0.1").unwrap();
    assert_eq!(id(), Ipv4Addr::new(10, 1, 0, 12), "the primary one of the default route's interface");
}

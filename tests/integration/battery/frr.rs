//! FRR under the battery, and what is FRR's alone.

use super::battery;
use super::fixture::Fixture;
use super::plans::{Plan, TOR, bfd, password, peer};
use super::world::{SOON, World};
use novaedge::model::bgp::{Peer, Timers};
use novaedge::routing::ApplyError;
use novaedge::routing::frr::{Frr, Options};
use novaedge_lab::fib::{Change, Event};
use novaedge_lab::{Node, eventually};
use std::num::NonZeroU8;
use std::time::{Duration, Instant};

const VIP: &str = "10.200.0.20/32";

pub struct OfFrr;

battery! { OfFrr:
    routes {
        both_families_come_and_go
        an_equal_plan_disturbs_nothing
        a_change_of_attributes_arrives_without_a_reset
        each_peer_gets_its_own_prefixes
        an_expired_address_is_withdrawn
    }
    attributes {
        an_external_peer_sees_all_but_local_preference
        an_internal_peer_sees_all_but_prepending
        every_community_with_a_name_goes_in
    }
    sessions {
        passwords_must_match
        timers_are_the_ones_given
        hops_are_limited_and_allowed
        a_peer_may_use_another_port
        bfd_watches_the_peer
    }
    operator {
        the_operators_lines_stay
        the_operators_prefix_is_refused_alone
        the_operators_session_is_not_taken_over
        without_peers_our_prefixes_use_the_operators_sessions
    }
    faults {
        a_restart_is_noticed_and_healed
        a_frozen_daemon_is_told_from_a_working_one
        the_loop_follows_the_newest_plan
    }
    scale { a_thousand_prefixes_share_one_session }
}

impl Fixture for OfFrr {
    type Driver = Frr;
    const NAME: &'static str = "frr";
    const PROCESSES: &'static [&'static str] = &["bgpd", "bfdd", "zebra", "staticd"];

    fn driver(node: &Node) -> Frr {
        Frr::new(Options { vty_dir: node.vty_dir(), startup_config: None })
    }

    fn crash(node: &Node, process: &str) {
        node.frr().daemon(process).restart().unwrap();
        node.frr().wait_for(process).unwrap();
    }

    fn freeze(node: &Node, frozen: bool) {
        let bgpd = node.frr().daemon("bgpd");
        if frozen { bgpd.stop() } else { bgpd.cont() }
    }

    fn operate(node: &Node) {
        let lines = [
            "ip prefix-list OPERATOR permit 10.99.0.0/16 le 32",
            "route-map OPERATOR permit 10",
            "match ip address prefix-list OPERATOR",
            "exit",
            "router bgp 64501",
            "bgp router-id 10.0.0.11",
            "timers bgp 10 30",
            "neighbor SPINES peer-group",
            "neighbor 10.0.0.77 remote-as 64777",
            "neighbor 10.0.0.77 description a spine",
            "address-family ipv4 unicast",
            "network 10.99.0.0/24",
            "network 10.200.0.99/32",
            "neighbor 10.0.0.77 route-map OPERATOR out",
            "redistribute static",
        ];
        node.frr().configure("bgpd", &lines).unwrap();
        let profile = ["bfd", "profile spine", "transmit-interval 500", "exit", "peer 10.0.0.77", "exit"];
        node.frr().configure("bfdd", &profile).unwrap();
    }

    fn peer_with_the_tor(node: &Node) {
        let lines = [
            "no bgp ebgp-requires-policy",
            "neighbor 10.0.0.254 remote-as 64500",
            "neighbor 10.0.0.254 timers connect 1",
        ];
        let lines = ["router bgp 64501"].into_iter().chain(lines);
        node.frr().configure("bgpd", &lines.collect::<Vec<_>>()).unwrap();
    }

    fn operators_lines(node: &Node) -> Vec<String> {
        running(node).into_iter().filter(|line| !is_ours(line)).collect()
    }

    fn our_lines(node: &Node) -> Vec<String> {
        running(node).into_iter().filter(|line| is_ours(line)).collect()
    }
}

/// Names of ours, and the ToR's session unless the operator made it: by the mark on its own line.
fn is_ours(line: &str) -> bool {
    line.contains("NOVAEDGE") || line.contains("novaedge") || line.starts_with("ours ")
}

/// Both daemons' configuration, without the frame that sections leave behind.
fn running(node: &Node) -> Vec<String> {
    let mut lines = Vec::new();
    for daemon in ["bgpd", "bfdd"] {
        let text = node.frr().ask(daemon, "show running-config").unwrap_or_default();
        let marked: Vec<String> = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("neighbor ")?.strip_suffix(" description novaedge"))
            .map(|peer| format!("neighbor {peer} "))
            .collect();
        let mut ours = false;
        for line in text.lines().map(str::trim) {
            match line {
                "" | "!" => continue,
                "exit" | "exit-address-family" => {
                    ours = false;
                    continue;
                }
                _ if line.starts_with("address-family") => continue,
                _ => {}
            }
            ours |= line.starts_with("route-map NOVAEDGE-") || line.starts_with("profile NOVAEDGE-");
            let mine = ours || marked.iter().any(|peer| line.starts_with(peer));
            lines.push(if mine { format!("ours {line}") } else { line.to_owned() });
        }
    }
    lines
}

fn bgpd(world: &World<OfFrr>, lines: &[&str]) {
    world.node().frr().configure("bgpd", lines).unwrap();
}

/// Somebody edits our objects by hand: each edit is gone within a second.
#[test]
fn hand_edits_of_our_objects_heal() {
    let world = World::<OfFrr>::new("edits");
    world.hold(VIP);
    let world = world.driven();
    world.plan(&watched());
    world.routed(VIP);
    let node = world.node();
    let wanted = OfFrr::our_lines(node);
    let class = wanted.iter().find_map(|line| line.strip_prefix("ours route-map NOVAEDGE-C-")).unwrap();
    let class = format!("route-map NOVAEDGE-C-{class}");
    let edits: [(&str, &[&str]); 9] = [
        ("bgpd", &["router bgp 64501", "neighbor 10.0.0.254 timers 5 15"]),
        ("bgpd", &["router bgp 64501", "neighbor 10.0.0.254 description mine"]),
        ("bgpd", &["router bgp 64501", "no neighbor 10.0.0.254"]),
        ("bgpd", &["router bgp 64501", "address-family ipv4 unicast", "no network 10.200.0.20/32"]),
        ("bgpd", &["router bgp 64501", "address-family ipv4 unicast", "no neighbor 10.0.0.254 activate"]),
        ("bgpd", &["router bgp 64501", "no bgp network import-check", "bgp router-id 9.9.9.9"]),
        ("bgpd", &[&class, "set metric 7", "set tag 5"]),
        ("bgpd", &["no route-map NOVAEDGE-IN", "route-map NOVAEDGE-IN permit 20"]),
        ("bfdd", &["bfd", "profile NOVAEDGE-100-100-x3", "transmit-interval 700", "passive-mode"]),
    ];
    for (daemon, lines) in edits {
        node.frr().configure(daemon, lines).unwrap();
        eventually(&format!("{lines:?} healed"), Duration::from_secs(1), || {
            let found = OfFrr::our_lines(node);
            if same(&found, &wanted) { Ok(()) } else { Err(format!("{found:#?}")) }
        })
        .unwrap();
    }
}

/// bgpd refuses a line of a neighbour: nothing of that neighbour stays, everything else goes in.
#[test]
fn half_a_neighbour_is_taken_back() {
    let mut world = World::<OfFrr>::new("half");
    world.hold(VIP);
    // `ebgp-multihop` and `ttl-security` exclude each other, and bgpd says so at the second of them.
    let address = "10.0.0.66".parse().unwrap();
    let hops = NonZeroU8::new(2);
    let impossible = Peer { multihop: hops, ttl_security: hops, ..peer(address, 64666) };
    let plan = Plan::to_the_tor().with_peer(impossible).announcing(VIP);
    let error = world.try_apply(&plan).unwrap_err();
    assert!(matches!(&error, ApplyError::Refused { line, .. } if line.contains("ttl-security")), "{error}");
    world.routed(VIP);
    let left: Vec<_> = OfFrr::our_lines(world.node())
        .into_iter()
        .filter(|line| line.contains("neighbor 10.0.0.66"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
    let began = world.session();
    world.try_apply(&plan).unwrap_err();
    assert!(world.session().is_still(began));
    world.apply(&Plan::to_the_tor().announcing(VIP));
    assert!(world.session().is_still(began));
}

/// A refused change of a working neighbour leaves it working as it was.
#[test]
fn a_refused_change_restores_what_was_there() {
    let mut world = World::<OfFrr>::new("restore");
    world.hold(VIP);
    let plan = Plan::to_the_tor().announcing(VIP);
    world.apply(&plan);
    world.routed(VIP);
    let (before, began) = (OfFrr::our_lines(world.node()), world.session());
    let hops = NonZeroU8::new(2);
    let timers = Timers { hold_seconds: 30, keepalive_seconds: 10 };
    let impossible =
        Peer { timers, source: Some(TOR), multihop: hops, ttl_security: hops, ..peer(TOR, 64500) };
    let error = world.try_apply(&Plan::speaker().with_peer(impossible).announcing(VIP)).unwrap_err();
    assert!(matches!(error, ApplyError::Refused { .. }), "{error}");
    assert!(same(&OfFrr::our_lines(world.node()), &before));
    world.established();
    world.apply(&plan);
    world.routed(VIP);
    let _ = began;
}

/// No secret in what a refusal says.
#[test]
fn a_refusal_does_not_tell_the_password() {
    let mut world = World::<OfFrr>::new("secret");
    OfFrr::operate(world.node());
    let peer = Peer { password: password("hunter2"), ..peer("10.0.0.1".parse().unwrap(), 64666) };
    let error = world.try_apply(&Plan::speaker().with_peer(peer)).unwrap_err();
    assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
}

/// bgpd dies and comes back with the file that we keep for it: the ToR never loses the route, because of
/// graceful restart, and nobody has to talk to bgpd for it.
#[test]
fn the_startup_file_brings_everything_back() {
    let mut world = World::<OfFrr>::new("startup");
    world.hold(VIP);
    let config = world.node().frr().config_dir().join("bgpd.conf");
    std::fs::write(&config, "").unwrap();
    let options = Options { vty_dir: world.node().vty_dir(), startup_config: Some(config.clone()) };
    let plan = Plan::to_the_tor().restarting_gracefully(30).announcing(VIP);
    world.with_driver(Frr::new(options)).apply(&plan);
    world.routed(VIP);
    let started = Instant::now();
    let before = OfFrr::our_lines(world.node());
    let begun = world.session().begun;
    OfFrr::crash(world.node(), "bgpd");
    let read = OfFrr::our_lines(world.node());
    assert!(same(&read, &before), "nobody has talked to bgpd yet: {read:#?} instead of {before:#?}");
    eventually("a new session", SOON, || if world.session().begun > begun { Ok(()) } else { Err("none") })
        .unwrap();
    world.sees("the prefix sent again", |seen| seen.peers[&TOR].prefixes_sent == 1);
    let lost = |event: &Event| matches!(event.change, Change::Remove(..));
    assert!(!world.fib.events(started).iter().any(lost), "the ToR lost the route");
    assert_eq!(world.observe().trouble, None);

    std::fs::write(&config, "log syslog\n").unwrap();
    assert_eq!(world.try_apply(&plan).unwrap().changes, 0);
    assert!(world.observe().trouble.unwrap().contains("is the operator's"));
    assert_eq!(std::fs::read_to_string(&config).unwrap(), "log syslog\n");
}

/// The operator switched the check off that takes a dead agent's prefixes away: we say so.
#[test]
fn an_instance_that_announces_what_the_kernel_lacks_is_reported() {
    let mut world = World::<OfFrr>::new("unchecked");
    OfFrr::operate(world.node());
    bgpd(&world, &["router bgp 64501", "no bgp network import-check"]);
    world.try_apply(&Plan::to_the_tor()).unwrap();
    assert!(world.observe().trouble.unwrap().contains("import-check"));
}

/// bgpd runs another AS for the operator, and can run only one.
#[test]
fn another_as_in_bgpd_is_said_and_left_alone() {
    let mut world = World::<OfFrr>::new("other-as");
    OfFrr::operate(world.node());
    let before = OfFrr::operators_lines(world.node());
    let plan = Plan::speaker_of(64999).with_peer(peer(TOR, 64500)).announcing(VIP);
    let error = world.try_apply(&plan).unwrap_err();
    assert!(error.to_string().contains("AS 64501"), "{error}");
    assert_eq!(OfFrr::operators_lines(world.node()), before);
}

/// Our own AS changes: the old instance goes, the new one comes.
#[test]
fn our_own_as_can_change() {
    let mut world = World::<OfFrr>::new("own-as");
    world.hold(VIP);
    world.apply(&Plan::speaker_of(64510).with_peer(peer(TOR, 64500)).announcing(VIP));
    world.apply(&Plan::to_the_tor().announcing(VIP));
    world.routed(VIP);
}

fn watched() -> Plan {
    Plan::speaker().with_peer(Peer { bfd: Some(bfd(false)), ..peer(TOR, 64500) }).announcing(VIP)
}

/// bgpd prints its objects in the order in which they came.
fn same(one: &[String], other: &[String]) -> bool {
    let sorted = |lines: &[String]| {
        let mut lines = lines.to_vec();
        lines.sort();
        lines
    };
    sorted(one) == sorted(other)
}

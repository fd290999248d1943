//! What is FRR's alone: hand edits, halves taken back, the file it starts from.

use super::fixture::Fixture;
use super::frr::OfFrr;
use super::plans::{Plan, TOR, bfd, password, peer};
use super::world::{SOON, World};
use novaedge::model::bgp::{Peer, Timers};
use novaedge::routing::ApplyError;
use novaedge::routing::frr::{Frr, Options};
use novaedge_lab::eventually;
use novaedge_lab::fib::{Change, Event};
use std::num::NonZeroU8;
use std::time::{Duration, Instant};

const VIP: &str = "10.200.0.20/32";

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
    let before = OfFrr::our_lines(world.node());
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

/// As FRR's own start script does it: one file for all daemons, read by vtysh.
#[test]
fn the_startup_file_is_for_all_daemons() {
    let mut world = World::<OfFrr>::new("vtysh");
    world.hold(VIP);
    let path = world.node().dir().join("frr.conf");
    let options = Options { vty_dir: world.node().vty_dir(), startup_config: Some(path.clone()) };
    world.with_driver(Frr::new(options)).apply(&watched());
    let before = OfFrr::our_lines(world.node());
    for daemon in ["bgpd", "bfdd"] {
        OfFrr::crash(world.node(), daemon);
    }
    assert!(OfFrr::our_lines(world.node()).is_empty());
    let file = path.to_str().unwrap();
    world.node().netns().exec("vtysh", &["-N", world.node().netns().name(), "-f", file]).unwrap();
    let read = OfFrr::our_lines(world.node());
    assert!(same(&read, &before), "{read:#?} instead of {before:#?}");
    assert_eq!(world.try_apply(&watched()).unwrap().changes, 0);
}

/// What a person reads in the golden files, FRR reads too.
#[test]
fn vtysh_accepts_the_golden_files() {
    for name in ["usual", "everything", "attached", "nothing"] {
        let path = format!("{}/tests/integration/golden/frr/{name}.conf", env!("CARGO_MANIFEST_DIR"));
        let checked = std::process::Command::new("vtysh").args(["-C", "-f", &path]).output().unwrap();
        assert!(checked.status.success(), "{name}: {}", String::from_utf8_lossy(&checked.stdout));
    }
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

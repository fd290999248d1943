//! What is GoBGP's alone.

use super::fixture::Fixture;
use super::gobgp::OfGobgp;
use super::plans::{Plan, TOR, attributes, peer, route};
use super::world::{SOON, World};
use novaedge::model::bgp::{Community, Peer, Timers};
use novaedge::model::name::Name;
use novaedge::model::observed::PeerState;
use novaedge::routing::gobgp::{Endpoint, Gobgp, GuardOptions, Options, Tls};
use novaedge::routing::{ApplyError, Daemon};
use novaedge::wire::certificates::{Wanted, issue};
use novaedge_lab::eventually;
use novaedge_lab::fib::{Change, Event};
use novaedge_lab::gobgp::Version;
use std::process::{Command, Stdio};
use std::sync::PoisonError;
use std::time::{Duration, Instant, SystemTime};

const VIP: &str = "10.200.0.20/32";

/// gobgpd dies and comes back with nothing: the loop gives it everything again, and the ToR never loses the route,
/// because of graceful restart.
fn a_restart_loses_nothing<const MAJOR: u8>() {
    let world = World::<OfGobgp<MAJOR>>::new("graceful");
    world.hold(VIP);
    let begun = |world: &super::world::Remains| {
        let peers = world.lab.tor().ask_json("bgpd", "show bgp neighbors 10.0.0.1 json").unwrap();
        peers["10.0.0.1"]["connectionsEstablished"].as_u64().unwrap()
    };
    let driven = world.driven();
    driven.plan(&Plan::to_the_tor().restarting_gracefully(30).announcing(VIP));
    driven.routed(VIP);
    let before = begun(&driven.world);
    let started = Instant::now();
    OfGobgp::<MAJOR>::crash(driven.node(), "gobgpd");
    eventually("a new session", SOON, || if begun(&driven.world) > before { Ok(()) } else { Err("none") })
        .unwrap();
    driven.sees("the prefix sent again", |seen| {
        seen.peers
            .get(&TOR)
            .is_some_and(|peer| peer.state == PeerState::Established && peer.prefixes_sent == 1)
    });
    let table = || driven.world.lab.tor().ask_json("bgpd", "show bgp ipv4 unicast json").unwrap();
    eventually("the path is no stale one any more", SOON, || {
        let table = table();
        let path = &table["routes"][VIP][0];
        if path["valid"] == true && path["stale"] != true { Ok(()) } else { Err(table.to_string()) }
    })
    .unwrap();
    let lost = |event: &Event| matches!(event.change, Change::Remove(..));
    let events = driven.world.fib.events(started);
    assert!(!events.iter().any(lost), "the ToR lost the route: {events:?}");
}

#[test]
fn a_restarted_gobgpd_3_loses_nothing() {
    a_restart_loses_nothing::<3>();
}

#[test]
fn a_restarted_gobgpd_4_loses_nothing() {
    a_restart_loses_nothing::<4>();
}

/// Hold time and keepalive are taken over without a reset.
#[test]
fn timers_change_under_a_running_session() {
    let mut world = World::<OfGobgp<3>>::new("retime");
    world.hold(VIP);
    world.apply(&Plan::to_the_tor().announcing(VIP));
    world.routed(VIP);
    let before = world.session();
    let timers = Timers { hold_seconds: 30, keepalive_seconds: 10 };
    world.apply(&Plan::speaker().with_peer(Peer { timers, ..peer(TOR, 64500) }).announcing(VIP));
    assert!(world.session().is_still(before));
}

/// BGP that is ours speaks for whichever AS is asked for; the operator's is left alone.
fn another_as<const MAJOR: u8>() {
    let mut world = World::<OfGobgp<MAJOR>>::of("another-as", |lab| lab.as_numbers(64500, 64500));
    world.hold(VIP);
    world.apply(&Plan::to_the_tor().announcing(VIP));
    world.apply(&Plan::speaker_of(64500).with_peer(peer(TOR, 64500)).announcing(VIP));
    world.routed(VIP);
    world.apply(&Plan(Default::default()));

    world.node().gobgp().ask(&["neighbor", "add", "10.0.0.77", "as", "64777"]).unwrap();
    let plan = Plan::speaker_of(64500).with_peer(peer(TOR, 64500)).announcing(VIP);
    let error = world.try_apply(&plan).unwrap_err();
    assert!(
        matches!(&error, ApplyError::Refused { answer, .. } if answer.contains("localAS 64501")),
        "{error}"
    );
    assert_eq!(OfGobgp::<MAJOR>::our_lines(world.node()), Vec::<String>::new());
}

#[test]
fn an_instance_of_ours_3_changes_its_as() {
    another_as::<3>();
}

#[test]
fn an_instance_of_ours_4_changes_its_as() {
    another_as::<4>();
}

/// What somebody has done to our objects is undone.
#[test]
fn hand_edits_of_ours_are_healed() {
    let mut world = World::<OfGobgp<3>>::new("edits");
    world.hold(VIP);
    let plan = Plan::to_the_tor().announcing_with(VIP, attributes(&["64501:100"]));
    world.apply(&plan);
    world.routed(VIP);
    let gobgp = |world: &World<OfGobgp<3>>, words: &str| {
        world.node().gobgp().ask(&words.split(' ').collect::<Vec<_>>()).unwrap()
    };
    let policy = |world: &World<OfGobgp<3>>| {
        let assigned = world.node().gobgp().ask_json(&["global", "policy", "export"]).unwrap();
        assigned["policies"][0]["name"].as_str().unwrap().to_owned()
    };
    for edit in 0..4 {
        match edit {
            0 => drop(gobgp(&world, "global rib del 10.200.0.20/32 identifier 1852798561")),
            1 => drop(gobgp(&world, &format!("global policy export del {}", policy(&world)))),
            2 => drop(gobgp(&world, "neighbor del 10.0.0.254")),
            _ => {
                let set = policy(&world).replace("-export", "-peers");
                gobgp(&world, &format!("policy neighbor add {set} 10.0.0.99"));
            }
        }
        assert!(world.try_apply(&plan).unwrap().changes > 0, "edit {edit}");
        assert_eq!(world.try_apply(&plan).unwrap().changes, 0, "edit {edit}");
        world.path_has(VIP, &[("/community/string", serde_json::json!("64501:100"))]);
    }
}

/// A community that would be taken for our own mark is refused, alone.
#[test]
fn the_mark_is_nobodys_community() {
    let mut world = World::<OfGobgp<3>>::new("mark");
    let other = "10.200.0.21/32";
    world.hold(VIP);
    world.hold(other);
    let mark = Community::Large(u32::MAX, u32::from_be_bytes(*b"nova"), 1).to_string();
    let plan = Plan::to_the_tor().announcing_with(VIP, attributes(&[&mark])).announcing(other);
    let applied = world.try_apply(&plan).unwrap();
    assert!(applied.refused[&route(VIP)].contains(&mark), "{:?}", applied.refused);
    world.routed(other);
}

/// Nothing is announced that nobody would withdraw.
#[test]
fn nothing_is_announced_without_a_guard() {
    let mut world = World::<OfGobgp<3>>::new("guard");
    world.hold(VIP);
    let alone = Options {
        endpoint: world.node().gobgp().endpoint().parse().unwrap(),
        bfdd_dir: world.node().vty_dir(),
        guard: GuardOptions { socket: world.node().guard_socket(), command: None },
    };
    let plan = Plan::to_the_tor().announcing(VIP);
    let error = world.with_driver(Gobgp::new(&alone)).try_apply(&plan).unwrap_err();
    assert!(
        matches!(&error, ApplyError::Refused { answer, .. } if answer.contains("novaedge-agent guard")),
        "{error}"
    );
    assert!(!world.observe().announced.contains(&route(VIP)));
    let driver = OfGobgp::<3>::driver(world.node());
    world.with_driver(driver).apply(&plan);
    world.routed(VIP);
}

/// The API over TCP with TLS, also where gobgpd asks for a certificate; one of another authority is not believed.
#[test]
fn the_api_may_be_spoken_over_tls() {
    let _alone = crate::WORLD.lock().unwrap_or_else(PoisonError::into_inner);
    let parent = tempfile::tempdir().unwrap();
    let of = |authority: &str| parent.path().join(authority);
    for authority in ["ours", "theirs"] {
        let wanted = Wanted {
            controller: vec!["127.0.0.1".to_owned()],
            nodes: vec![Name::parse("n1").unwrap()],
            valid_for: Duration::from_secs(3600),
            now: SystemTime::now(),
        };
        issue(&of(authority), &wanted).unwrap();
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut gobgpd = Command::new(Version::V4.program("gobgpd"));
    gobgpd.args(["--pprof-disable", "--tls", "--api-hosts", &format!("127.0.0.1:{port}")]);
    for (option, file) in [
        ("--tls-cert-file", "controller/tls.crt"),
        ("--tls-key-file", "controller/tls.key"),
        ("--tls-client-ca-file", "ca.crt"),
    ] {
        gobgpd.arg(option).arg(of("ours").join(file));
    }
    let mut gobgpd = gobgpd.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let look = |ca: &str, identity: Option<&str>| {
        let identity =
            identity.map(|name| (of(name).join("nodes/n1/tls.crt"), of(name).join("nodes/n1/tls.key")));
        let tls = Some(Tls { ca: of(ca).join("ca.crt"), identity });
        let mut driver = Gobgp::new(&Options {
            endpoint: Endpoint::Tcp { host: "127.0.0.1".to_owned(), port, tls },
            bfdd_dir: parent.path().to_owned(),
            guard: GuardOptions { socket: parent.path().join("guard.sock"), command: None },
        });
        let seen = runtime.block_on(driver.observe());
        seen.map(|seen| seen.daemon.unwrap().version).map_err(|error| error.to_string())
    };
    let seen = eventually("gobgpd answers over TLS", SOON, || look("ours", Some("ours")));
    let strangers = [look("theirs", Some("ours")), look("ours", Some("theirs")), look("ours", None)];
    gobgpd.kill().unwrap();
    gobgpd.wait().unwrap();
    assert_eq!(seen.unwrap(), "4");
    assert!(strangers.iter().all(Result::is_err), "{strangers:?}");
    assert!(strangers[0].as_ref().unwrap_err().contains("invalid peer certificate"), "{strangers:?}");
}

//! What is sent to ospfd, ospf6d and zebra, for what is there.

use super::plans::{ospf, usual};
use crate::model::net::HostRoute;
use crate::model::ospf::{AreaId, AuthKey, Authentication, Version};
use crate::plan::{OspfPlan, RoutingPlan};
use crate::routing::frr::batch::{Batch, redact};
use crate::routing::frr::diff::steps;
use crate::routing::frr::home::Home;
use crate::routing::frr::parse::{Config, Object};
use crate::routing::frr::render::Renderer;
use crate::routing::frr::respect::respect;
use crate::routing::frr::view::ospf::Hosts;
use crate::routing::frr::view::view;

fn config(plan: &RoutingPlan) -> Config {
    Config::parse(&Renderer::new().render(&view(plan)))
}

fn changed(mut plan: RoutingPlan, change: impl FnOnce(&mut OspfPlan)) -> RoutingPlan {
    change(plan.ospf.as_mut().unwrap());
    plan
}

/// What leads from the one to the other, the frame of each session left out.
fn commands(have: &Config, want: &Config) -> Vec<String> {
    let all = Batch::of(&steps(have, want)).commands;
    all.into_iter().filter(|command| !matches!(command.as_str(), "configure terminal" | "end")).collect()
}

#[test]
fn a_prefix_that_comes_goes_or_changes_is_its_own_lines() {
    let (one, two) = (ospf(&[("10.200.0.30", 10)]), ospf(&[("10.200.0.30", 10), ("10.200.0.31", 10)]));
    let (cost, area) = ("ip ospf cost 10 10.200.0.31", "ip ospf area 0.0.0.0 10.200.0.31");
    assert_eq!(commands(&config(&one), &config(&two)), ["interface lo", cost, area]);
    let gone = [format!("no {area}"), format!("no {cost}")];
    assert_eq!(commands(&config(&two), &config(&one))[1..], gone);
    let dearer = ospf(&[("10.200.0.30", 10), ("10.200.0.31", 65535)]);
    assert_eq!(commands(&config(&two), &config(&dearer))[1..], ["ip ospf cost 65535 10.200.0.31"]);
    let (one, two) = (ospf(&[("2001:db8::1", 10)]), ospf(&[("2001:db8::1", 10), ("2001:db8::2", 10)]));
    let line = "ipv6 prefix-list NOVAEDGE-OSPF6 permit 2001:db8::2/128";
    assert_eq!(commands(&config(&one), &config(&two)), [line]);
    assert_eq!(commands(&config(&two), &config(&one)), [format!("no {line}")]);
}

#[test]
fn numbers_of_entries_are_frrs() {
    let plan = ospf(&[("2001:db8::1", 10)]);
    let rendered = Renderer::new().render(&view(&plan));
    let printed = rendered.replace("OSPF6 permit", "OSPF6 seq 5 permit");
    assert_ne!(printed, rendered);
    assert_eq!(steps(&Config::parse(&printed), &config(&plan)), []);
}

#[test]
fn an_interface_leaves_its_area_first_and_enters_it_last() {
    let (have, want) = (config(&ospf(&[])), config(&RoutingPlan::default()));
    let before = |sent: &[String], area: &str, other: &str| {
        let place = |line: &str| {
            sent.iter().position(|sent| sent == line).unwrap_or_else(|| panic!("{line}: {sent:#?}"))
        };
        assert!(place(area) < place(other), "{sent:#?}");
    };
    let (come, go) = (commands(&want, &have), commands(&have, &want));
    before(&go, "no ip ospf area 0.0.0.0", "no ip ospf priority 0");
    before(&go, "no ipv6 ospf6 area 0.0.0.0", "no ipv6 ospf6 advertise prefix-list NOVAEDGE-OSPF6");
    before(&go, "no ip ospf bfd profile NOVAEDGE-100-100-x3", "no ip ospf bfd");
    before(&come, "ip ospf priority 0", "ip ospf area 0.0.0.0");
    before(&come, "ipv6 ospf6 advertise prefix-list NOVAEDGE-OSPF6", "ipv6 ospf6 area 0.0.0.0");
    before(&come, "ip protocol ospf route-map NOVAEDGE-NONE", "router ospf");
}

#[test]
fn a_change_of_the_speaker_is_a_change_of_its_lines() {
    let plain = || ospf(&[]);
    let key = |text: &str| Authentication::Md5(AuthKey::parse(text).unwrap());
    let sent =
        commands(&config(&plain()), &config(&changed(plain(), |plan| plan.authentication = key("new"))));
    assert_eq!(
        sent,
        [
            "interface eth0",
            "no ip ospf message-digest-key 1 md5 s3cret",
            "ip ospf message-digest-key 1 md5 new",
            "end",
            "configure terminal",
            "interface eth0",
            "no ipv6 ospf6 authentication key-id 1 hash-algo md5 key s3cret",
            "ipv6 ospf6 authentication key-id 1 hash-algo md5 key new",
        ]
        .into_iter()
        .filter(|line| !matches!(*line, "end" | "configure terminal"))
        .enumerate()
        // Both are sections of the same name, so the second needs not be entered.
        .filter(|(place, _)| *place != 3)
        .map(|(_, line)| line)
        .collect::<Vec<_>>()
    );
    let area = commands(&config(&plain()), &config(&changed(plain(), |plan| plan.area = AreaId::new(1))));
    assert!(
        area.contains(&"no ip ospf area 0.0.0.0".to_owned())
            && area.contains(&"ip ospf area 0.0.0.1".to_owned())
    );
    let id =
        commands(&config(&plain()), &config(&changed(plain(), |plan| plan.router_id = [10, 0, 0, 9].into())));
    assert!(id.contains(&"no router ospf".to_owned()) && id.contains(&"ospf router-id 10.0.0.9".to_owned()));
    let graceless = changed(plain(), |plan| plan.graceful_restart = false);
    let sent = commands(&config(&plain()), &config(&graceless));
    assert_eq!(sent, ["router ospf", "no graceful-restart", "router ospf6", "no graceful-restart"]);
}

#[test]
fn secrets_are_not_told() {
    for line in [
        "ip ospf authentication-key hush",
        "ip ospf message-digest-key 1 md5 hush",
        "ipv6 ospf6 authentication key-id 1 hash-algo md5 key hush",
    ] {
        assert!(!redact(line).contains("hush"), "{line}");
    }
}

#[test]
fn ospfv3_has_one_cost_and_who_leaves_alone_is_withdrawn() {
    let hosts = |routes: &[(&str, u16)]| Hosts::of(ospf(routes).ospf.as_ref().unwrap());
    let (a, b) = ("2001:db8::1", "2001:db8::2");
    let table = [
        (10, 10, Some(10), 2, 0),
        (10, 20, Some(10), 1, 1),
        (10, u16::MAX, Some(10), 1, 0),
        (u16::MAX, u16::MAX, Some(u16::MAX), 2, 0),
    ];
    for (first, second, cost, out, refused) in table {
        let found = hosts(&[(a, first), (b, second), ("10.200.0.1", 5)]);
        assert_eq!(found.cost.map(|cost| cost.get()), cost, "{first} {second}");
        assert_eq!((found.routes.len(), found.refused.len()), (out, refused), "{first} {second}");
    }
}

#[test]
fn each_daemon_gets_its_own() {
    let all = config(&ospf(&[("10.200.0.30", 10), ("2001:db8::30", 10)]));
    let mut homes: Vec<&str> = all.objects.keys().map(|object| Home::of(object).name()).collect();
    homes.sort_unstable();
    homes.dedup();
    assert_eq!(homes, ["bfdd", "ospf6d", "ospfd", "zebra"]);
    // FRR's loader has given every map to every daemon.
    let mut read = Config::default();
    for home in Home::ALL {
        read.add(all.clone(), home);
    }
    assert_eq!(read.objects, all.objects);
    assert!(
        config(&usual()).objects.keys().all(|object| matches!(Home::of(object), Home::Bgpd | Home::Bfdd))
    );
}

#[test]
fn an_ospf_of_the_operators_stays_as_it_is_and_the_vips_say_so() {
    let theirs = "interface eth0\n ip ospf area 0\nexit\nrouter ospf\n network 10.0.0.0/24 area 0\nexit\n";
    let have = Config::parse(theirs);
    let mut want = config(&ospf(&[("10.200.0.30", 10), ("2001:db8::30", 10)]));
    let conflicts = respect(&mut want, &have);
    assert!(
        conflicts.networks[&HostRoute::parse("10.200.0.30").unwrap()].contains("announce the VIP by BGP")
    );
    assert_eq!(conflicts.networks.len(), 1, "OSPFv3 is nobody's");
    assert!(!want.has_ospf(Version::V2) && want.has_ospf(Version::V3));
    assert!(want.objects.keys().all(|object| Home::of(object) != Home::Ospfd));
    assert!(
        steps(&have, &want).iter().all(|step| !step.lines.iter().any(|line| line.text.contains("ip ospf")))
    );
}

#[test]
fn lines_of_the_operators_in_an_instance_of_ours_outlive_it() {
    let rendered = Renderer::new().render(&view(&ospf(&[])));
    let have = Config::parse(&rendered.replace("router ospf\n", "router ospf\n redistribute static\n"));
    assert_eq!(steps(&have, &config(&ospf(&[]))), []);
    let sent = commands(&have, &config(&RoutingPlan::default()));
    assert!(!sent.iter().any(|line| line == "no router ospf" || line.contains("static")), "{sent:#?}");
    assert!(sent.contains(&"no ospf router-id 10.0.0.1".to_owned()), "{sent:#?}");
}

#[test]
fn what_zebra_is_told_by_the_operator_stays() {
    let have = Config::parse("ip protocol ospf route-map MINE\n");
    let mut want = config(&ospf(&[]));
    respect(&mut want, &have);
    assert!(!want.objects.contains_key(&Object::Unheard(Version::V2)));
    assert!(want.objects.contains_key(&Object::Unheard(Version::V3)));
}

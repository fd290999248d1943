//! What is sent, for what is there.

use super::plans::{address, announce, attached, attributes, everything, peer, plan, usual};
use crate::model::bgp::{Audience, PathAttributes};
use crate::model::net::HostRoute;
use crate::plan::RoutingPlan;
use crate::routing::frr::batch::{Batch, redact};
use crate::routing::frr::diff::steps;
use crate::routing::frr::parse::{Config, Object};
use crate::routing::frr::render::Renderer;
use crate::routing::frr::respect::respect;
use crate::routing::frr::view::view;

fn rendered(plan: &RoutingPlan) -> String {
    Renderer::new().render(&view(plan))
}

fn config(plan: &RoutingPlan) -> Config {
    Config::parse(&rendered(plan))
}

/// The commands that lead from one configuration to the other, the frame of each session left out.
fn commands(have: &Config, want: &Config) -> Vec<String> {
    let all = Batch::of(&steps(have, want)).commands;
    all.into_iter().filter(|command| !matches!(command.as_str(), "configure terminal" | "end")).collect()
}

#[test]
fn one_more_prefix_is_one_line() {
    let (before, mut after) = (usual(), usual());
    announce(&mut after, "10.200.0.21", attributes(&["64501:100"]), &["10.0.0.254"]);
    let sent = commands(&config(&before), &config(&after));
    let [router, family, network] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!((router.as_str(), family.as_str()), ("router bgp 64501", "address-family ipv4 unicast"));
    assert!(network.starts_with("network 10.200.0.21/32 route-map NOVAEDGE-C-"), "{network}");
    let back = commands(&config(&after), &config(&before));
    assert_eq!(back[2], format!("no {network}"));
    assert_eq!(back.len(), 3);
}

/// All peers is a class of its own: a peer that joins it touches no prefix.
#[test]
fn one_more_peer_touches_no_prefix() {
    let (before, mut after) = (usual(), usual());
    let second = peer("10.0.0.253", 64500);
    for announcement in after.announcements.values_mut() {
        let Audience::Peers(peers) = &mut announcement.audience else { unreachable!("nobody attaches") };
        peers.insert(second.address);
    }
    after.speaker.as_mut().unwrap().peers.insert(second.address, second);
    let sent = commands(&config(&before), &config(&after));
    assert!(!sent.iter().any(|line| line.contains("network ") || line.contains("10.0.0.254")), "{sent:#?}");
}

/// bgpd knows no `no` form with more than one AS number.
#[test]
fn prepending_is_taken_back_without_its_value() {
    let towards = |number| {
        let mut plan = plan([peer("10.0.0.254", number)]);
        let thrice = PathAttributes { prepend: 3, ..PathAttributes::default() };
        announce(&mut plan, "10.200.0.20", thrice, &["10.0.0.254"]);
        config(&plan)
    };
    let sent = commands(&towards(64500), &towards(64501));
    assert!(sent.iter().any(|line| line == "no set as-path prepend"), "{sent:#?}");
}

#[test]
fn withdrawals_go_first_and_sweeping_last() {
    let (mut before, mut after) = (usual(), usual());
    announce(&mut before, "10.200.0.30", attributes(&["64501:9"]), &["10.0.0.254"]);
    announce(&mut after, "10.200.0.40", attributes(&["64501:8"]), &["10.0.0.254"]);
    let sent = commands(&config(&before), &config(&after));
    let at = |wanted: &str| {
        sent.iter().position(|line| line.starts_with(wanted)).unwrap_or_else(|| panic!("{wanted}: {sent:#?}"))
    };
    let order = [
        at("no network 10.200.0.30/32"),
        at("route-map NOVAEDGE-C-"),
        at("network 10.200.0.40/32"),
        at("no route-map NOVAEDGE-C-"),
    ];
    assert!(order.is_sorted(), "{sent:#?}");
}

#[test]
fn another_password_is_one_line_and_no_removal() {
    let (before, mut after) = (everything(), everything());
    let peers = &mut after.speaker.as_mut().unwrap().peers;
    let changed = peers.get_mut(&address("10.0.0.254")).unwrap();
    changed.password = Some(crate::model::bgp::Password::parse("other").unwrap());
    let sent = commands(&config(&before), &config(&after));
    assert_eq!(sent, ["router bgp 64501", "neighbor 10.0.0.254 password other"]);
}

/// What FRR does not print because it is the default anyway is not sent again and again.
#[test]
fn defaults_that_are_not_printed_are_not_missed() {
    let text = rendered(&everything());
    let printed: Vec<&str> = text
        .lines()
        .filter(|line| {
            let line = line.trim();
            let intervals = ["transmit-interval 300", "receive-interval 300", "detect-multiplier 3"];
            !intervals.contains(&line) && !line.ends_with("port 179") && line != "bgp network import-check"
        })
        .collect();
    assert_eq!(commands(&Config::parse(&printed.join("\n")), &config(&everything())), Vec::<String>::new());
}

#[test]
fn without_a_speaker_everything_of_ours_goes() {
    let sent = commands(&config(&usual()), &Config::parse(""));
    assert_eq!(sent.iter().filter(|line| line.starts_with("no network")).count(), 2);
    let instance = sent.iter().position(|line| line == "no router bgp 64501").unwrap();
    let entered_later = sent[instance + 1..].iter().any(|line| line.starts_with("router bgp"));
    assert!(!entered_later, "entering the instance would make it again: {sent:#?}");
}

const OPERATORS: &str = "
router bgp 64501
 bgp router-id 10.9.9.9
 no bgp network import-check
 neighbor 10.0.0.77 remote-as 64777
 neighbor 10.0.0.77 description novaedge
 !
 address-family ipv4 unicast
  network 10.200.0.99/32
  neighbor 10.0.0.77 route-map OPERATOR out
 exit-address-family
exit
router bgp 64999 vrf other
 neighbor 10.0.0.78 remote-as 64777
exit
route-map OPERATOR permit 10
exit";

#[test]
fn nothing_of_the_operators_is_ours() {
    let config = Config::parse(OPERATORS);
    assert!(config.objects.is_empty(), "{:?}", config.objects);
    assert_eq!(config.foreign.instance, Some(64501));
    assert!(config.foreign.unchecked_networks);
    assert_eq!(config.foreign.neighbors, [address("10.0.0.77")].into());
}

#[test]
fn what_collides_with_the_operators_is_left_out_and_told() {
    let mut wanted = plan([peer("10.0.0.254", 64500), peer("10.0.0.77", 64777)]);
    announce(&mut wanted, "10.200.0.99", attributes(&[]), &["10.0.0.254"]);
    announce(&mut wanted, "10.200.0.20", attributes(&[]), &["10.0.0.254"]);
    let mut want = config(&wanted);
    let conflicts = respect(&mut want, &Config::parse(OPERATORS));
    let refused = HostRoute::parse("10.200.0.99").unwrap();
    assert_eq!(conflicts.networks.keys().collect::<Vec<_>>(), [&refused]);
    assert!(conflicts.structure.unwrap().0.contains("10.0.0.77"));
    let kept = |object: &Object| want.objects.contains_key(object);
    assert!(!kept(&Object::Instance(64501)), "the operator's router id stays");
    assert!(!kept(&Object::Neighbor(64501, address("10.0.0.77"))));
    assert!(kept(&Object::Neighbor(64501, address("10.0.0.254"))));
    assert!(kept(&Object::Network(64501, HostRoute::parse("10.200.0.20").unwrap())));
}

/// Attach mode: networks go into the operator's instance, and make none where there is none.
#[test]
fn attaching_needs_the_operators_instance() {
    let mut want = config(&attached());
    assert_eq!(respect(&mut want, &Config::parse(OPERATORS)), Default::default());
    let sent = commands(&Config::parse(OPERATORS), &want);
    assert!(sent.iter().any(|line| line.starts_with("network 10.200.0.20/32 route-map ")), "{sent:#?}");
    assert!(!sent.iter().any(|line| line.contains("neighbor") || line.contains("router-id")), "{sent:#?}");

    for nobody in ["", "router bgp 64501 vrf other\nexit", &rendered(&usual())] {
        let mut want = config(&attached());
        let (line, answer) = respect(&mut want, &Config::parse(nobody)).structure.unwrap();
        assert_eq!(line, "router bgp 64501");
        assert!(answer.contains("write `peers`"), "{answer}");
        assert!(!want.objects.keys().any(|object| matches!(object, Object::Network(..))), "{want:?}");
    }
}

#[test]
fn a_secret_is_not_shown() {
    assert_eq!(redact("neighbor 10.0.0.1 password hunter2"), "neighbor 10.0.0.1 password <redacted>");
    let answer = "[BGP] Unknown command: no neighbor x password hunter2 y";
    assert!(!redact(answer).contains("hunter2"));
}

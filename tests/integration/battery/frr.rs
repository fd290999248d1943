//! FRR under the battery.

use super::battery;
use super::fixture::Fixture;
use novaedge::routing::frr::{Frr, Options};
use novaedge_lab::Node;

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
        a_peer_may_change_sides
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
        without_the_operators_speaker_nothing_attaches
    }
    ospf {
        both_families_come_and_go_by_ospf
        a_cost_is_a_cost_and_changes_in_place
        a_node_is_never_designated_nor_on_the_way
        area_and_timers_are_the_ones_given
        an_expired_address_is_withdrawn_from_ospf
        bfd_takes_a_silent_neighbour_away
        a_restart_of_ospf_is_healed
        any_routes_follow_any_others
        a_thousand_routes_share_one_adjacency
    }
    ospf_keys {
        keys_must_match
        keys_of_version_2_must_match
        simple_passwords_must_match
    }
    faults {
        a_restart_is_noticed_and_healed
        a_frozen_daemon_is_told_from_a_working_one
        the_loop_follows_the_newest_plan
    }
    walk {
        any_plan_follows_any_other
        two_thousand_changes_in_a_row
    }
    silence {
        a_silent_node_is_forgotten_in_three_times_300_ms
        a_silent_node_is_forgotten_in_three_times_100_ms
        a_silent_node_is_forgotten_in_three_times_50_ms
    }
    scale {
        a_thousand_prefixes_share_one_session
        a_thousand_expired_addresses_are_withdrawn
    }
}

impl Fixture for OfFrr {
    type Driver = Frr;
    const NAME: &'static str = "frr";
    const PROCESSES: &'static [&'static str] = &["bgpd", "bfdd", "zebra", "staticd"];

    const OSPF_PROCESSES: &'static [&'static str] = &["ospfd", "ospf6d", "bfdd", "zebra"];

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

/// All daemons' configuration, without the frame that sections leave behind. In these tests, what OSPF there is is
/// ours.
fn running(node: &Node) -> Vec<String> {
    let mut lines = Vec::new();
    for daemon in ["bgpd", "bfdd", "zebra", "ospfd", "ospf6d"] {
        let text = node.frr().ask(daemon, "show running-config").unwrap_or_default();
        let marked: Vec<String> = text
            .lines()
            .filter_map(|line| {
                line.trim().strip_prefix("neighbor ")?.strip_suffix(" description managed-by-novaedge")
            })
            .map(|peer| format!("neighbor {peer} "))
            .collect();
        let (mut ours, mut astray) = (false, false);
        for line in text.lines().map(str::trim) {
            match line {
                "" | "!" => continue,
                "exit" | "exit-address-family" => {
                    (ours, astray) = (false, false);
                    continue;
                }
                _ if line.starts_with("address-family") => continue,
                _ => {}
            }
            // FRR's own loader gives route maps to every daemon.
            astray |= line.starts_with("route-map ") && daemon != home_of(line);
            if astray {
                continue;
            }
            let heads = ["route-map NOVAEDGE-", "profile NOVAEDGE-", "router ospf"];
            ours |= heads.iter().any(|head| line.starts_with(head));
            let mine = ours || line.contains(" ospf") || marked.iter().any(|peer| line.starts_with(peer));
            lines.push(if mine { format!("ours {line}") } else { line.to_owned() });
        }
    }
    lines
}

/// The daemon that uses a route map.
fn home_of(head: &str) -> &'static str {
    if head.starts_with("route-map NOVAEDGE-NONE ") { "zebra" } else { "bgpd" }
}

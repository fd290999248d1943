//! BIRD under the battery.

use super::battery;
use super::fixture::Fixture;
use novaedge::routing::bird::{Bird, Options};
use novaedge_lab::bird::operators;
use novaedge_lab::builder::Builder;
use novaedge_lab::{Node, RoutingDaemon};
use std::time::Duration;

pub struct OfBird;

battery! { OfBird:
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

impl Fixture for OfBird {
    type Driver = Bird;
    const NAME: &'static str = "bird";
    const PROCESSES: &'static [&'static str] = &["bird", "bfdd"];
    const MD5_IN_VERSION_3: bool = false;
    /// FRR's ospfd looks at external routes a second after the others (`OSPF_ASE_CALC_INTERVAL`).
    const OSPF_GIVEN_UP_LATER: Duration = Duration::from_secs(1);

    fn lab(builder: Builder) -> Builder {
        builder.routing(RoutingDaemon::Bird)
    }

    fn driver(node: &Node) -> Bird {
        Bird::new(Options {
            socket: node.bird().socket(),
            include: node.bird().include(),
            bfdd_dir: node.vty_dir(),
        })
    }

    fn crash(node: &Node, process: &str) {
        if process == "bfdd" {
            node.frr().daemon(process).restart().unwrap();
            return node.frr().wait_for(process).unwrap();
        }
        node.bird().process().restart().unwrap();
        node.bird().wait().unwrap();
    }

    fn freeze(node: &Node, frozen: bool) {
        let bird = node.bird().process();
        if frozen { bird.stop() } else { bird.cont() }
    }

    fn operate(node: &Node) {
        node.bird().configure(&(operators(node.id()) + OPERATORS)).unwrap();
    }

    fn peer_with_the_tor(node: &Node) {
        let session = "protocol bgp tor {
            local as 64501;
            neighbor 10.0.0.254 as 64500;
            connect delay time 1;
            ipv4 { import none; export where source = RTS_DEVICE; next hop self; };
        }\n";
        node.bird().configure(&(operators(node.id()) + OPERATORS + session)).unwrap();
    }

    fn operators_lines(node: &Node) -> Vec<String> {
        lines(node, |name| !name.starts_with("novaedge_"))
    }

    fn our_lines(node: &Node) -> Vec<String> {
        let file = std::fs::read_to_string(node.bird().include()).unwrap();
        let written = file.lines().filter(|line| !line.starts_with("# ") && !line.starts_with("define "));
        let running = lines(node, |name| name.starts_with("novaedge_"));
        let bfdd = node.frr().ask("bfdd", "show running-config").unwrap_or_default();
        let section = bfdd.lines().skip_while(|line| *line != "bfd").take_while(|line| *line != "exit");
        let section = section.filter(|line| !matches!(line.trim(), "!" | "bfd")).map(str::to_owned);
        written.map(str::to_owned).chain(running).chain(section).collect()
    }
}

const OPERATORS: &str = "
protocol static theirs {
    ipv4;
    route 10.99.0.0/24 blackhole;
    route 10.200.0.99/32 blackhole;
}
protocol bgp spine {
    description \"a spine\";
    local as 64501;
    neighbor 10.0.0.77 as 64777;
    ipv4 { import all; export where proto = \"theirs\"; };
}
";

/// The protocols of these names, with what they are configured to be, and the routes of the operator's.
fn lines(node: &Node, named: impl Fn(&str) -> bool) -> Vec<String> {
    let all = node.bird().ask("show protocols all").unwrap_or_default();
    let mut lines = Vec::new();
    let mut wanted = false;
    for line in all.lines().filter(|line| !line.trim().is_empty()).skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if !line.starts_with(' ') {
            wanted = named(words[0]);
            lines.extend(wanted.then(|| words[..3].join(" ")));
        } else if wanted && CONFIGURED.iter().any(|key| line.trim().starts_with(key)) {
            lines.push(words.join(" "));
        }
    }
    lines
}

/// What of `show protocols all` comes from the configuration.
const CONFIGURED: [&str; 7] = [
    "Description:",
    "Neighbor address:",
    "Neighbor AS:",
    "Local AS:",
    "Table:",
    "Input filter:",
    "Output filter:",
];

//! GoBGP under the battery: version 3, and version 4.

use super::battery;
use super::fixture::Fixture;
use novaedge::routing::gobgp::{Gobgp, GuardOptions, Options};
use novaedge_lab::builder::Builder;
use novaedge_lab::{Node, RoutingDaemon};
use serde_json::Value;
use std::ffi::OsString;

pub struct OfGobgp<const MAJOR: u8>;

macro_rules! of_gobgp {
    ($fixture:ty) => {
        use super::*;

        battery! { $fixture:
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
    };
}

mod v3 {
    of_gobgp!(OfGobgp<3>);
}

mod v4 {
    of_gobgp!(OfGobgp<4>);
}

impl<const MAJOR: u8> Fixture for OfGobgp<MAJOR> {
    type Driver = Gobgp;
    const NAME: &'static str = "gobgp";
    const PROCESSES: &'static [&'static str] = &["gobgpd", "bfdd"];

    fn lab(builder: Builder) -> Builder {
        builder.routing(if MAJOR == 3 { RoutingDaemon::Gobgp3 } else { RoutingDaemon::Gobgp4 })
    }

    fn driver(node: &Node) -> Gobgp {
        Gobgp::new(&Options {
            endpoint: node.gobgp().endpoint().parse().unwrap(),
            bfdd_dir: node.vty_dir(),
            guard: GuardOptions { socket: node.guard_socket(), command: Some(guard(node)) },
        })
    }

    fn crash(node: &Node, process: &str) {
        if process == "bfdd" {
            node.frr().daemon(process).restart().unwrap();
            return node.frr().wait_for(process).unwrap();
        }
        node.gobgp().restart().unwrap();
    }

    fn freeze(node: &Node, frozen: bool) {
        let gobgpd = node.gobgp().process();
        if frozen { gobgpd.stop() } else { gobgpd.cont() }
    }

    fn operate(node: &Node) {
        let gobgp = node.gobgp();
        // Ours may have been here, and left BGP running.
        if gobgp.ask(&["global"]).unwrap().lines().any(|line| line == "AS:        0") {
            gobgp.start_bgp(64501, node.id()).unwrap();
        }
        for words in [
            "neighbor add 10.0.0.77 as 64777",
            "policy neighbor add spines 10.0.0.77",
            "policy statement add spines-only",
            "policy statement spines-only add condition neighbor spines",
            "policy statement spines-only add action accept",
            "policy add theirs spines-only",
            "global policy export add theirs default accept",
            "global rib add 10.99.0.0/24",
            "global rib add 10.200.0.99/32",
        ] {
            gobgp.ask(&words.split(' ').collect::<Vec<_>>()).unwrap();
        }
    }

    fn peer_with_the_tor(node: &Node) {
        node.gobgp().ask(&["neighbor", "add", "10.0.0.254", "as", "64500"]).unwrap();
    }

    fn operators_lines(node: &Node) -> Vec<String> {
        lines(node).into_iter().filter(|line| !is_ours(line)).collect()
    }

    fn our_lines(node: &Node) -> Vec<String> {
        let bfdd = node.frr().ask("bfdd", "show running-config").unwrap_or_default();
        let section = bfdd.lines().skip_while(|line| *line != "bfd").take_while(|line| *line != "exit");
        let section = section.filter(|line| !matches!(line.trim(), "!" | "bfd")).map(str::to_owned);
        lines(node).into_iter().filter(|line| is_ours(line)).chain(section).collect()
    }
}

/// As the agent starts it, but in the node's namespace and with a log of its own.
fn guard(node: &Node) -> Vec<OsString> {
    let command = format!(
        "exec {} guard --while-needed --gobgp-api {} --guard-socket {} >> {} 2>&1",
        env!("CARGO_BIN_EXE_novaedge-agent"),
        node.gobgp().endpoint(),
        node.guard_socket().display(),
        node.dir().join("guard.log").display(),
    );
    ["ip", "netns", "exec", node.netns().name(), "sh", "-c", &command].map(OsString::from).into()
}

/// Paths are told by their mark, the large community `4294967295:nova:…`; all else by its name.
fn is_ours(line: &str) -> bool {
    line.contains("novaedge") || line.contains(&format!("\"LocalData1\":{}", u32::from_be_bytes(*b"nova")))
}

/// Everything that somebody has configured in gobgpd, a line each.
fn lines(node: &Node) -> Vec<String> {
    let gobgp = node.gobgp();
    let Ok(neighbors) = gobgp.ask_json(&["neighbor"]) else { return Vec::new() };
    let mut lines = Vec::new();
    for neighbor in neighbors.as_array().into_iter().flatten() {
        lines.push(format!("neighbor {}", neighbor["conf"]));
    }
    for family in ["ipv4", "ipv6"] {
        let table = gobgp.ask_json(&["global", "rib", "-a", family]).unwrap_or_default();
        for (prefix, paths) in table.as_object().into_iter().flatten() {
            for path in paths.as_array().into_iter().flatten() {
                let mut path = path.clone();
                if let Some(path) = path.as_object_mut() {
                    path.retain(|key, _| key != "age");
                }
                lines.push(format!("path {prefix} {path}"));
            }
        }
    }
    for what in ["neighbor", "large-community", "statement"] {
        let list = gobgp.ask_json(&["policy", what]).unwrap_or_default();
        lines.extend(list.as_array().into_iter().flatten().map(|one| format!("policy {what} {one}")));
    }
    let policies = gobgp.ask_json(&["policy"]).unwrap_or_default();
    let name = |policy: &Value| format!("policy {}", policy["name"]);
    lines.extend(policies.as_array().into_iter().flatten().map(name));
    for direction in ["import", "export"] {
        let assigned = gobgp.ask_json(&["global", "policy", direction]).unwrap_or_default();
        let policies = assigned["policies"].as_array().cloned().unwrap_or_default();
        lines.extend(policies.iter().map(|policy| format!("{direction} {}", policy["name"])));
    }
    // gobgpd lists in no order.
    lines.sort();
    lines
}

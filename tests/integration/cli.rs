//! What the commands print: a status in, a text that a person has read out.

use crate::golden::golden;
use novaedge::cli::output::{Format, encode};
use novaedge::cli::show;
use novaedge::model::adjacency::{Neighbor, NeighborId, NeighborState, Role};
use novaedge::model::leaving::{Cause, Hold};
use novaedge::model::net::{HostRoute, Port};
use novaedge::model::observed::{
    BackendHealth, BfdObserved, BfdState, DaemonVersion, EndpointHealth, Observed, PeerObserved, PeerState,
    Served,
};
use novaedge::model::ospf::Version;
use novaedge::model::status::{Explained, NodeStatus, Phase, Reason, Rejected, VipStatus};
use novaedge::model::term::Term;
use std::collections::{BTreeMap, BTreeSet};

pub const NOW: u64 = 1_800_000_000;

pub fn route(text: &str) -> HostRoute {
    HostRoute::parse(text).unwrap()
}

pub fn port(number: u16) -> Port {
    Port::new(number).unwrap()
}

fn vip(addresses: &[&str], phase: Phase, age: u64, reasons: &[Reason]) -> VipStatus {
    VipStatus {
        addresses: addresses.iter().map(|text| route(text)).collect(),
        mode: "BGP".to_owned(),
        phase,
        reasons: reasons.iter().map(Explained::from).collect(),
        since: NOW - age,
        ports: vec![port(80), port(443)],
    }
}

fn peer(state: PeerState, uptime_seconds: u64, sent: u64, last_error: Option<&str>) -> PeerObserved {
    PeerObserved {
        asn: 64500,
        local_asn: 64501,
        state,
        uptime_seconds,
        prefixes_sent: sent,
        prefixes_received: 0,
        flaps: u64::from(last_error.is_some()),
        last_error: last_error.map(str::to_owned),
    }
}

fn neighbor(id: &str, state: NeighborState, role: Role) -> (NeighborId, Neighbor) {
    let id = NeighborId::try_from(id.to_owned()).unwrap();
    let address = (id.version == Version::V2).then(|| id.router_id.into());
    let seen = Neighbor {
        address,
        state,
        role: Some(role),
        priority: 1,
        uptime_seconds: 11_100,
        dead_time_seconds: 37,
    };
    (id, seen)
}

fn session(state: BfdState, uptime_seconds: u64, echo: Option<u32>, diagnostic: Option<&str>) -> BfdObserved {
    BfdObserved {
        state,
        local: Some("10.1.0.11".parse().unwrap()),
        interface: Some("eth0".to_owned()),
        multihop: false,
        uptime_seconds,
        diagnostic: diagnostic.map(str::to_owned),
        transmit_interval_ms: 100,
        receive_interval_ms: 100,
        detect_multiplier: 3,
        remote_detect_multiplier: 3,
        echo_interval_ms: echo,
    }
}

fn backend(endpoints: &[(&str, EndpointHealth)]) -> BackendHealth {
    let endpoints = endpoints.iter().map(|(address, health)| (address.parse().unwrap(), *health));
    BackendHealth { endpoints: endpoints.collect() }
}

/// A node on which all is well.
pub fn well() -> NodeStatus {
    let addresses = ["10.200.0.20", "2001:db8::50"];
    let routing = Observed {
        daemon: Some(DaemonVersion { name: "frr".to_owned(), version: "8.4.4".to_owned() }),
        neighbors: BTreeMap::from([neighbor("v2/eth0/10.1.0.1", NeighborState::Full, Role::Designated)]),
        peers: BTreeMap::from([("10.1.0.1".parse().unwrap(), peer(PeerState::Established, 11_100, 2, None))]),
        announced: addresses.iter().map(|text| route(text)).collect(),
        bfd: BTreeMap::from([("10.1.0.1".parse().unwrap(), session(BfdState::Up, 11_102, Some(50), None))]),
        ..Observed::default()
    };
    let healthy = [("192.0.2.1:8080", EndpointHealth::Healthy), ("[fd00::1]:8080", EndpointHealth::Healthy)];
    NodeStatus {
        node: "n1".parse().unwrap(),
        version: "0.1.0".to_owned(),
        generation: 4,
        started: NOW - 11_400,
        term: None,
        wish: None,
        held: BTreeSet::new(),
        vips: BTreeMap::from([("web".parse().unwrap(), vip(&addresses, Phase::Announced, 11_090, &[]))]),
        routing,
        served: Served {
            backends: BTreeMap::from([("default/web".to_owned().try_into().unwrap(), backend(&healthy))]),
            connections: 12,
            in_flight: 3,
            ..Served::default()
        },
        rejected: Vec::new(),
    }
}

/// The same node with something wrong everywhere.
pub fn ill() -> NodeStatus {
    let mut status = well();
    let down = "10.1.0.2".parse().unwrap();
    let words = "Hold Timer Expired";
    let holder = Some("sshd (pid 812)".to_owned());
    let vips = [
        (
            "web",
            vip(
                &["10.200.0.20"],
                Phase::Announced,
                90,
                &[Reason::PeerDown { peer: down, error: Some(words.to_owned()) }],
            ),
        ),
        (
            "shop",
            vip(
                &["10.200.0.21"],
                Phase::Preparing,
                5,
                &[
                    Reason::PortInUse { port: port(80), holder },
                    Reason::PortNotBound { port: port(443) },
                    Reason::AddressNotHeld { address: route("10.200.0.21"), error: None },
                ],
            ),
        ),
        ("try", vip(&["10.200.0.22"], Phase::Announced, 172_800, &[Reason::NoListeners])),
        ("old", vip(&["10.200.0.23"], Phase::Withdrawn, 0, &[Reason::Leaving { cause: Cause::Terminating }])),
    ];
    status.vips = vips.into_iter().map(|(name, vip)| (name.parse().unwrap(), vip)).collect();
    status.wish = Some(Cause::Terminating);
    status.routing.neighbors.extend([neighbor("v3/eth0/10.1.0.2", NeighborState::ExStart, Role::Backup)]);
    status.routing.peers.insert(down, peer(PeerState::Active, 0, 0, Some(words)));
    status.routing.bfd.insert(down, session(BfdState::Down, 0, None, Some("control detection time expired")));
    status.routing.announced = BTreeSet::from([route("10.200.0.20")]);
    status.routing.restarts = 1;
    status.routing.refused.insert(route("10.200.0.99"), "% Malformed prefix".to_owned());
    status.routing.trouble = Some("bgpd refused \"neighbor 10.1.0.2 password …\"".to_owned());
    let sick = [("192.0.2.1:8080", EndpointHealth::Unhealthy), ("192.0.2.2:8080", EndpointHealth::Unknown)];
    status.served.backends.insert("default/sick".to_owned().try_into().unwrap(), backend(&sick));
    status.served.backends.insert("default/empty".to_owned().try_into().unwrap(), backend(&[]));
    let rejected = |place: &str, field: &str, message: &str, notice| Rejected {
        object: "ProxyVIP net".to_owned(),
        field: field.to_owned(),
        reason: "Invalid".to_owned(),
        message: message.to_owned(),
        place: Some(place.to_owned()),
        notice,
    };
    let network = "10.200.0.0/24 is a network, and a VIP is a host route: write 10.200.0.0/32";
    let unsent = "a local preference is not sent to an eBGP peer";
    status.rejected = vec![
        rejected("net.yaml:6", "spec.address", network, false),
        rejected("web.yaml:14", "spec.bgpConfig.localPreference", unsent, true),
    ];
    status
}

/// A node that has just started.
fn empty() -> NodeStatus {
    NodeStatus {
        vips: BTreeMap::new(),
        routing: Observed {
            trouble: Some(
                "the routing daemon does not answer: zebra.vty: No such file or directory".to_owned(),
            ),
            ..Observed::default()
        },
        served: Served::default(),
        started: NOW,
        generation: 0,
        ..well()
    }
}

#[test]
fn tables_read_as_a_person_found_them_good() {
    for (name, status) in [("well", well()), ("ill", ill()), ("empty", empty())] {
        golden(&format!("cli/status-{name}.txt"), &show::status(&status, NOW));
        golden(&format!("cli/vip-{name}.txt"), &show::vip_status(&status, NOW));
        golden(&format!("cli/bgp-{name}.txt"), &show::bgp_status(&status));
        golden(&format!("cli/ospf-{name}.txt"), &show::ospf_status(&status));
        golden(&format!("cli/bfd-{name}.txt"), &show::bfd_status(&status));
        golden(&format!("cli/backend-{name}.txt"), &show::backend_status(&status));
    }
}

/// A led node that wishes to leave: one VIP may go, one is held, one has no answer yet.
fn wishing() -> NodeStatus {
    let (cause, by) = (Cause::Drain, Hold::BelowMinimum { healthy: 1, minimum: 2 });
    let vips = [
        ("gone", vip(&["10.200.0.20"], Phase::Withdrawn, 9, &[Reason::Leaving { cause }])),
        ("kept", vip(&["10.200.0.21"], Phase::Announced, 90, &[Reason::Held { cause, by }])),
        ("open", vip(&["10.200.0.22"], Phase::Announced, 90, &[])),
    ];
    NodeStatus {
        vips: vips.into_iter().map(|(name, vip)| (name.parse().unwrap(), vip)).collect(),
        wish: Some(cause),
        held: BTreeSet::from([route("10.200.0.21"), route("10.200.0.22"), route("10.200.0.99")]),
        term: Some(Term { created: NOW, transitions: 3 }),
        ..well()
    }
}

#[test]
fn a_drain_says_what_becomes_of_each_vip() {
    let status = wishing();
    golden("cli/drain.txt", &show::departure(&status));
    golden("cli/status-wishing.txt", &show::status(&status, NOW));
    assert!(!show::is_answered(&status) && !show::is_leaving_all(&status) && !show::has_left_all(&status));
    let mut status = status;
    status.vips.retain(|name, _| name.to_string() == "gone");
    status.held.clear();
    assert!(show::is_answered(&status) && show::is_leaving_all(&status) && show::has_left_all(&status));
    status.held.insert(route("10.200.0.20"));
    assert!(!show::has_left_all(&status), "its address is still here");
}

#[test]
fn json_and_yaml_say_the_same_and_read_back() {
    let status = ill();
    let json = encode(Format::Json, &status).unwrap();
    assert_eq!(serde_json::from_str::<NodeStatus>(&json).unwrap(), status);
    let yaml = encode(Format::Yaml, &status).unwrap();
    assert_eq!(serde_saphyr::from_str::<NodeStatus>(&yaml).unwrap(), status);
    assert!(yaml.contains("phase: Preparing"), "{yaml}");
}

#[test]
fn a_node_on_which_all_is_well_has_no_problems() {
    assert!(show::problems(&well()).is_empty());
    assert!(!show::problems(&ill()).is_empty());
}

//! A node with a VIP of each protocol.

use super::*;
use crate::model::adjacency::{Neighbor, NeighborId, NeighborState};
use crate::model::net::InterfaceName;
use crate::model::ospf::{self, AreaId, Authentication, Cost, Interfaces, Version};
use crate::model::status::Phase;

/// `dual` is announced by OSPF, `web` and `idle` by BGP.
fn mixed() -> Snapshot {
    let mut snapshot = snapshot();
    snapshot.ospf = Some(ospf::Speaker {
        router_id: None,
        area: AreaId::new(0),
        timers: ospf::Timers { hello_seconds: 10, dead_seconds: 40 },
        authentication: Authentication::None,
        graceful_restart: true,
        bfd: None,
        interfaces: Interfaces { uplink: true, named: BTreeSet::new() },
    });
    let dual = the_vip(&mut snapshot, "dual");
    dual.reach = Reach::Ospf(ospf::Route { cost: Cost::new(7).unwrap() });
    snapshot
}

fn interface(text: &str) -> InterfaceName {
    InterfaceName::parse(text).unwrap()
}

fn see(facts: &mut NodeFacts, version: Version, state: NeighborState) {
    let id = NeighborId { version, interface: interface("eth0"), router_id: Ipv4Addr::new(10, 0, 0, 254) };
    let neighbor =
        Neighbor { address: None, state, role: None, priority: 1, uptime_seconds: 1, dead_time_seconds: 40 };
    facts.observed.neighbors.insert(id, neighbor);
}

fn well(snapshot: &Snapshot) -> NodeFacts {
    let mut facts = all_well(snapshot);
    facts.uplink = Some(interface("eth0"));
    see(&mut facts, Version::V2, NeighborState::Full);
    see(&mut facts, Version::V3, NeighborState::Full);
    facts
}

fn costs(desired: &Desired) -> Vec<u16> {
    desired.routing.ospf.iter().flat_map(|ospf| ospf.routes.values()).map(|cost| cost.get()).collect()
}

#[test]
fn each_vip_goes_out_by_its_own_protocol() {
    let snapshot = mixed();
    let desired = desired(&snapshot, &well(&snapshot));
    let ospf = desired.routing.ospf.as_ref().unwrap();
    assert_eq!(ospf.versions, [Version::V2, Version::V3].into());
    assert_eq!((ospf.router_id, &ospf.interfaces), (Ipv4Addr::new(10, 0, 0, 1), &[interface("eth0")].into()));
    assert_eq!(costs(&desired), [7, 7]);
    assert_eq!(desired.routing.announcements.len(), 2);
    assert_eq!(desired.vips[&name("dual")].phase, Phase::Announced);
}

#[test]
fn it_is_announced_when_a_neighbour_of_each_family_is_full() {
    let snapshot = mixed();
    let table = [
        (NeighborState::Full, Phase::Announced, vec![]),
        (NeighborState::TwoWay, Phase::Ready, vec!["NoNeighborFull"]),
        (NeighborState::ExStart, Phase::Ready, vec!["NoNeighborFull", "NeighborNotFull"]),
    ];
    for (state, phase, reasons) in table {
        let mut facts = well(&snapshot);
        see(&mut facts, Version::V3, state);
        let dual = &desired(&snapshot, &facts).vips[&name("dual")];
        let words: Vec<&str> = dual.reasons.iter().map(|reason| reason.name()).collect();
        assert_eq!((dual.phase, words), (phase, reasons), "{state}");
    }
}

#[test]
fn without_an_interface_there_is_a_reason() {
    let snapshot = mixed();
    let mut facts = well(&snapshot);
    facts.uplink = None;
    facts.observed.neighbors.clear();
    let dual = &desired(&snapshot, &facts).vips[&name("dual")];
    assert_eq!(dual.reasons.iter().map(|reason| reason.name()).collect::<Vec<_>>(), ["NoInterface"]);
}

#[test]
fn a_leaving_address_costs_more_before_it_is_gone_and_restarts_are_no_longer_graceful() {
    let snapshot = mixed();
    let table = [
        (Leave::Finishing, vec![7, 7], true),
        (Leave::Yielding, vec![65535, 65535], true),
        (Leave::Closing, vec![65535, 65535], true),
        (Leave::Withdrawn, vec![], true),
        (Leave::Released, vec![], false),
    ];
    for (step, expected, spoken) in table {
        let mut facts = well(&snapshot);
        leave_one(&name("dual"), &snapshot.vips[&name("dual")], &mut facts, step);
        let desired = desired(&snapshot, &facts);
        assert_eq!(costs(&desired), expected, "{step:?}");
        let ospf = desired.routing.ospf.as_ref();
        assert_eq!(
            (ospf.is_some(), ospf.is_some_and(|ospf| ospf.graceful_restart)),
            (spoken, false),
            "{step:?}"
        );
        assert!(desired.routing.speaker.unwrap().graceful_restart.is_some(), "BGP stays as it is");
    }
}

#[test]
fn the_adjacency_of_a_deleted_vip_stays_until_it_has_left() {
    let before = mixed();
    let mut after = without(&before, "dual");
    after.ospf = None;
    let mut facts = well(&before);
    follow(&before, &after, &mut facts);
    for (step, spoken) in [(Leave::Yielding, true), (Leave::Withdrawn, true), (Leave::Released, false)] {
        for route in before.vips[&name("dual")].addresses.iter() {
            facts.leave.insert(route, step);
        }
        assert_eq!(desired(&after, &facts).routing.ospf.is_some(), spoken, "{step:?}");
    }
}

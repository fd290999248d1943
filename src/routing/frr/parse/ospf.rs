//! What of an OSPF daemon's configuration, and of zebra's about OSPF, is ours. Pure.
//!
//! | object | ours when |
//! |---|---|
//! | prefix | it is in the prefix list `NOVAEDGE-OSPF6`, or has a cost at `lo` and the instance is ours |
//! | instance | it has a distribute list `NOVAEDGE`, which there is nothing for, or `lo` is ours; of its lines, those that we write |
//! | interface | the instance is ours and the interface has priority 0; of its lines, those that we write |
//! | `lo` in OSPFv3 | it advertises what is in our prefix list |
//! | the anchor | it is an address of 100::/64 at `lo`, of zebra's making |
//! | what zebra keeps to itself | it goes by our route map |

use super::{Line, Object, Owner, words};
use crate::model::net::HostRoute;
use crate::model::ospf::Version;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

/// What shows which instances and interfaces are ours.
#[derive(Debug, Default)]
pub struct Marks {
    instances: BTreeSet<Version>,
    interfaces: BTreeSet<(Version, String)>,
    router_ids: BTreeMap<Version, Ipv4Addr>,
    /// Addresses with a cost of their own.
    costed: BTreeSet<HostRoute>,
}

impl Marks {
    pub fn find(lines: &[Line]) -> Self {
        let mut marks = Self::default();
        for line in lines {
            match words(&line.text).as_slice() {
                ["distribute-list", "NOVAEDGE", ..] => drop(marks.instances.insert(Version::V2)),
                ["ipv6", "ospf6", "advertise", "prefix-list", "NOVAEDGE-OSPF6"] => {
                    marks.instances.insert(Version::V3);
                }
                ["ip", "ospf", "cost", _, address] => marks.costed.extend(HostRoute::parse(address)),
                ["ip", "ospf", "priority", "0"] => marks.note(Version::V2, line),
                ["ipv6", "ospf6", "priority", "0"] => marks.note(Version::V3, line),
                ["ospf" | "ospf6", "router-id", id] => {
                    marks.router_ids.extend(version_of(line).zip(id.parse().ok()));
                }
                _ => {}
            }
        }
        marks
    }

    fn note(&mut self, version: Version, line: &Line) {
        self.interfaces.extend(interface_of(line).map(|name| (version, name.to_owned())));
    }
}

/// `None`: the line is not about OSPF.
pub fn owner(line: &Line, marks: &Marks) -> Option<Owner> {
    if let Some(version) = version_of(line) {
        return Some(owner_in_instance(line, version, marks));
    }
    match (interface_of(line), words(&line.text).as_slice()) {
        (Some("lo"), ["ip", "ospf", "area" | "cost", _, address]) => Some(owner_of(address, marks)),
        (Some("lo"), ["ipv6", "address", anchor]) if is_anchor(anchor) => Some(Owner::Us(Object::Anchor)),
        (Some(name), ["ip", "ospf", setting, ..]) => Some(owner_at(Version::V2, name, setting, marks)),
        (Some("lo"), ["ipv6", "ospf6", setting, ..]) => Some(owner_at_lo(setting, marks)),
        (Some(name), ["ipv6", "ospf6", setting, ..]) => Some(owner_at(Version::V3, name, setting, marks)),
        (None, ["ipv6", "prefix-list", "NOVAEDGE-OSPF6", "permit", prefix]) => {
            HostRoute::parse(prefix).ok().map(|route| Owner::Us(Object::Prefix(route)))
        }
        (None, ["ip", "protocol", "ospf", "route-map", map]) => Some(owner_in_zebra(Version::V2, map)),
        (None, ["ipv6", "protocol", "ospf6", "route-map", map]) => Some(owner_in_zebra(Version::V3, map)),
        _ => None,
    }
}

/// FRR numbers the entries of a prefix list; ours are known without.
pub fn unnumbered(text: &str) -> String {
    match words(text).as_slice() {
        ["ipv6", "prefix-list", "NOVAEDGE-OSPF6", "seq", _, rest @ ..] => {
            format!("ipv6 prefix-list NOVAEDGE-OSPF6 {}", rest.join(" "))
        }
        _ => text.to_owned(),
    }
}

/// A host of the discard prefix.
fn is_anchor(prefix: &str) -> bool {
    let address = HostRoute::parse(prefix).map(HostRoute::address);
    matches!(address, Ok(IpAddr::V6(v6)) if v6.segments()[..4] == [0x100, 0, 0, 0])
}

fn owner_of(address: &str, marks: &Marks) -> Owner {
    match HostRoute::parse(address) {
        Ok(route) if marks.instances.contains(&Version::V2) && marks.costed.contains(&route) => {
            Owner::Us(Object::Prefix(route))
        }
        Ok(_) | Err(_) => Owner::Nobody,
    }
}

fn owner_in_instance(line: &Line, version: Version, marks: &Marks) -> Owner {
    const OURS: [&str; 8] = [
        "router ",
        "ospf router-id ",
        "ospf6 router-id ",
        "max-metric router-lsa administrative",
        "timers throttle lsa ",
        "distribute-list NOVAEDGE ",
        "graceful-restart",
        "capability opaque",
    ];
    let is_ours = OURS.iter().any(|ours| line.text.starts_with(ours));
    if !is_ours || !marks.instances.contains(&version) {
        return Owner::OspfOperator(version);
    }
    let router_id = marks.router_ids.get(&version).copied();
    Owner::Us(Object::Ospf(version, router_id.unwrap_or(Ipv4Addr::UNSPECIFIED)))
}

fn owner_at(version: Version, name: &str, setting: &str, marks: &Marks) -> Owner {
    const OURS: [&str; 9] = [
        "area",
        "priority",
        "hello-interval",
        "dead-interval",
        "retransmit-interval",
        "authentication",
        "authentication-key",
        "message-digest-key",
        "bfd",
    ];
    let is_ours = marks.instances.contains(&version)
        && marks.interfaces.contains(&(version, name.to_owned()))
        && (OURS.contains(&setting) || (version == Version::V3 && setting == "cost"));
    if is_ours { Owner::Us(Object::Adjacency(version, name.to_owned())) } else { Owner::Nobody }
}

fn owner_at_lo(setting: &str, marks: &Marks) -> Owner {
    let is_ours =
        marks.instances.contains(&Version::V3) && ["area", "advertise", "passive", "cost"].contains(&setting);
    if is_ours { Owner::Us(Object::Hosts) } else { Owner::Nobody }
}

fn owner_in_zebra(version: Version, map: &str) -> Owner {
    if map == "NOVAEDGE-NONE" { Owner::Us(Object::Unheard(version)) } else { Owner::ZebraOperator(version) }
}

/// The instance of the default VRF that the line opens or belongs to.
fn version_of(line: &Line) -> Option<Version> {
    match line.within.first().unwrap_or(&line.text).as_str() {
        "router ospf" => Some(Version::V2),
        "router ospf6" => Some(Version::V3),
        _ => None,
    }
}

fn interface_of(line: &Line) -> Option<&str> {
    line.within.first()?.strip_prefix("interface ")
}

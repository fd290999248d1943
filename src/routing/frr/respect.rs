//! Where the operator has something already, the operator's stays as it is. Pure.

use super::parse::{Config, Object};
use crate::model::net::HostRoute;
use crate::model::ospf::Version;
use std::collections::BTreeMap;

/// What cannot go in without touching the operator's configuration.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Conflicts {
    pub networks: BTreeMap<HostRoute, String>,
    /// The line that would not go in, and why.
    pub structure: Option<(String, String)>,
}

/// Takes out of `want` what collides with the operator's part of `have`, and says what it was.
pub fn respect(want: &mut Config, have: &Config) -> Conflicts {
    let mut conflicts = Conflicts::default();
    let foreign = &have.foreign;
    want.objects.retain(|object, _| match object {
        // Ours goes into the operator's instance of the same AS; its own settings are the operator's.
        Object::Instance(asn) => match foreign.instance {
            None => true,
            Some(other) if other == *asn => false,
            Some(other) => {
                conflicts.structure = Some(wrong_as(*asn, other));
                false
            }
        },
        Object::Neighbor(asn, peer) if foreign.neighbors.contains(peer) => {
            let line = format!("neighbor {peer} remote-as {asn}");
            let answer = "bgpd has this neighbor already and it is not NovaEdge's; remove it there, or leave \
                          `peers` out so that its session is used as it is";
            conflicts.structure.get_or_insert((line, answer.to_owned()));
            false
        }
        Object::Network(_, route) => match foreign.networks.get(route) {
            None => true,
            Some(line) => {
                let words = format!("bgpd has the line {line:?} already and it is not NovaEdge's; remove it");
                conflicts.networks.insert(*route, words);
                false
            }
        },
        Object::Unheard(version) => !foreign.heard.contains(version),
        Object::Prefix(route) => match is_the_operators(Version::of(route.family()), have) {
            true => {
                conflicts.networks.insert(*route, others_ospf(Version::of(route.family())).1);
                false
            }
            false => true,
        },
        Object::Ospf(version, _) if is_the_operators(*version, have) => {
            conflicts.structure.get_or_insert(others_ospf(*version));
            false
        }
        Object::Adjacency(version, _) => !is_the_operators(*version, have),
        Object::Anchor | Object::Hosts => !is_the_operators(Version::V3, have),
        Object::Profile(_) | Object::RouteMap(_) | Object::Neighbor(..) | Object::Ospf(..) => true,
    });
    if let Some(asn) = instance_of(want).filter(|_| foreign.instance.is_none() && !has_instance(want)) {
        conflicts.structure.get_or_insert(no_instance(asn));
        want.objects.retain(|object, _| is_outside(object));
    }
    if foreign.instance.is_some_and(|other| instance_of(want).is_some_and(|asn| asn != other)) {
        want.objects.retain(|object, _| is_outside(object));
    }
    conflicts
}

fn wrong_as(wanted: u32, present: u32) -> (String, String) {
    let answer =
        format!("bgpd already runs AS {present} for the operator, and it runs one AS; use localAS {present}");
    (format!("router bgp {wanted}"), answer)
}

/// Attach mode, and nothing to attach to.
fn no_instance(asn: u32) -> (String, String) {
    let answer = format!(
        "bgpd has no instance, and a VIP without peers uses the operator's: configure `router bgp {asn}` and its \
         neighbours there, or write `peers`"
    );
    (format!("router bgp {asn}"), answer)
}

fn has_instance(config: &Config) -> bool {
    config.objects.keys().any(|object| matches!(object, Object::Instance(_)))
}

fn is_outside(object: &Object) -> bool {
    as_of(object).is_none()
}

/// The AS that our neighbours and networks live in.
fn instance_of(config: &Config) -> Option<u32> {
    config.objects.keys().find_map(as_of)
}

fn as_of(object: &Object) -> Option<u32> {
    match object {
        Object::Instance(asn) | Object::Neighbor(asn, _) | Object::Network(asn, _) => Some(*asn),
        Object::Profile(_)
        | Object::RouteMap(_)
        | Object::Anchor
        | Object::Hosts
        | Object::Unheard(_)
        | Object::Ospf(..)
        | Object::Adjacency(..)
        | Object::Prefix(_) => None,
    }
}

/// An instance that is not ours. In ours, the operator may add lines.
fn is_the_operators(version: Version, have: &Config) -> bool {
    have.foreign.ospf.contains(&version) && !have.has_ospf(version)
}

fn others_ospf(version: Version) -> (String, String) {
    let (daemon, line) = match version {
        Version::V2 => ("ospfd", "router ospf"),
        Version::V3 => ("ospf6d", "router ospf6"),
    };
    let answer = format!(
        "{daemon} has the operator's `{line}` already, and area, timers and interfaces are the speaker's; remove it \
         there, or announce the VIP by BGP"
    );
    (line.to_owned(), answer)
}

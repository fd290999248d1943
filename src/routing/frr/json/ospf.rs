//! The parts of ospfd's and ospf6d's JSON that we read.

use crate::model::adjacency::{Neighbor, NeighborId, NeighborState, Role};
use crate::model::net::{HostRoute, InterfaceName};
use crate::model::ospf::Version;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

/// The age at which an LSA is on its way out (RFC 2328 appendix B, MaxAge).
const MAX_AGE: u32 = 3600;

/// `show ip ospf json`
#[derive(Debug, Default, Deserialize)]
pub struct Database {
    #[serde(default)]
    areas: BTreeMap<String, AreaSummary>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AreaSummary {
    lsa_router_number: u64,
    lsa_router_checksum: u64,
}

impl Database {
    /// How many router LSAs there are, and the sum of their checksums; `None` when ospfd does not say.
    pub fn router_lsas(&self) -> Option<(u64, u64)> {
        let sums = self.areas.values().map(|area| (area.lsa_router_number, area.lsa_router_checksum));
        sums.reduce(|a, b| (a.0 + b.0, a.1.wrapping_add(b.1)))
    }
}

/// `show ip ospf database router self-originate json`
#[derive(Debug, Default, Deserialize)]
pub struct RouterLsas {
    #[serde(rename = "Router Link States", default)]
    by_area: BTreeMap<String, BTreeMap<String, RouterLsa>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RouterLsa {
    lsa_age: u32,
    #[serde(default)]
    router_links: BTreeMap<String, RouterLink>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RouterLink {
    network_address: Option<Ipv4Addr>,
    network_mask: Option<Ipv4Addr>,
}

impl RouterLsas {
    /// Host routes among the stub links (RFC 2328 §12.4.1.4).
    pub fn routes(&self) -> impl Iterator<Item = HostRoute> {
        let lsas = self.by_area.values().flat_map(BTreeMap::values).filter(|lsa| lsa.lsa_age < MAX_AGE);
        let hosts = lsas
            .flat_map(|lsa| lsa.router_links.values())
            .filter(|link| link.network_mask == Some(Ipv4Addr::BROADCAST));
        hosts.filter_map(|link| HostRoute::new(link.network_address?.into()).ok())
    }
}

/// `show ip ospf neighbor json`
#[derive(Debug, Default, Deserialize)]
pub struct Neighbors {
    #[serde(default)]
    neighbors: BTreeMap<String, Vec<NeighborSummary>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NeighborSummary {
    nbr_state: String,
    nbr_priority: u8,
    #[serde(default)]
    up_time_in_msec: u64,
    #[serde(default)]
    router_dead_interval_timer_due_msec: u64,
    iface_address: IpAddr,
    /// `eth0:10.0.0.1`
    iface_name: String,
}

impl Neighbors {
    pub fn observed(self) -> impl Iterator<Item = (NeighborId, Neighbor)> {
        self.neighbors.into_iter().flat_map(|(router_id, adjacencies)| {
            adjacencies.into_iter().filter_map(move |seen| seen.observed(&router_id))
        })
    }
}

impl NeighborSummary {
    fn observed(self, router_id: &str) -> Option<(NeighborId, Neighbor)> {
        let interface = self.iface_name.rsplit_once(':').map_or(self.iface_name.as_str(), |(name, _)| name);
        let (state, role) = self.nbr_state.split_once('/').unwrap_or((&self.nbr_state, ""));
        let id = NeighborId {
            version: Version::V2,
            interface: InterfaceName::parse(interface).ok()?,
            router_id: router_id.parse().ok()?,
        };
        let neighbor = Neighbor {
            address: Some(self.iface_address),
            state: self::state(state),
            role: self::role(role),
            priority: self.nbr_priority,
            uptime_seconds: self.up_time_in_msec / 1000,
            dead_time_seconds: self.router_dead_interval_timer_due_msec / 1000,
        };
        Some((id, neighbor))
    }
}

/// `show ipv6 ospf6 neighbor json`
#[derive(Debug, Default, Deserialize)]
pub struct Neighbors6 {
    #[serde(default)]
    neighbors: Vec<NeighborSummary6>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NeighborSummary6 {
    neighbor_id: Ipv4Addr,
    priority: u8,
    dead_time: String,
    state: String,
    if_state: String,
    duration: String,
    interface_name: String,
}

impl Neighbors6 {
    pub fn observed(self) -> impl Iterator<Item = (NeighborId, Neighbor)> {
        self.neighbors.into_iter().filter_map(|seen| {
            let interface = InterfaceName::parse(seen.interface_name).ok()?;
            let id = NeighborId { version: Version::V3, interface, router_id: seen.neighbor_id };
            let neighbor = Neighbor {
                address: None,
                state: state(&seen.state),
                role: role(&seen.if_state),
                priority: seen.priority,
                uptime_seconds: seconds(&seen.duration),
                dead_time_seconds: seconds(&seen.dead_time),
            };
            Some((id, neighbor))
        })
    }
}

/// `show ipv6 ospf6 database intra-prefix self-originated json`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hosts {
    #[serde(default)]
    area_scoped_link_state_db: Vec<Area>,
}

#[derive(Debug, Deserialize)]
struct Area {
    #[serde(default)]
    lsa: Vec<PrefixOfLsa>,
}

#[derive(Debug, Deserialize)]
struct PrefixOfLsa {
    age: u32,
    payload: String,
}

impl Hosts {
    pub fn routes(&self) -> impl Iterator<Item = HostRoute> {
        let all = self.area_scoped_link_state_db.iter().flat_map(|area| &area.lsa);
        let hosts = all.filter(|lsa| lsa.age < MAX_AGE && lsa.payload.ends_with("/128"));
        hosts.filter_map(|lsa| HostRoute::parse(&lsa.payload).ok())
    }
}

/// The two daemons spell some of them differently.
fn state(name: &str) -> NeighborState {
    match name {
        "Full" => NeighborState::Full,
        "Loading" => NeighborState::Loading,
        "Exchange" | "ExChange" => NeighborState::Exchange,
        "ExStart" => NeighborState::ExStart,
        "2-Way" | "Twoway" => NeighborState::TwoWay,
        "Init" => NeighborState::Init,
        "Attempt" => NeighborState::Attempt,
        _ => NeighborState::Down,
    }
}

fn role(name: &str) -> Option<Role> {
    match name {
        "DR" => Some(Role::Designated),
        "Backup" | "BDR" => Some(Role::Backup),
        "DROther" => Some(Role::Other),
        _ => None,
    }
}

/// Of `01:02:03`, and of `2d03:04:05` as ospf6d writes what is longer than a day.
fn seconds(text: &str) -> u64 {
    let (days, clock) = text.split_once('d').unwrap_or(("0", text));
    let parts = clock.split(':').map(|part| part.parse::<u64>().unwrap_or(0));
    days.parse::<u64>().unwrap_or(0) * 86400 + parts.fold(0, |sum, part| sum * 60 + part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_ospf6d_writes_them() {
        for (text, expected) in [("00:00:03", 3), ("01:02:03", 3723), ("1d00:00:01", 86401), ("", 0)] {
            assert_eq!(seconds(text), expected, "{text:?}");
        }
    }

    #[test]
    fn neighbours_of_both_versions_read_alike() {
        let v2 = r#"{"neighbors": {"10.99.0.254": [{"nbrState": "Full\/DR", "nbrPriority": 1,
            "upTimeInMsec": 2508, "routerDeadIntervalTimerDueMsec": 3493, "ifaceAddress": "10.99.0.254",
            "ifaceName": "eth0:10.99.0.1"}]}}"#;
        let v3 = r#"{"neighbors": [{"neighborId": "10.99.0.254", "priority": 1, "deadTime": "00:00:03",
            "state": "Full", "ifState": "DR", "duration": "00:00:02", "interfaceName": "eth0"}]}"#;
        let v2: Vec<_> = serde_json::from_str::<Neighbors>(v2).unwrap().observed().collect();
        let v3: Vec<_> = serde_json::from_str::<Neighbors6>(v3).unwrap().observed().collect();
        assert_eq!(
            (v2[0].0.to_string(), v3[0].0.to_string()),
            ("v2/eth0/10.99.0.254".into(), "v3/eth0/10.99.0.254".into())
        );
        assert_eq!(v2[0].1, Neighbor { address: Some("10.99.0.254".parse().unwrap()), ..v3[0].1.clone() });
        assert_eq!((v3[0].1.state, v3[0].1.role), (NeighborState::Full, Some(Role::Designated)));
    }

    #[test]
    fn host_routes_are_stub_links_of_an_lsa_that_is_not_on_its_way_out() {
        let lsa = |age: u32| {
            format!(
                r#"{{"Router Link States": {{"0.0.0.0": {{"10.99.0.1": {{"lsaAge": {age}, "routerLinks": {{
                "link0": {{"linkType": "a Transit Network", "tos0Metric": 65535}},
                "link1": {{"networkAddress": "10.200.0.20", "networkMask": "255.255.255.255"}},
                "link2": {{"networkAddress": "10.9.0.0", "networkMask": "255.255.255.0"}}}}}}}}}}}}"#
            )
        };
        for (age, expected) in [(6, vec!["10.200.0.20/32"]), (3600, vec![])] {
            let read: RouterLsas = serde_json::from_str(&lsa(age)).unwrap();
            assert_eq!(read.routes().map(|route| route.to_string()).collect::<Vec<_>>(), expected, "{age}");
        }
    }
}

//! An estate of three nodes on which all is well, and what becomes of its status when something is not.

mod conditions;
mod explanations;
mod others;
mod properties;

use super::*;
use crate::model::listener::ListenerKey;
use crate::model::net::{HostRoute, Port};
use crate::model::observed::{
    BackendHealth, BfdObserved, BfdState, DaemonVersion, EndpointHealth, ListenerState, Observed,
    PeerObserved, PeerState, Served,
};
use crate::model::status::{Explained, NodeStatus, Phase, Reason, VipStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;

const NOW: u64 = 1_800_000_000;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn route(text: &str) -> HostRoute {
    HostRoute::parse(text).unwrap()
}

fn peer_address() -> IpAddr {
    "10.0.0.254".parse().unwrap()
}

fn read<T: DeserializeOwned>(object: Value) -> T {
    serde_json::from_value(object).unwrap()
}

/// Facts that own what they are made of.
struct Estate {
    world: Resources,
    rejections: Vec<Rejected>,
    vips: BTreeMap<Name, VipFacts>,
    pools: BTreeMap<Name, PoolStatus>,
    attendance: BTreeMap<Name, Attendance>,
    now: u64,
    before: Option<EstateStatus>,
}

impl Estate {
    /// VIP `web` on n1, n2, n3; each announces it to 10.0.0.254, with BFD, and `minHealthyNodes` is 2.
    fn well() -> Self {
        let mut world = Resources::default();
        let vip = json!({
            "apiVersion": "novaedge.io/v1alpha1", "kind": "ProxyVIP",
            "metadata": {"name": "web", "generation": 3},
            "spec": {"mode": "BGP", "address": "10.200.0.20", "ports": [80], "bgpConfig": {
                "localAS": 64501, "peers": [{"address": "10.0.0.254", "as": 64500}]}},
        });
        world.vips.insert(name("web"), read(vip));
        let nodes: BTreeSet<Name> = ["n1", "n2", "n3"].map(name).into();
        let web = VipFacts {
            addresses: Some(Addresses::new([route("10.200.0.20")]).unwrap()),
            mode: "BGP".to_owned(),
            nodes: nodes.clone(),
            healthy: nodes.clone(),
            min_healthy: 2,
            listeners: true,
            ..VipFacts::default()
        };
        Self {
            world,
            rejections: Vec::new(),
            vips: BTreeMap::from([(name("web"), web)]),
            pools: BTreeMap::new(),
            attendance: nodes.into_iter().map(|node| (node.clone(), present(node))).collect(),
            now: NOW,
            before: None,
        }
    }

    fn compute(&self) -> EstateStatus {
        compute(&Facts {
            world: &self.world,
            rejections: &self.rejections,
            vips: &self.vips,
            pools: &self.pools,
            attendance: &self.attendance,
            term: Some(Term { created: 1_790_000_000, transitions: 2 }),
            now: self.now,
            before: self.before.as_ref(),
        })
    }

    fn web(&mut self) -> &mut VipFacts {
        self.vips.get_mut(&name("web")).unwrap()
    }

    fn report(&mut self, node: &str, edit: impl FnOnce(&mut NodeStatus)) {
        let attendance = self.attendance.get_mut(&name(node)).unwrap();
        edit(Arc::make_mut(attendance.status.as_mut().unwrap()));
    }

    /// The node's agent tells that the VIP is in this phase, for these reasons, and not in the daemon
    /// unless it is announced.
    fn tells(&mut self, node: &str, phase: Phase, reasons: &[Reason]) {
        self.report(node, |report| {
            let vip = report.vips.get_mut(&name("web")).unwrap();
            vip.phase = phase;
            vip.reasons = reasons.iter().map(Explained::from).collect();
            if !matches!(phase, Phase::Announced | Phase::Draining) {
                report.routing.announced.clear();
            }
        });
        if !matches!(phase, Phase::Ready | Phase::Announced) {
            self.web().healthy.remove(&name(node));
        }
    }

    fn silence(&mut self, node: &str) {
        let attendance = self.attendance.get_mut(&name(node)).unwrap();
        (attendance.alive, attendance.since) = (false, NOW - 5);
        self.web().healthy.remove(&name(node));
    }

    fn reject(&mut self, object: &str, field: &str, reason: &str, message: &str, notice: bool) {
        self.rejections.push(Rejected {
            object: object.to_owned(),
            field: field.to_owned(),
            reason: reason.to_owned(),
            message: message.to_owned(),
            place: None,
            notice,
        });
    }
}

fn present(node: Name) -> Attendance {
    Attendance {
        alive: true,
        since: NOW - 600,
        taken: Some(4),
        refused: Vec::new(),
        status: Some(Arc::new(report(node))),
    }
}

fn report(node: Name) -> NodeStatus {
    let vip = VipStatus {
        addresses: vec![route("10.200.0.20")],
        mode: "BGP".to_owned(),
        phase: Phase::Announced,
        reasons: Vec::new(),
        since: NOW - 300,
        ports: vec![Port::new(80).unwrap()],
    };
    let peer = PeerObserved {
        asn: 64500,
        local_asn: 64501,
        state: PeerState::Established,
        uptime_seconds: 300,
        prefixes_sent: 1,
        prefixes_received: 0,
        flaps: 0,
        last_error: None,
    };
    let session = BfdObserved {
        state: BfdState::Up,
        local: None,
        interface: None,
        multihop: false,
        uptime_seconds: 300,
        diagnostic: None,
        transmit_interval_ms: 300,
        receive_interval_ms: 300,
        detect_multiplier: 3,
        remote_detect_multiplier: 3,
        echo_interval_ms: None,
    };
    let healthy = [("10.9.0.1:80".parse().unwrap(), EndpointHealth::Healthy)];
    let backend = BackendHealth { endpoints: healthy.into() };
    let listener = ListenerKey { vip: name("web"), port: Port::new(80).unwrap() };
    NodeStatus {
        node,
        version: "0.1.0".to_owned(),
        generation: 4,
        term: None,
        started: NOW - 600,
        wish: None,
        held: BTreeSet::from([route("10.200.0.20")]),
        vips: BTreeMap::from([(name("web"), vip)]),
        routing: Observed {
            daemon: Some(DaemonVersion { name: "frr".to_owned(), version: "8.4.4".to_owned() }),
            peers: BTreeMap::from([(peer_address(), peer)]),
            announced: BTreeSet::from([route("10.200.0.20")]),
            bfd: BTreeMap::from([(peer_address(), session)]),
            ..Observed::default()
        },
        served: Served {
            listeners: BTreeMap::from([(listener, ListenerState::Bound)]),
            backends: BTreeMap::from([("default/web".to_owned().try_into().unwrap(), backend)]),
            ..Served::default()
        },
        rejected: Vec::new(),
    }
}

fn condition<'a>(conditions: &'a [Condition], kind: &str) -> &'a Condition {
    conditions.iter().find(|condition| condition.type_ == kind).unwrap_or_else(|| panic!("no {kind}"))
}

/// `True Announced`.
fn said(condition: &Condition) -> String {
    format!("{} {}", condition.status, condition.reason)
}

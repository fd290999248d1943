//! Estates of many VIPs and nodes, and what the agents report when all is well.

use novaedge::compile::resources::Resources;
use novaedge::model::attendance::Attendance;
use novaedge::model::name::{Key, Name};
use novaedge::model::observed::{
    BackendHealth, DaemonVersion, EndpointHealth, ListenerState, Observed, PeerObserved, PeerState, Served,
};
use novaedge::model::snapshot::Snapshot;
use novaedge::model::status::{NodeStatus, Phase, VipStatus};
use novaedge::model::term::Term;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How alike the VIPs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shapes {
    /// All of one template, on every node.
    One,
    /// Fifty shapes, each on a fiftieth of the nodes.
    Fifty,
    /// All of one template, on every node, and each node has an AS of its own.
    AsPerNode,
}

impl Shapes {
    pub const ALL: [Self; 3] = [Self::One, Self::Fifty, Self::AsPerNode];
}

impl fmt::Display for Shapes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One => "one shape",
            Self::Fifty => "50 shapes",
            Self::AsPerNode => "an AS per node",
        })
    }
}

const GROUPS: usize = 50;

/// Every second VIP has a gateway, a route and a backend.
pub struct World {
    pub shapes: Shapes,
    pub resources: Resources,
}

pub fn name(text: String) -> Name {
    Name::parse(text).expect("a name")
}

pub fn node_name(number: usize) -> Name {
    name(format!("node-{number:04}"))
}

pub fn vip_name(number: usize) -> Name {
    name(format!("vip-{number:05}"))
}

impl World {
    pub fn new(shapes: Shapes, vips: usize, nodes: usize) -> Self {
        let mut resources = Resources::default();
        for number in 0..if shapes == Shapes::Fifty { GROUPS } else { 1 } {
            let template = template(shapes, number);
            resources.templates.insert(name(format!("shape-{number}")), template);
        }
        for number in 0..nodes {
            resources.nodes.insert(node_name(number), node(number));
        }
        for number in 0..vips {
            let shape = if shapes == Shapes::Fifty { number % GROUPS } else { 0 };
            resources.vips.insert(vip_name(number), vip(number, shape));
            if number % 2 == 0 {
                serve(&mut resources, number);
            }
        }
        Self { shapes, resources }
    }

    pub fn nodes(&self) -> BTreeSet<Name> {
        self.resources.nodes.keys().cloned().collect()
    }

    /// Writes everything as JSON and reads it again: what a world costs that is only carried.
    pub fn through_json(&self) -> usize {
        let Resources { vips, gateways, routes, backends, nodes, .. } = &self.resources;
        carried(vips) + carried(gateways) + carried(routes) + carried(backends) + carried(nodes)
    }
}

fn carried<K: Ord + Serialize + DeserializeOwned, V: Serialize + DeserializeOwned>(
    map: &BTreeMap<K, V>,
) -> usize {
    let text = serde_json::to_vec(map).expect("objects are JSON");
    serde_json::from_slice::<BTreeMap<K, V>>(&text).expect("and can be read").len()
}

fn read<T: DeserializeOwned>(object: Value) -> T {
    serde_json::from_value(object).expect("an object")
}

fn template<T: DeserializeOwned>(shapes: Shapes, number: usize) -> T {
    let (field, asn) =
        if shapes == Shapes::AsPerNode { ("localASBase", 100_000) } else { ("localAS", 64_501) };
    let selector = match shapes {
        Shapes::Fifty => json!({"matchLabels": {"group": number.to_string()}}),
        Shapes::One | Shapes::AsPerNode => json!({}),
    };
    read(json!({
        "apiVersion": "novaedge.io/v1alpha1", "kind": "ProxyVIPTemplate",
        "metadata": {"name": format!("shape-{number}"), "generation": 1},
        "spec": {"mode": "BGP", "nodeSelector": selector,
            "healthPolicy": {"minHealthyNodes": 2},
            "bfd": {"enabled": true, "detectMultiplier": 3},
            "bgpConfig": {field: asn, "communities": ["64501:100"], "peers": [
                {"address": "172.16.0.1", "as": 64500}, {"address": "172.16.0.2", "as": 64500}]}},
    }))
}

fn node<T: DeserializeOwned>(number: usize) -> T {
    read(json!({
        "metadata": {"name": node_name(number), "labels": {"group": (number % GROUPS).to_string()},
            "annotations": {"novaedge.io/asn-index": number.to_string()}},
        "status": {"conditions": [{"type": "Ready", "status": "True"}], "addresses": [
            {"type": "InternalIP", "address": format!("10.1.{}.{}", number / 250, number % 250)}]},
    }))
}

fn vip<T: DeserializeOwned>(number: usize, shape: usize) -> T {
    read(json!({
        "apiVersion": "novaedge.io/v1alpha1", "kind": "ProxyVIP",
        "metadata": {"name": vip_name(number), "generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"ports": [80, 443], "address": format!("10.200.{}.{}", number / 250, number % 250),
            "templateRef": {"name": format!("shape-{shape}")}},
    }))
}

fn serve(resources: &mut Resources, number: usize) {
    let vip = vip_name(number);
    let key = Key::new(name("shop".to_owned()), vip.clone());
    let metadata = json!({"name": vip, "namespace": "shop", "generation": 1,
        "creationTimestamp": "2026-01-01T00:00:00Z"});
    let object = |kind: &str, spec: Value| json!({"apiVersion": "novaedge.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec});
    let listener =
        json!({"name": "http", "port": 80, "protocol": "HTTP", "hostnames": [format!("{vip}.example.com")]});
    let gateway = object("ProxyGateway", json!({"vipRef": vip, "listeners": [listener]}));
    let route = object(
        "ProxyRoute",
        json!({"parentRefs": [{"name": vip}], "rules": [{
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "backendRefs": [{"name": vip}]}]}),
    );
    let endpoint = |last: usize| json!({"address": format!("10.9.{}.{last}", number % 250), "port": 8080});
    let backend = object(
        "ProxyBackend",
        json!({"endpoints": [endpoint(1), endpoint(2)],
        "healthCheck": {"interval": "5s", "timeout": "1s", "httpPath": "/healthz"}}),
    );
    resources.gateways.insert(key.clone(), read(gateway));
    resources.routes.insert(key.clone(), read(route));
    resources.backends.insert(key, read(backend));
}

/// An agent to whom all is well, and that serves everything in the snapshot.
pub fn report(snapshot: &Snapshot, term: Option<Term>) -> NodeStatus {
    let vips = snapshot.vips.iter().map(|(name, vip)| {
        let status = VipStatus {
            addresses: vip.addresses.iter().collect(),
            mode: "BGP".to_owned(),
            phase: Phase::Announced,
            reasons: Vec::new(),
            since: 1_790_000_000,
            ports: vip.ports.iter().copied().collect(),
        };
        (name.clone(), status)
    });
    let held: BTreeSet<_> = snapshot.vips.values().flat_map(|vip| vip.addresses.iter()).collect();
    let backends = snapshot.serving.backends.iter().map(|(key, backend)| {
        let endpoints = backend.endpoints.iter().map(|endpoint| (endpoint.address, EndpointHealth::Healthy));
        (key.clone(), BackendHealth { endpoints: endpoints.collect() })
    });
    NodeStatus {
        node: snapshot.node.clone(),
        version: "bench".to_owned(),
        generation: snapshot.generation,
        term,
        started: 1_790_000_000,
        wish: None,
        held: held.clone(),
        vips: vips.collect(),
        routing: observed(snapshot, held),
        served: Served {
            listeners: snapshot
                .serving
                .listeners
                .keys()
                .map(|key| (key.clone(), ListenerState::Bound))
                .collect(),
            backends: backends.collect(),
            ..Served::default()
        },
        rejected: Vec::new(),
    }
}

fn observed(snapshot: &Snapshot, announced: BTreeSet<novaedge::model::net::HostRoute>) -> Observed {
    let peer = PeerObserved {
        asn: 64500,
        local_asn: 64501,
        state: PeerState::Established,
        uptime_seconds: 60,
        prefixes_sent: announced.len() as u64,
        prefixes_received: 0,
        flaps: 0,
        last_error: None,
    };
    let peers = snapshot.speaker.iter().flat_map(|speaker| speaker.peers.keys());
    Observed {
        daemon: Some(DaemonVersion { name: "frr".to_owned(), version: "8.4.4".to_owned() }),
        peers: peers.map(|address| (*address, peer.clone())).collect(),
        announced,
        ..Observed::default()
    }
}

/// An agent that is there, and says this.
pub fn present(status: std::sync::Arc<NodeStatus>) -> Attendance {
    let taken = Some(status.generation);
    Attendance { alive: true, since: 1_790_000_000, taken, refused: Vec::new(), status: Some(status) }
}

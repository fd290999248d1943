//! A small world in which everything is well, and what each single trouble does to it.

mod departure;
mod gone;
mod ospf;
mod properties;
mod table;
mod word;

use super::*;
use crate::model::backend::{Backend, Endpoint, LbPolicy, UpstreamProtocol};
use crate::model::bgp::{Asn, Audience, BgpRoute, GracefulRestart, PathAttributes, Peer, Speaker, Timers};
use crate::model::leaving::{Cause, Leaving};
use crate::model::listener::{Listener, ListenerKey, Serves};
use crate::model::name::Key;
use crate::model::net::{HostRoute, Port};
use crate::model::observed::*;
use crate::model::vip::{Addresses, Reach, Vip};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

const PEERS: [&str; 2] = ["10.0.0.253", "10.0.0.254"];
const ENDPOINT: &str = "10.9.0.1:8080";

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn key(text: &str) -> Key {
    Key::try_from(text.to_owned()).unwrap()
}

fn port(number: u16) -> Port {
    Port::new(number).unwrap()
}

fn route(text: &str) -> HostRoute {
    HostRoute::parse(text).unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn listener_key(vip: &str, number: u16) -> ListenerKey {
    ListenerKey { vip: name(vip), port: port(number) }
}

fn addresses(texts: &[&str]) -> Addresses {
    Addresses::new(texts.iter().map(|text| route(text))).unwrap()
}

/// A VIP with a TCP listener on each port, each with a backend of its own.
fn add_vip(snapshot: &mut Snapshot, vip: &str, at: &[&str], ports: &[u16]) {
    let reach = Reach::Bgp(BgpRoute {
        attributes: PathAttributes::default(),
        audience: Audience::Peers(PEERS.map(ip).into()),
    });
    let used_ports: BTreeSet<Port> = ports.iter().map(|number| port(*number)).collect();
    for number in ports {
        let backend = key(&format!("default/{vip}-{number}"));
        let serves = Serves::Tcp(vec![share(&backend)]);
        let listener = Listener { addresses: addresses(at).iter().map(HostRoute::address).collect(), serves };
        let serving = Arc::make_mut(&mut snapshot.serving);
        serving.listeners.insert(listener_key(vip, *number), listener.into());
        serving.backends.insert(backend, a_backend().into());
    }
    let added = Vip {
        addresses: addresses(at),
        ports: used_ports.clone(),
        reach,
        used_ports,
        min_healthy_nodes: 1,
        withdraw_when_no_backends: true,
        drain_period: Duration::from_secs(10),
        needs: BTreeSet::new(),
    };
    Arc::make_mut(&mut snapshot.vips).insert(name(vip), added.into());
}

/// To be altered.
fn the_vip<'a>(snapshot: &'a mut Snapshot, vip: &str) -> &'a mut Vip {
    Arc::make_mut(Arc::make_mut(&mut snapshot.vips).get_mut(&name(vip)).unwrap())
}

fn share(backend: &Key) -> crate::model::http::WeightedBackend {
    crate::model::http::WeightedBackend { backend: backend.clone(), weight: 1 }
}

fn a_backend() -> Backend {
    let address: SocketAddr = ENDPOINT.parse().unwrap();
    Backend {
        endpoints: vec![Endpoint { address, weight: 1, node: None }],
        policy: LbPolicy::RoundRobin,
        protocol: UpstreamProtocol::Tcp,
        connect_timeout: Duration::from_secs(2),
        idle_timeout: Duration::from_secs(60),
        health_check: None,
    }
}

fn peer(address: IpAddr) -> Peer {
    Peer {
        address,
        asn: Asn::new(64500).unwrap(),
        port: port(179),
        password: None,
        timers: Timers::default(),
        multihop: None,
        ttl_security: None,
        source: None,
        bfd: None,
    }
}

/// `web` at 10.200.0.20:80 and :443, `dual` at an address of each family, `idle` that nothing uses.
fn snapshot() -> Snapshot {
    let mut snapshot = Snapshot::empty(name("n1"));
    snapshot.speaker = Some(Speaker {
        asn: Asn::new(64501).unwrap(),
        router_id: None,
        graceful_restart: Some(GracefulRestart { restart_seconds: 60 }),
        peers: PEERS.map(|text| (ip(text), peer(ip(text)))).into(),
    });
    add_vip(&mut snapshot, "web", &["10.200.0.20"], &[80, 443]);
    add_vip(&mut snapshot, "dual", &["10.200.0.21", "2001:db8::21"], &[80]);
    add_vip(&mut snapshot, "idle", &["10.200.0.22"], &[]);
    snapshot
}

/// What a node reports once all of the snapshot is in force.
fn all_well(snapshot: &Snapshot) -> NodeFacts {
    let routes: BTreeSet<HostRoute> = snapshot.vips.values().flat_map(|vip| vip.addresses.iter()).collect();
    let healthy = |backend: &Backend| BackendHealth {
        endpoints: backend.endpoints.iter().map(|e| (e.address, EndpointHealth::Healthy)).collect(),
    };
    let backends = &snapshot.serving.backends;
    NodeFacts {
        held: Held { addresses: routes.clone(), ..Held::default() },
        guarded: Guarded { addresses: routes.iter().map(|r| r.address()).collect(), trouble: None },
        observed: Observed {
            daemon: Some(DaemonVersion { name: "frr".into(), version: "8.4.4".into() }),
            peers: PEERS.map(|text| (ip(text), established())).into(),
            announced: routes,
            ..Observed::default()
        },
        served: Served {
            listeners: snapshot.serving.listeners.keys().map(|k| (k.clone(), ListenerState::Bound)).collect(),
            backends: backends.iter().map(|(k, backend)| (k.clone(), healthy(backend))).collect(),
            ..Served::default()
        },
        router_id: Ipv4Addr::new(10, 0, 0, 1),
        uplink: None,
        leaving: BTreeMap::new(),
        leave: BTreeMap::new(),
        former: Formers::new(),
    }
}

/// What a node reports before anything of the snapshot is in force; the daemon answers.
fn afresh(snapshot: &Snapshot) -> NodeFacts {
    let mut facts = all_well(snapshot);
    facts.held = Held::default();
    facts.guarded = Guarded::default();
    facts.served = Served::default();
    facts.observed.announced.clear();
    facts
}

fn established() -> PeerObserved {
    PeerObserved {
        asn: 64500,
        local_asn: 64501,
        state: PeerState::Established,
        uptime_seconds: 60,
        prefixes_sent: 0,
        prefixes_received: 0,
        flaps: 0,
        last_error: None,
    }
}

fn set_health(facts: &mut NodeFacts, backend: &str, health: EndpointHealth) {
    let endpoints = [(ENDPOINT.parse().unwrap(), health)].into();
    facts.served.backends.insert(key(backend), BackendHealth { endpoints });
}

/// Everything that the snapshot has is to leave, and is at this step.
fn leave_all(snapshot: &Snapshot, facts: &mut NodeFacts, step: Leave) {
    for (name, vip) in snapshot.vips.iter() {
        leave_one(name, vip, facts, step);
    }
}

fn leave_one(name: &Name, vip: &Vip, facts: &mut NodeFacts, step: Leave) {
    facts.leaving.insert(name.clone(), Leaving::Granted { cause: Cause::Drain });
    facts.leave.extend(vip.addresses.iter().map(|route| (route, step)));
}

/// The loop's memory when `after` follows `before`.
fn follow(before: &Snapshot, after: &Snapshot, facts: &mut NodeFacts) {
    facts.former = former::remember(std::mem::take(&mut facts.former), before, after);
}

fn without(snapshot: &Snapshot, vip: &str) -> Snapshot {
    let mut after = snapshot.clone();
    Arc::make_mut(&mut after.vips).remove(&name(vip));
    let serving = Arc::make_mut(&mut after.serving);
    serving.listeners.retain(|key, _| key.vip != name(vip));
    serving.backends.retain(|key, _| !key.to_string().contains(vip));
    after
}

/// Drivers that do as they are told at once.
fn obey(desired: &Desired, facts: &mut NodeFacts) {
    facts.held.addresses.clone_from(&desired.link.addresses);
    facts.guarded.addresses.clone_from(&desired.exposure.addresses);
    let wanted = desired.routing.announcements.keys().copied();
    let held = &facts.held.addresses;
    facts.observed.announced = wanted.filter(|route| held.contains(route)).collect();
    let listeners = desired.proxy.serving.listeners.keys();
    facts.served.listeners = listeners.map(|key| (key.clone(), ListenerState::Bound)).collect();
}

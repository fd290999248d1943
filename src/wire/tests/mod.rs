//! Pages over a line that is good, cut, or spoilt: a sender and a receiver without a network.

mod line;
mod pages;
mod properties;

use crate::model::backend::{Backend, Endpoint, LbPolicy, UpstreamProtocol};
use crate::model::bgp::{Asn, Audience, BgpRoute, PathAttributes, Speaker};
use crate::model::leaving::{Cause, Hold, Leaving};
use crate::model::listener::{Listener, ListenerKey, Serves};
use crate::model::name::{Key, Name};
use crate::model::net::{HostRoute, Port};
use crate::model::ospf;
use crate::model::snapshot::Snapshot;
use crate::model::vip::{Addresses, Reach, Vip};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn route(number: u16) -> HostRoute {
    HostRoute::new(Ipv4Addr::from(0x0ac8_0000 + u32::from(number)).into()).unwrap()
}

/// `flavour`: what an edit changes.
fn vip(number: u16, flavour: u32) -> Vip {
    Vip {
        addresses: Addresses::new([route(number)]).unwrap(),
        ports: BTreeSet::from([Port::new(80).unwrap()]),
        reach: Reach::Bgp(BgpRoute {
            attributes: PathAttributes { med: Some(flavour), ..PathAttributes::default() },
            audience: Audience::Peers(BTreeSet::new()),
        }),
        used_ports: BTreeSet::new(),
        min_healthy_nodes: 1,
        withdraw_when_no_backends: true,
        drain_period: Duration::from_secs(10),
        needs: BTreeSet::new(),
    }
}

fn vip_name(number: u16) -> Name {
    name(&format!("vip-{number}"))
}

fn backend(port: u16) -> Backend {
    let endpoint = Endpoint { address: ([10, 9, 0, 1], port).into(), weight: 1, node: None };
    Backend {
        endpoints: vec![endpoint],
        policy: LbPolicy::RoundRobin,
        protocol: UpstreamProtocol::Tcp,
        connect_timeout: Duration::from_secs(2),
        idle_timeout: Duration::from_secs(60),
        health_check: None,
    }
}

fn ospf_speaker(area: u32) -> ospf::Speaker {
    ospf::Speaker {
        router_id: None,
        area: ospf::AreaId::new(area),
        timers: ospf::Timers { hello_seconds: 10, dead_seconds: 40 },
        authentication: ospf::Authentication::Md5(ospf::AuthKey::parse("sesame").unwrap()),
        graceful_restart: true,
        bfd: None,
        interfaces: ospf::Interfaces::default(),
    }
}

/// A node's snapshot with these VIPs by number and flavour, each with a listener and a backend.
fn snapshot(vips: &BTreeMap<u16, u32>, leaving: &[u16]) -> Snapshot {
    let mut snapshot = Snapshot::empty(name("n1"));
    let speaker = Speaker {
        asn: Asn::new(64501).unwrap(),
        router_id: None,
        graceful_restart: None,
        peers: BTreeMap::new(),
    };
    snapshot.speaker = (!vips.is_empty()).then_some(speaker);
    let flavours = vips.values().copied().collect::<BTreeSet<u32>>();
    snapshot.ospf = flavours.last().map(|flavour| ospf_speaker(*flavour));
    for (number, flavour) in vips {
        Arc::make_mut(&mut snapshot.vips).insert(vip_name(*number), vip(*number, *flavour).into());
        let serving = Arc::make_mut(&mut snapshot.serving);
        let listener =
            Listener { addresses: BTreeSet::from([route(*number).address()]), serves: Serves::Tcp(vec![]) };
        let key = ListenerKey { vip: vip_name(*number), port: Port::new(80).unwrap() };
        serving.listeners.insert(key, listener.into());
        let port = u16::try_from(1000 + flavour % 1000).unwrap();
        serving.backends.insert(Key::new(name("default"), vip_name(*number)), backend(port).into());
    }
    for number in leaving {
        let held = Leaving::Held { cause: Cause::Cordon, by: Hold::OneByOne { leaver: name("n2") } };
        snapshot.leaving.insert(vip_name(*number), held);
    }
    snapshot
}

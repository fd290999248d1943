//! Snapshots and reports to send.

use novaedge::model::bgp::{Audience, BgpRoute, PathAttributes};
use novaedge::model::name::Name;
use novaedge::model::net::{HostRoute, Port};
use novaedge::model::observed::{Observed, Served};
use novaedge::model::snapshot::Snapshot;
use novaedge::model::status::NodeStatus;
use novaedge::model::term::Term;
use novaedge::model::vip::{Addresses, Reach, Vip};
use novaedge::wire::server::Bulletin;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

pub fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub fn term(transitions: u64) -> Option<Term> {
    Some(Term { created: 1, transitions })
}

/// `med` is what an edit changes.
pub fn vip(number: u32, med: u32) -> Arc<Vip> {
    let address = HostRoute::new(Ipv4Addr::from(0x0ac8_0000 + number).into()).unwrap();
    Arc::new(Vip {
        addresses: Addresses::new([address]).unwrap(),
        ports: BTreeSet::from([Port::new(80).unwrap(), Port::new(443).unwrap()]),
        reach: Reach::Bgp(BgpRoute {
            attributes: PathAttributes { med: Some(med), ..PathAttributes::default() },
            audience: Audience::Peers(BTreeSet::from([[10, 0, 0, 253].into(), [10, 0, 0, 254].into()])),
        }),
        used_ports: BTreeSet::new(),
        min_healthy_nodes: 1,
        withdraw_when_no_backends: true,
        drain_period: Duration::from_secs(10),
        needs: BTreeSet::new(),
    })
}

pub fn vips(count: u32, med: u32) -> Arc<BTreeMap<Name, Arc<Vip>>> {
    Arc::new((0..count).map(|number| (name(&format!("vip-{number}")), vip(number, med))).collect())
}

pub fn snapshot(node: &str, generation: u64, vips: &Arc<BTreeMap<Name, Arc<Vip>>>) -> Arc<Snapshot> {
    Arc::new(Snapshot { generation, vips: Arc::clone(vips), ..Snapshot::empty(name(node)) })
}

pub fn bulletin<'a>(
    term: Option<Term>,
    snapshots: impl IntoIterator<Item = &'a Arc<Snapshot>>,
) -> Arc<Bulletin> {
    let named = |snapshot: &Arc<Snapshot>| (snapshot.node.clone(), Arc::clone(snapshot));
    let snapshots = snapshots.into_iter().map(named).collect();
    Arc::new(Bulletin { term, snapshots })
}

pub fn status(node: &str, started: u64) -> Arc<NodeStatus> {
    Arc::new(NodeStatus {
        node: name(node),
        version: "test".to_owned(),
        generation: 1,
        term: None,
        started,
        wish: None,
        held: BTreeSet::new(),
        vips: BTreeMap::new(),
        routing: Observed::default(),
        served: Served::default(),
        rejected: vec![],
    })
}

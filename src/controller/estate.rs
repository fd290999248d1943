//! The estate, compiled when something that it is made of has changed.
//!
//! Agents report many times a second, and hardly ever is a word among it that the compiler cares about. So its
//! arguments are kept beside its result, and compared.

use super::publish::Snapshots;
use crate::compile::accepted::Accepted;
use crate::compile::{Allocations, Estate, Given, Memory};
use crate::manifests::Loaded;
use crate::model::attendance::Attendance;
use crate::model::name::Name;
use crate::model::snapshot::Snapshot;
use crate::model::status::Phase;
use crate::model::step::in_step;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a compile is made of.
#[derive(Debug, Clone)]
pub struct Arguments {
    pub loaded: Arc<Loaded>,
    pub pools: Allocations,
    pub nodes: BTreeSet<Name>,
}

impl Arguments {
    fn same(&self, other: &Self) -> bool {
        let Self { loaded, pools, nodes } = other;
        Arc::ptr_eq(&self.loaded, loaded) && self.pools == *pools && self.nodes == *nodes
    }

    fn compile(&self, accepted: &Accepted, serving: &Lingering, memory: &mut Memory) -> Arc<Compiled> {
        let Self { loaded, pools, nodes } = self;
        let given = Given { world: &loaded.resources, accepted, pools: Some(pools), nodes, serving };
        let estate = Estate::compile(&given, memory);
        let snapshots = estate.snapshots(&BTreeMap::new());
        let accepted = estate.accepted();
        Arc::new(Compiled { estate, snapshots, accepted, serving: serving.clone() })
    }
}

/// The VIPs that nodes serve, although they are no candidates any more.
type Lingering = BTreeMap<Name, BTreeSet<Name>>;

/// What came of it.
#[derive(Debug)]
pub struct Compiled {
    pub estate: Estate,
    /// Nobody leaves in them yet.
    pub snapshots: BTreeMap<Name, Snapshot>,
    /// What is in use now.
    pub accepted: Accepted,
    serving: Lingering,
}

/// The last compile.
#[derive(Debug, Default)]
pub struct Compiler {
    memory: Memory,
    arguments: Option<Arguments>,
    /// For the candidates alone.
    plain: Option<Arc<Compiled>>,
    /// With those that still serve what they are no candidates for.
    lingering: Option<Arc<Compiled>>,
    /// By each node that has reported: what it served by its first report, and is no candidate for. It was told
    /// so by another controller, or by an earlier life of this one.
    adopted: Lingering,
}

impl Compiler {
    /// The estate as it must be now. `published` is what the nodes were told last.
    pub fn compile(
        &mut self,
        arguments: Arguments,
        accepted: &Accepted,
        published: &Snapshots,
        attendance: &BTreeMap<Name, Attendance>,
    ) -> Arc<Compiled> {
        let same = self.arguments.as_ref().is_some_and(|before| before.same(&arguments));
        if !same {
            (self.plain, self.lingering) = (None, None);
        }
        let memory = &mut self.memory;
        let plain = self.plain.get_or_insert_with(|| arguments.compile(accepted, &Lingering::new(), memory));
        adopt(&mut self.adopted, plain, attendance);
        let serving = lingering(plain, published, &self.adopted, attendance);
        self.lingering.take_if(|compiled| compiled.serving != serving);
        let newest = if serving.is_empty() {
            plain
        } else {
            self.lingering.get_or_insert_with(|| arguments.compile(accepted, &serving, memory))
        };
        self.arguments = Some(arguments);
        Arc::clone(newest)
    }
}

fn adopt(adopted: &mut Lingering, plain: &Compiled, attendance: &BTreeMap<Name, Attendance>) {
    for (node, agent) in attendance {
        if adopted.contains_key(node) {
            continue;
        }
        let (Some(status), Some(snapshot)) = (&agent.status, plain.snapshots.get(node)) else { continue };
        let others = status.vips.keys().filter(|vip| !snapshot.vips.contains_key(*vip));
        adopted.insert(node.clone(), others.filter(|vip| serves(Some(agent), vip)).cloned().collect());
    }
}

fn lingering(
    plain: &Compiled,
    published: &Snapshots,
    adopted: &Lingering,
    attendance: &BTreeMap<Name, Attendance>,
) -> Lingering {
    let is_lost = |now: &Snapshot, vip: &Name| !now.vips.contains_key(vip) && plain.estate.uses(vip);
    let mut compared = BTreeMap::new();
    let mut lingering = Lingering::new();
    for (node, now) in &plain.snapshots {
        let lost = published.get(node).map(|before| {
            let pair = (Arc::as_ptr(&before.vips) as usize, Arc::as_ptr(&now.vips) as usize);
            let gone = || in_step(&before.vips, &now.vips).filter(|(_, _, now)| now.is_none());
            let lost = || gone().map(|(vip, ..)| vip).filter(|vip| is_lost(now, vip)).collect::<Vec<_>>();
            compared.entry(pair).or_insert_with(lost).clone()
        });
        let adopted = adopted.get(node).into_iter().flatten().filter(|vip| is_lost(now, vip));
        let all = lost.into_iter().flatten().chain(adopted);
        let served: BTreeSet<Name> = all.filter(|vip| serves(attendance.get(node), vip)).cloned().collect();
        if !served.is_empty() {
            lingering.insert(node.clone(), served);
        }
    }
    lingering
}

fn serves(agent: Option<&Attendance>, vip: &Name) -> bool {
    let status = agent.filter(|agent| agent.alive).and_then(|agent| agent.status.as_ref());
    let phase = status.and_then(|status| status.vips.get(vip)).map(|vip| vip.phase);
    phase.is_some_and(|phase| matches!(phase, Phase::Ready | Phase::Announced | Phase::Draining))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::status::{NodeStatus, VipStatus};
    use serde_json::json;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    /// `web` selects no node at all.
    fn arguments() -> Arguments {
        let mut loaded = Loaded::default();
        let vip = json!({"metadata": {"name": "web"}, "spec": {
            "mode": "BGP", "address": "10.200.0.20", "ports": [80],
            "nodeSelector": {"matchLabels": {"no": "node"}},
            "bgpConfig": {"localAS": 64501, "peers": [{"address": "10.0.0.254", "as": 64500}]}}});
        loaded.resources.vips.insert(name("web"), serde_json::from_value(vip).unwrap());
        Arguments { loaded: Arc::new(loaded), pools: Allocations::new(), nodes: [name("n1")].into() }
    }

    fn reports(phase: Phase) -> BTreeMap<Name, Attendance> {
        let vip = VipStatus {
            addresses: Vec::new(),
            mode: "BGP".to_owned(),
            phase,
            reasons: Vec::new(),
            since: 0,
            ports: Vec::new(),
        };
        let status = NodeStatus { vips: [(name("web"), vip)].into(), ..NodeStatus::empty(name("n1")) };
        let agent = Attendance { alive: true, status: Some(Arc::new(status)), ..Attendance::default() };
        [(name("n1"), agent)].into()
    }

    /// Whether `n1` is told of `web`.
    fn tells(
        compiler: &mut Compiler,
        published: &Snapshots,
        attendance: &BTreeMap<Name, Attendance>,
    ) -> bool {
        let compiled = compiler.compile(arguments(), &Accepted::default(), published, attendance);
        compiled.snapshots["n1"].vips.contains_key("web")
    }

    #[test]
    fn what_a_node_serves_when_the_controller_comes_stays_until_it_has_left() {
        let (mut compiler, nothing) = (Compiler::default(), Snapshots::new());
        assert!(!tells(&mut compiler, &nothing, &BTreeMap::new()), "it is no candidate");
        assert!(tells(&mut compiler, &nothing, &reports(Phase::Announced)), "it serves it from before");
        assert!(tells(&mut compiler, &nothing, &reports(Phase::Draining)));
        assert!(!tells(&mut compiler, &nothing, &reports(Phase::Withdrawn)), "it has left");
        let mut other = Compiler::default();
        assert!(!tells(&mut other, &nothing, &reports(Phase::Preparing)));
        assert!(!tells(&mut other, &nothing, &reports(Phase::Announced)), "it came to serve it by no order");
    }
}

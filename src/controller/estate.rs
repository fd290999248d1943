//! The estate, compiled when something that it is made of has changed.
//!
//! Agents report many times a second, and hardly ever is a word among it that the compiler cares about. So its
//! arguments are kept beside its result, and compared.

use super::publish::Snapshots;
use crate::compile::accepted::Accepted;
use crate::compile::{Allocations, Estate, Given};
use crate::manifests::Loaded;
use crate::model::attendance::Attendance;
use crate::model::name::Name;
use crate::model::snapshot::Snapshot;
use crate::model::status::Phase;
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

    fn compile(&self, accepted: &Accepted, serving: &Lingering) -> Arc<Compiled> {
        let Self { loaded, pools, nodes } = self;
        let given = Given { world: &loaded.resources, accepted, pools: Some(pools), nodes, serving };
        let estate = Estate::compile(&given);
        let snapshots = estate.snapshots(&BTreeMap::new());
        Arc::new(Compiled { estate, snapshots, serving: serving.clone() })
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
    serving: Lingering,
}

/// The last compile.
#[derive(Debug, Default)]
pub struct Compiler {
    arguments: Option<Arguments>,
    /// For the candidates alone.
    plain: Option<Arc<Compiled>>,
    /// With those that still serve what they are no candidates for.
    lingering: Option<Arc<Compiled>>,
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
        let plain = self.plain.get_or_insert_with(|| arguments.compile(accepted, &Lingering::new()));
        let serving = lingering(plain, published, attendance);
        self.lingering.take_if(|compiled| compiled.serving != serving);
        let newest = if serving.is_empty() {
            plain
        } else {
            self.lingering.get_or_insert_with(|| arguments.compile(accepted, &serving))
        };
        self.arguments = Some(arguments);
        Arc::clone(newest)
    }
}

fn lingering(plain: &Compiled, published: &Snapshots, attendance: &BTreeMap<Name, Attendance>) -> Lingering {
    let in_use: BTreeSet<&Name> = plain.estate.vips().map(|(name, _)| name).collect();
    let mut compared = BTreeMap::new();
    let mut lingering = Lingering::new();
    for (node, before) in published {
        let Some(now) = plain.snapshots.get(node) else { continue };
        let pair = (Arc::as_ptr(&before.vips) as usize, Arc::as_ptr(&now.vips) as usize);
        let lost = compared.entry(pair).or_insert_with(|| {
            let lost = before.vips.keys().filter(|vip| !now.vips.contains_key(*vip) && in_use.contains(vip));
            lost.collect::<Vec<_>>()
        });
        let served = lost.iter().filter(|vip| serves(attendance.get(node), vip));
        let served: BTreeSet<Name> = served.map(|vip| (*vip).clone()).collect();
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

//! Events of many watches → one world. Pure but for the board, which it fills.

use super::Cluster;
use super::board::Board;
use super::object::{Read, id, read};
use crate::compile::kind::{Id, Kind};
use crate::model::name::Key;
use crate::model::status::Rejected;
use kube::core::DynamicObject;
use kube::runtime::watcher::Event;
use std::collections::{BTreeMap, BTreeSet};

/// What one watch is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Every object of the kind.
    All(Kind),
    Secret(Key),
}

impl Scope {
    pub fn kind(&self) -> Kind {
        match self {
            Self::All(kind) => *kind,
            Self::Secret(_) => Kind::Secret,
        }
    }
}

/// What one watch has brought.
#[derive(Debug, Default)]
struct Part {
    ids: BTreeSet<Id>,
    /// While the watch begins anew: what it has brought since.
    anew: Option<BTreeSet<Id>>,
    /// It has been read whole once.
    is_complete: bool,
}

#[derive(Debug, Default)]
pub struct Stores {
    parts: BTreeMap<Scope, Part>,
    cluster: Cluster,
    problems: BTreeMap<Id, Rejected>,
    board: Board,
}

impl Stores {
    pub fn new(board: Board) -> Self {
        Self { board, ..Self::default() }
    }

    /// The world of now.
    pub fn cluster(&self) -> Cluster {
        Cluster { problems: self.problems.values().cloned().collect(), ..self.cluster.clone() }
    }

    pub fn resources(&self) -> &crate::compile::resources::Resources {
        &self.cluster.resources
    }

    /// Whether the watch has been read whole once.
    pub fn is_complete(&self, scope: &Scope) -> bool {
        self.parts.get(scope).is_some_and(|part| part.is_complete)
    }

    /// The scopes of Secrets that there are.
    pub fn secrets(&self) -> BTreeSet<Key> {
        let secret = |scope: &Scope| match scope {
            Scope::Secret(key) => Some(key.clone()),
            Scope::All(_) => None,
        };
        self.parts.keys().filter_map(secret).collect()
    }

    /// A watch begins; what it brings is expected from now on.
    pub fn open(&mut self, scope: Scope) {
        self.parts.entry(scope).or_default();
    }

    /// Nobody needs the scope any more. Whether the world changed.
    pub fn close(&mut self, scope: &Scope) -> bool {
        let Some(part) = self.parts.remove(scope) else { return false };
        let removed: Vec<bool> = part.ids.iter().map(|id| self.forget(id)).collect();
        removed.contains(&true)
    }

    /// Takes what a watch has brought. Whether the world changed.
    pub fn take(&mut self, scope: &Scope, event: Event<DynamicObject>) -> bool {
        // A scope that was closed is still talking.
        let Some(part) = self.parts.get_mut(scope) else { return false };
        match event {
            Event::Init => {
                part.anew = Some(BTreeSet::new());
                false
            }
            Event::InitApply(object) | Event::Apply(object) => match read(scope.kind(), object) {
                Some(read) => {
                    part.ids.insert(read.id.clone());
                    if let Some(anew) = &mut part.anew {
                        anew.insert(read.id.clone());
                    }
                    self.put(read)
                }
                None => false,
            },
            Event::Delete(object) => {
                let Some(id) = id(scope.kind(), &object) else { return false };
                part.ids.remove(&id);
                self.forget(&id)
            }
            Event::InitDone => {
                let completes = !std::mem::replace(&mut part.is_complete, true);
                let Some(anew) = part.anew.take() else { return completes };
                let gone: Vec<Id> = part.ids.difference(&anew).cloned().collect();
                part.ids = anew;
                let removed: Vec<bool> = gone.iter().map(|id| self.forget(id)).collect();
                completes || removed.contains(&true)
            }
        }
    }

    fn put(&mut self, Read { id, known, object }: Read) -> bool {
        self.board.put(id.clone(), known);
        let world = &mut self.cluster.resources;
        match object {
            Ok(object) => {
                let differs = !object.is_in(&id, world);
                if differs {
                    object.insert(&id, world);
                }
                self.problems.remove(&id).is_some() || differs
            }
            Err(mut problem) => {
                if id.is_in(world) {
                    problem.message.push_str(" (what was read before stays in use)");
                }
                self.problems.insert(id, problem.clone()) != Some(problem)
            }
        }
    }

    fn forget(&mut self, id: &Id) -> bool {
        self.board.remove(id);
        let was_a_problem = self.problems.remove(id).is_some();
        id.remove(&mut self.cluster.resources) || was_a_problem
    }
}

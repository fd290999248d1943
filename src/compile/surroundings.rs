//! What a shape depends on beside what is written in the VIP: the nodes' labels, and passwords.

use super::memo::Same;
use super::scene::{Scene, labels};
use super::selector::{Labels, Selector};
use crate::model::bgp::Password;
use crate::model::name::{Key, Name};
use k8s_openapi::api::core::v1::Secret;
use std::collections::BTreeMap;

/// Only labels of nodes: their status changes all the time.
#[derive(Debug, Default, PartialEq)]
pub struct Surroundings {
    labels: BTreeMap<Name, Labels>,
    secrets: BTreeMap<Key, Same<Secret>>,
    /// As in [`Accepted`](super::accepted::Accepted).
    passwords: BTreeMap<String, Password>,
}

impl Surroundings {
    pub fn of(scene: &Scene) -> Self {
        let world = scene.world;
        Self {
            labels: world.nodes.iter().map(|(name, node)| (name.clone(), labels(node).clone())).collect(),
            secrets: world.secrets.iter().map(|(key, secret)| (key.clone(), Same::of(secret))).collect(),
            passwords: scene.accepted.passwords.clone(),
        }
    }

    /// The only node that is selected, if it is known to be the only one: nodes without a Node object are
    /// not known.
    pub fn only_one(&self, selector: &Selector) -> Option<&Name> {
        let mut selected = self.labels.iter().filter(|(_, labels)| selector.matches(labels));
        let first = selected.next().map(|(name, _)| name);
        first.filter(|_| selected.next().is_none())
    }

    pub fn secret(&self, key: &Key) -> Option<&Secret> {
        self.secrets.get(key).map(|secret| &**secret)
    }

    /// Of a session or a speaker that runs.
    pub fn password(&self, remembered: &str) -> Option<&Password> {
        self.passwords.get(remembered)
    }
}

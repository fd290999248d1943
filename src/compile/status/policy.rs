//! The status of policies and templates: whether they are used.

use super::Facts;
use super::problems::Problems;
use super::verdict::Clock;
use crate::api::policy::{PolicyStatus, ProxyPolicy};
use crate::api::template::{ProxyVIPTemplate, TemplateStatus};
use crate::model::name::{Key, Name};
use std::collections::BTreeMap;
use std::sync::Arc;

pub fn policies(facts: &Facts<'_>, problems: &Problems<'_>) -> BTreeMap<Key, PolicyStatus> {
    let status = |(key, object): (&Key, &Arc<ProxyPolicy>)| {
        let about = problems.about("ProxyPolicy", key);
        let before = facts.before.and_then(|before| before.policies.get(key));
        let clock = Clock {
            now: facts.now,
            generation: object.metadata.generation,
            before: before.map(|before| before.conditions.as_slice()).unwrap_or_default(),
        };
        let conditions = clock.conditions([about.accepted(&[]), about.resolved_refs()]);
        (key.clone(), PolicyStatus { conditions, observed_generation: object.metadata.generation })
    };
    facts.world.policies.iter().map(status).collect()
}

pub fn templates(facts: &Facts<'_>, problems: &Problems<'_>) -> BTreeMap<Name, TemplateStatus> {
    let status = |(name, object): (&Name, &Arc<ProxyVIPTemplate>)| {
        let about = problems.about("ProxyVIPTemplate", name);
        let before = facts.before.and_then(|before| before.templates.get(name));
        let clock = Clock {
            now: facts.now,
            generation: object.metadata.generation,
            before: before.map(|before| before.conditions.as_slice()).unwrap_or_default(),
        };
        let conditions = clock.conditions([about.accepted(&[])]);
        (name.clone(), TemplateStatus { conditions, observed_generation: object.metadata.generation })
    };
    facts.world.templates.iter().map(status).collect()
}

//! What nodes wish, and why.

use super::{Facts, urgency};
use crate::api::vip::DrainTrigger;
use crate::compile::vip::Draft;
use crate::model::leaving::Cause;
use crate::model::name::Name;
use k8s_openapi::api::core::v1::{Node, NodeCondition};
use std::collections::{BTreeMap, BTreeSet};

/// On a Node: `"true"` wishes all VIPs away.
pub const DRAIN: &str = "novaedge.io/drain";

/// The taint of Kubernetes' non-graceful node shutdown.
const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

/// Nodes that turn not ready within this time of each other do so together.
const TOGETHER_SECONDS: u64 = 60;

/// The causes that hold on each node, whatever the VIP; nodes without any are left out.
pub fn nodes<'a>(facts: &Facts<'a>) -> BTreeMap<&'a Name, BTreeSet<Cause>> {
    let objects =
        facts.world.nodes.iter().flat_map(|(name, node)| causes(node).map(move |cause| (name, cause)));
    // An agent that is not heard wishes what it last wished: a stream that breaks in the middle of a departure
    // calls nobody back.
    let agents = facts.attendance.iter();
    let agents = agents.filter_map(|(name, agent)| Some((name, agent.status.as_ref()?.wish?)));
    let mut wishing: BTreeMap<&Name, BTreeSet<Cause>> = BTreeMap::new();
    for (name, cause) in objects.chain(agents) {
        wishing.entry(name).or_default().insert(cause);
    }
    wishing
}

/// The nodes that wish to leave the VIP, each with its most urgent cause; the most urgent first.
pub fn of_vip<'a>(
    facts: &Facts<'a>,
    wishing: &BTreeMap<&'a Name, BTreeSet<Cause>>,
    vip: &Name,
    draft: &Draft,
) -> Vec<(&'a Name, Cause)> {
    let mut wishes = Vec::new();
    for (node, is_candidate) in facts.estate.nodes_of(vip) {
        let here = wishing.get(node).into_iter().flatten().copied();
        let away = (!is_candidate).then_some(Cause::NotSelected);
        let counts = |cause: &Cause| counts(*cause, draft) && !is_everybodys(facts, vip, node, *cause);
        if let Some(cause) = here.chain(away).filter(counts).min_by_key(|cause| urgency(*cause)) {
            wishes.push((node, cause));
        }
    }
    wishes.sort_by_key(|(node, cause)| (urgency(*cause), *node));
    wishes
}

fn causes(node: &Node) -> impl Iterator<Item = Cause> {
    let spec = node.spec.as_ref();
    let is_cordoned = spec.is_some_and(|spec| spec.unschedulable == Some(true));
    let mut taints = spec.into_iter().flat_map(|spec| spec.taints.iter().flatten());
    let is_out = taints.any(|taint| taint.key == OUT_OF_SERVICE);
    let is_annotated =
        node.metadata.annotations.iter().flatten().any(|(key, value)| key == DRAIN && value == "true");
    let all = [
        (is_cordoned, Cause::Cordon),
        (is_out, Cause::OutOfService),
        (is_annotated, Cause::Annotation),
        (!is_ready(node), Cause::NotReady),
    ];
    all.into_iter().filter(|(holds, _)| *holds).map(|(_, cause)| cause)
}

/// Nodes of a directory that say nothing about it are ready.
pub fn is_ready(node: &Node) -> bool {
    ready_condition(node).is_none_or(|condition| condition.status == "True")
}

fn ready_condition(node: &Node) -> Option<&NodeCondition> {
    let conditions = node.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == "Ready")
}

/// Whether the VIP's author lets the cause count. What an operator says on the node itself always does.
fn counts(cause: Cause, draft: &Draft) -> bool {
    let trigger = match cause {
        Cause::Cordon => DrainTrigger::Cordon,
        Cause::NotReady => DrainTrigger::NotReady,
        Cause::OutOfService => DrainTrigger::OutOfService,
        Cause::Annotation => DrainTrigger::Annotation,
        Cause::NotSelected | Cause::Drain | Cause::Terminating => return true,
    };
    draft.terms.drain_on.contains(&trigger)
}

/// When more than half of a VIP's nodes turn not ready together, the control plane has failed, not they.
fn is_everybodys(facts: &Facts, vip: &Name, node: &Name, cause: Cause) -> bool {
    if cause != Cause::NotReady {
        return false;
    }
    let turned = |node: &Name| turned(facts, node);
    let Some(own) = turned(node) else { return false };
    let (mut all, mut together) = (0, 0);
    for (other, _) in facts.estate.nodes_of(vip) {
        all += 1;
        together += usize::from(turned(other).is_some_and(|time| time.abs_diff(own) <= TOGETHER_SECONDS));
    }
    together * 2 > all
}

/// When the Node turned not ready, by its own word or by when it was seen; `None`: it is ready.
fn turned(facts: &Facts, node: &Name) -> Option<u64> {
    let object = facts.world.nodes.get(node).filter(|object| !is_ready(object))?;
    let written = ready_condition(object).and_then(|condition| condition.last_transition_time.as_ref());
    let written = written.and_then(|time| u64::try_from(time.0.as_second()).ok());
    written.or_else(|| facts.not_ready.get(node).copied())
}

//! Who may leave, in worlds of a few nodes.

use super::*;
use crate::compile::accepted::Accepted;
use crate::compile::{Estate, Given, Memory};
use crate::model::leaving::{Hold, Leaving};
use crate::model::status::{NodeStatus, Phase, VipStatus};
use k8s_openapi::api::core::v1::Node;
use serde_json::{Value, json};
use std::sync::Arc;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// A world with one VIP, and what has been heard of it.
struct Scenery {
    world: Resources,
    attendance: BTreeMap<Name, Attendance>,
    before: Departures,
    not_ready: BTreeMap<Name, u64>,
    settled: bool,
}

impl Scenery {
    fn with(nodes: &[&str], minimum: u32) -> Self {
        let spec = json!({
            "address": "10.200.0.20", "mode": "BGP", "ports": [80],
            "healthPolicy": {"minHealthyNodes": minimum},
            "bgpConfig": {"localAS": 64501, "peers": [{"address": "10.0.0.254", "as": 64500}]},
        });
        let mut world = Resources::default();
        world.vips.insert(name("web"), read(json!({"metadata": {"name": "web"}, "spec": spec})));
        let mut scenery = Self {
            world,
            attendance: BTreeMap::new(),
            before: BTreeMap::new(),
            not_ready: BTreeMap::new(),
            settled: true,
        };
        for node in nodes {
            let object: Node = read(json!({"metadata": {"name": node}}));
            scenery.world.nodes.insert(name(node), Arc::new(object));
            scenery = scenery.says(node, Phase::Announced);
        }
        scenery
    }

    /// The node's agent reports the VIP in this phase.
    fn says(mut self, node: &str, phase: Phase) -> Self {
        let addresses = Vec::new();
        let vip =
            VipStatus { addresses, mode: "BGP".into(), phase, reasons: vec![], since: 0, ports: vec![] };
        let status =
            NodeStatus { vips: BTreeMap::from([(name("web"), vip)]), ..NodeStatus::empty(name(node)) };
        let attendance = Attendance { alive: true, status: Some(Arc::new(status)), ..Attendance::default() };
        self.attendance.insert(name(node), attendance);
        self
    }

    fn wishes(mut self, node: &str, wish: Cause) -> Self {
        let status = self.attendance.get_mut(&name(node)).unwrap().status.as_mut().unwrap();
        Arc::make_mut(status).wish = Some(wish);
        self
    }

    fn dies(mut self, node: &str) -> Self {
        self.attendance.get_mut(&name(node)).unwrap().alive = false;
        self
    }

    fn node(mut self, node: &str, object: Value) -> Self {
        let mut whole = object;
        whole["metadata"]["name"] = node.into();
        self.world.nodes.insert(name(node), read(whole));
        self
    }

    fn cordoned(self, node: &str) -> Self {
        self.node(node, json!({"metadata": {}, "spec": {"unschedulable": true}}))
    }

    fn not_ready(self, node: &str, at: &str) -> Self {
        let condition = json!({"type": "Ready", "status": "Unknown", "lastTransitionTime": at});
        self.node(node, json!({"metadata": {}, "status": {"conditions": [condition]}}))
    }

    fn unsettled(mut self) -> Self {
        self.settled = false;
        self
    }

    /// Decides, remembers it, and tells it as `n1: granted`, `n2: held: …`.
    fn decide(&mut self) -> Vec<String> {
        let nodes = self.world.nodes.keys().cloned().collect();
        let accepted = Accepted::default();
        let given = Given {
            world: &self.world,
            accepted: &accepted,
            pools: None,
            nodes: &nodes,
            serving: &BTreeMap::new(),
        };
        let estate = Estate::compile(&given, &mut Memory::default());
        let facts = Facts {
            estate: &estate,
            world: &self.world,
            attendance: &self.attendance,
            not_ready: &self.not_ready,
            before: &self.before,
            settled: self.settled,
        };
        self.before = decide(&facts);
        let told = |leaving: &Leaving| match leaving {
            Leaving::Granted { .. } => "granted".to_owned(),
            Leaving::Held { by: Hold::BelowMinimum { healthy, minimum }, .. } => {
                format!("{healthy} of {minimum}")
            }
            Leaving::Held { by: Hold::LastAnnouncer, .. } => "last".to_owned(),
            Leaving::Held { by: Hold::OneByOne { leaver }, .. } => format!("after {leaver}"),
        };
        let of_node = |(node, vips): (&Name, &BTreeMap<Name, Leaving>)| {
            vips.values().map(|leaving| format!("{node}: {}", told(leaving))).collect::<Vec<_>>()
        };
        self.before.iter().flat_map(of_node).collect()
    }
}

const THREE: [&str; 3] = ["n1", "n2", "n3"];

#[test]
fn nobody_leaves_unasked() {
    assert_eq!(Scenery::with(&THREE, 1).decide(), Vec::<String>::new());
}

#[test]
fn every_wish_is_heard() {
    let taint =
        json!({"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute", "value": "nodeshutdown"});
    let annotated = json!({"metadata": {"annotations": {"novaedge.io/drain": "true"}}});
    let table: [(&str, Cause, Scenery); 6] = [
        ("cordon", Cause::Cordon, Scenery::with(&THREE, 1).cordoned("n1")),
        ("annotation", Cause::Annotation, Scenery::with(&THREE, 1).node("n1", annotated)),
        (
            "taint",
            Cause::OutOfService,
            Scenery::with(&THREE, 1).node("n1", json!({"metadata": {}, "spec": {"taints": [taint]}})),
        ),
        ("not ready", Cause::NotReady, Scenery::with(&THREE, 1).not_ready("n1", "2026-01-01T00:00:00Z")),
        ("drain", Cause::Drain, Scenery::with(&THREE, 1).wishes("n1", Cause::Drain)),
        ("term", Cause::Terminating, Scenery::with(&THREE, 1).wishes("n1", Cause::Terminating)),
    ];
    for (what, cause, mut scenery) in table {
        assert_eq!(scenery.decide(), ["n1: granted"], "{what}");
        assert_eq!(scenery.before[&name("n1")][&name("web")].cause(), cause, "{what}");
    }
}

#[test]
fn a_vip_says_which_triggers_count() {
    let mut scenery = Scenery::with(&THREE, 1).cordoned("n1").wishes("n2", Cause::Drain);
    let vip = Arc::make_mut(scenery.world.vips.get_mut(&name("web")).unwrap());
    vip.spec.drain = Some(read(json!({"on": ["Annotation"]})));
    assert_eq!(scenery.decide(), ["n2: granted"], "a word on the node itself always counts");
}

#[test]
fn of_three_with_two_needed_one_goes_and_two_are_held() {
    let mut scenery = Scenery::with(&THREE, 2);
    for node in THREE {
        scenery = scenery.wishes(node, Cause::Drain);
    }
    let held = ["n1: granted", "n2: 1 of 2", "n3: 1 of 2"];
    assert_eq!(scenery.decide(), held);
    let mut gone = scenery.says("n1", Phase::Withdrawn).wishes("n1", Cause::Drain);
    assert_eq!(gone.decide(), held, "and so it stays when the first has gone");
}

#[test]
fn nodes_leave_one_by_one() {
    let four = ["n1", "n2", "n3", "n4"];
    let mut scenery = Scenery::with(&four, 1).cordoned("n1").cordoned("n2");
    assert_eq!(scenery.decide(), ["n1: granted", "n2: after n1"]);
    let mut scenery = scenery.says("n1", Phase::Draining);
    assert_eq!(scenery.decide(), ["n1: granted", "n2: after n1"]);
    let mut scenery = scenery.says("n1", Phase::Withdrawn);
    assert_eq!(scenery.decide(), ["n1: granted", "n2: granted"]);
}

#[test]
fn a_leaver_that_dies_holds_nobody_up() {
    let four = ["n1", "n2", "n3", "n4"];
    let mut scenery = Scenery::with(&four, 1).cordoned("n1").cordoned("n2");
    scenery.decide();
    assert_eq!(scenery.dies("n1").decide(), ["n1: granted", "n2: granted"]);
}

#[test]
fn a_leaver_that_is_not_heard_for_a_moment_is_not_called_back() {
    let mut scenery = Scenery::with(&THREE, 1).wishes("n1", Cause::Terminating);
    assert_eq!(scenery.decide(), ["n1: granted"]);
    let mut scenery = scenery.says("n1", Phase::Draining).wishes("n1", Cause::Terminating).dies("n1");
    assert_eq!(scenery.decide(), ["n1: granted"]);
    assert_eq!(
        scenery.says("n1", Phase::Ready).decide(),
        Vec::<String>::new(),
        "it has come back without the wish"
    );
}

#[test]
fn the_last_announcer_stays() {
    let mut scenery = Scenery::with(&["n1", "n2"], 1).says("n2", Phase::Ready).cordoned("n1");
    assert_eq!(scenery.decide(), ["n1: last"], "n2 could, but does not announce");
    assert_eq!(scenery.says("n2", Phase::Announced).decide(), ["n1: granted"]);
}

#[test]
fn whoever_has_gone_is_called_back_when_all_others_fail() {
    let mut scenery = Scenery::with(&["n1", "n2"], 1).cordoned("n1");
    assert_eq!(scenery.decide(), ["n1: granted"]);
    let mut scenery = scenery.says("n1", Phase::Withdrawn).dies("n2");
    assert_eq!(scenery.decide(), ["n1: last"]);
    let mut scenery = scenery.says("n1", Phase::Announced).says("n2", Phase::Announced);
    assert_eq!(scenery.decide(), ["n1: granted"]);
}

#[test]
fn a_node_that_serves_nothing_goes_at_once() {
    let mut scenery = Scenery::with(&["n1", "n2"], 2).says("n1", Phase::Preparing).cordoned("n1");
    assert_eq!(scenery.decide(), ["n1: granted"]);
}

#[test]
fn a_wish_that_is_taken_back_leaves_no_trace() {
    let mut scenery = Scenery::with(&THREE, 1).cordoned("n1");
    scenery.decide();
    let mut scenery = scenery.says("n1", Phase::Withdrawn).node("n1", json!({"metadata": {}}));
    assert_eq!(scenery.decide(), Vec::<String>::new());
}

#[test]
fn nodes_that_fail_together_are_the_control_planes_failure() {
    let at = |second: u32| format!("2026-01-01T00:00:{second:02}Z");
    let mut one = Scenery::with(&THREE, 1).not_ready("n1", &at(0));
    assert_eq!(one.decide(), ["n1: granted"]);
    let mut two = Scenery::with(&THREE, 1).not_ready("n1", &at(0)).not_ready("n2", &at(50));
    assert_eq!(two.decide(), Vec::<String>::new());
    let apart = Scenery::with(&THREE, 1).not_ready("n1", &at(0)).not_ready("n2", "2026-01-01T00:02:00Z");
    let mut apart = apart.says("n1", Phase::Withdrawn);
    assert_eq!(apart.decide(), ["n1: granted", "n2: granted"]);
}

#[test]
fn a_new_controller_repeats_what_an_earlier_one_decided() {
    let mut scenery = Scenery::with(&THREE, 1).unsettled().cordoned("n1").cordoned("n2");
    scenery = scenery.says("n1", Phase::Withdrawn).dies("n3");
    assert_eq!(scenery.decide(), ["n1: granted"], "n1 is not called back, and n2 not let go, on a guess");
}

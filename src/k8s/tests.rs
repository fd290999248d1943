//! Events of watches → the world.

use super::board::Board;
use super::stores::{Scope, Stores};
use crate::compile::kind::{Id, Kind};
use crate::model::name::{Key, Name};
use kube::core::DynamicObject;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};

const VIPS: Scope = Scope::All(Kind::Vip);

fn object(value: Value) -> DynamicObject {
    serde_json::from_value(value).unwrap()
}

fn vip(name: &str, version: &str, spec: Value) -> DynamicObject {
    object(json!({
        "apiVersion": "novaedge.io/v1alpha1", "kind": "ProxyVIP",
        "metadata": { "name": name, "uid": format!("{name}-uid"), "resourceVersion": version, "managedFields": [],
            "annotations": { "kubectl.kubernetes.io/last-applied-configuration": "{}" } },
        "spec": spec, "status": { "healthy": version },
    }))
}

fn good() -> Value {
    json!({ "mode": "BGP", "address": "10.0.0.1", "ports": [80], "bgpConfig": { "localAS": 64501 } })
}

fn id(name: &str) -> Id {
    Id::new(Kind::Vip, None, name).unwrap()
}

/// Which of the events changed the world.
fn take(stores: &mut Stores, events: impl IntoIterator<Item = Event<DynamicObject>>) -> Vec<bool> {
    events.into_iter().map(|event| stores.take(&VIPS, event)).collect()
}

fn names(stores: &Stores) -> Vec<&str> {
    stores.resources().vips.keys().map(Name::as_str).collect()
}

#[test]
fn what_we_write_wakes_nobody() {
    let board = Board::default();
    let mut stores = Stores::new(board.clone());
    stores.open(VIPS);
    let first = [Event::Init, Event::InitApply(vip("web", "1", good())), Event::InitDone];
    assert_eq!(take(&mut stores, first), [false, true, true]);
    assert_eq!(board.get(&id("web")).unwrap().status["healthy"], "1");
    // Another status, another version, the same words of its author.
    assert_eq!(take(&mut stores, [Event::Apply(vip("web", "2", good()))]), [false]);
    let known = board.get(&id("web")).unwrap();
    assert_eq!((known.resource_version.as_str(), &known.status["healthy"]), ("2", &json!("2")));
    let mut other = good();
    other["ports"] = json!([80, 443]);
    assert_eq!(take(&mut stores, [Event::Apply(vip("web", "3", other))]), [true]);
    assert_eq!(take(&mut stores, [Event::Delete(vip("web", "4", good()))]), [true]);
    assert!(names(&stores).is_empty() && board.get(&id("web")).is_none());
}

#[test]
fn a_watch_that_begins_anew_takes_away_only_what_is_gone() {
    let mut stores = Stores::new(Board::default());
    stores.open(VIPS);
    let both =
        [Event::Init, Event::InitApply(vip("a", "1", good())), Event::InitApply(vip("b", "1", good()))];
    take(&mut stores, both);
    assert!(!stores.is_complete(&VIPS), "there may be more");
    take(&mut stores, [Event::InitDone]);
    assert!(stores.is_complete(&VIPS));
    let anew = [Event::Init, Event::InitApply(vip("b", "7", good()))];
    assert_eq!(take(&mut stores, anew), [false, false]);
    assert_eq!(names(&stores), ["a", "b"], "until all of it has come, the last good state stays");
    assert_eq!(take(&mut stores, [Event::InitDone]), [true]);
    assert_eq!(names(&stores), ["b"]);
}

#[test]
fn an_object_that_cannot_be_read_hurts_no_other_and_keeps_its_last_version() {
    let mut stores = Stores::new(Board::default());
    stores.open(VIPS);
    let first =
        [vip("web", "1", good()), vip("new", "1", json!({ "mode": "CARP" })), vip("shop", "1", good())];
    take(&mut stores, first.map(Event::Apply));
    assert_eq!(names(&stores), ["shop", "web"]);
    assert_eq!(
        take(&mut stores, [Event::Apply(vip("web", "2", json!({ "mode": "BGP", "ports": "all" })))]),
        [true]
    );
    let problems = stores.cluster().problems;
    let told: Vec<_> =
        problems.iter().map(|problem| (problem.object.as_str(), problem.field.as_str())).collect();
    assert_eq!(told, [("ProxyVIP new", "spec.mode"), ("ProxyVIP web", "spec.ports")]);
    assert!(problems[1].message.contains("stays in use") && !problems[0].message.contains("stays in use"));
    assert_eq!(stores.resources().vips["web"].spec.ports, [80]);
    assert_eq!(take(&mut stores, [Event::Apply(vip("web", "3", good()))]), [true]);
    assert_eq!(stores.cluster().problems.len(), 1);
}

#[test]
fn a_secret_that_nobody_names_any_more_is_forgotten() {
    let mut stores = Stores::new(Board::default());
    let key = Key::try_from("prod/tls".to_owned()).unwrap();
    let scope = Scope::Secret(key.clone());
    stores.open(scope.clone());
    let secret =
        json!({ "metadata": { "name": "tls", "namespace": "prod" }, "data": { "tls.key": "c2VjcmV0" } });
    stores.take(&scope, Event::Apply(object(secret)));
    assert!(stores.resources().secrets.contains_key(&key));
    assert!(stores.close(&scope));
    assert!(stores.resources().secrets.is_empty());
    let late = json!({ "metadata": { "name": "tls", "namespace": "prod" } });
    assert!(!stores.take(&scope, Event::Apply(object(late))), "its watch is still talking");
    assert!(stores.resources().secrets.is_empty());
}

#[test]
fn a_nodes_heartbeat_is_no_news() {
    let mut stores = Stores::new(Board::default());
    let scope = Scope::All(Kind::Node);
    stores.open(scope.clone());
    let node = |at: &str, ready: &str| {
        object(json!({ "metadata": { "name": "n1" }, "status": {
            "conditions": [{ "type": "Ready", "status": ready, "lastHeartbeatTime": at, "reason": "R", "message": at }],
            "addresses": [{ "type": "InternalIP", "address": "10.0.0.1" }],
            "images": [{ "names": [at] }],
        } }))
    };
    assert!(stores.take(&scope, Event::Apply(node("2026-01-01T00:00:00Z", "True"))));
    assert!(!stores.take(&scope, Event::Apply(node("2026-01-01T00:05:00Z", "True"))));
    assert!(stores.take(&scope, Event::Apply(node("2026-01-01T00:05:00Z", "Unknown"))));
    let status = stores.resources().nodes["n1"].status.as_ref().unwrap();
    assert_eq!(status.addresses.as_ref().unwrap().len(), 1);
    assert!(status.images.is_none());
}

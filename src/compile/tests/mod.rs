//! Worlds in YAML, as people write them.

mod bad_traffic;
mod bad_vips;
mod conflicts;
mod estate;
mod http;
mod ospf;
mod properties;
mod remembered;
mod vips;

use super::rejection::Severity;
use super::*;
use crate::api::condition::Reason;
use crate::model::listener::{Listener, Serves};
use crate::model::name::Key;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

/// Every document into the resources. Objects are as old as their place: the first is the oldest.
fn world(yaml: &str) -> Resources {
    let mut world = Resources::default();
    for (age, document) in yaml.split("\n---").enumerate() {
        let mut object: Value =
            serde_saphyr::from_str(document).unwrap_or_else(|e| panic!("{e}: {document}"));
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let kind = text(&object["kind"]).expect("a kind");
        let metadata = object["metadata"].as_object_mut().expect("metadata");
        metadata.entry("creationTimestamp").or_insert(format!("2024-01-01T00:00:{age:02}Z").into());
        let namespace = text(metadata.entry("namespace").or_insert("default".into())).unwrap();
        let name = text(&metadata["name"]).unwrap();
        let key = Key::try_from(format!("{namespace}/{name}")).unwrap();
        let name = Name::parse(name).unwrap();
        match kind.as_str() {
            "ProxyVIP" => drop(world.vips.insert(name, read(object))),
            "ProxyVIPTemplate" => drop(world.templates.insert(name, read(object))),
            "ProxyIPPool" => drop(world.pools.insert(name, read(object))),
            "Node" => drop(world.nodes.insert(name, read(object))),
            "ProxyGateway" => drop(world.gateways.insert(key, read(object))),
            "ProxyBackend" => drop(world.backends.insert(key, read(object))),
            "ProxyRoute" => drop(world.routes.insert(key, read(object))),
            "ProxyPolicy" => drop(world.policies.insert(key, read(object))),
            "Secret" => drop(world.secrets.insert(key, read(object))),
            "Service" => drop(world.services.insert(key, read(object))),
            other => panic!("{other}"),
        }
    }
    world
}

fn read<T: DeserializeOwned>(object: Value) -> T {
    serde_json::from_value(object.clone()).unwrap_or_else(|error| panic!("{error}: {object}"))
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn compiled(yaml: &str) -> Compiled {
    compile(&world(yaml), &name("n1"), &Accepted::default())
}

/// `ProxyVIP web: spec.address: Conflicted`, one line each.
fn said(compiled: &Compiled) -> Vec<String> {
    let line = |r: &Rejection| format!("{}: {}: {}", r.object, r.field, r.reason);
    compiled.rejections.iter().map(line).collect()
}

/// A VIP of mode BGP; `spec` is added to it, indented by two.
fn vip(name: &str, address: &str, spec: &str) -> String {
    format!(
        "\nkind: ProxyVIP\nmetadata: {{name: {name}}}\nspec:\n  address: {address}\n  mode: BGP\n  ports: [80, 443]\n{}{spec}",
        "  bgpConfig: {localAS: 64501, peers: [{address: 10.0.0.254, as: 64500}]}\n"
    )
}

/// `web`, with a gateway, a route and a backend that are all well.
fn good() -> String {
    let web = vip("web", "10.200.0.20/32", "");
    format!(
        "{web}
---
kind: ProxyGateway
metadata: {{name: web}}
spec: {{vipRef: web, listeners: [{{name: http, port: 80, protocol: HTTP}}]}}
---
kind: ProxyRoute
metadata: {{name: web}}
spec: {{rules: [{{backendRefs: [{{name: web}}]}}]}}
---
kind: ProxyBackend
metadata: {{name: web}}
spec: {{endpoints: [{{address: 10.9.0.1, port: 8080}}]}}"
    )
}

/// A change to one object of `good`, the field that is refused, the reason, and words of the message.
type Row = (&'static str, &'static str, &'static str, Reason, &'static str);

/// Changes the one document of `kind`, and expects `field` to be refused in these words.
fn check(kind: &str, (from, to, field, reason, words): Row, prefix: &str) -> Compiled {
    let change = |document: &str| {
        if !document.contains(&format!("kind: {kind}\n")) {
            return document.to_owned();
        }
        assert!(document.contains(from), "{kind}: {from}");
        document.replacen(from, to, 1)
    };
    let yaml = good().split("\n---").map(change).collect::<Vec<_>>().join("\n---");
    let compiled = compiled(&yaml);
    let object = if kind == "ProxyVIP" { "ProxyVIP web".to_owned() } else { format!("{kind} default/web") };
    let field = format!("{prefix}{field}");
    let found = compiled.rejections.iter().find(|r| r.object.to_string() == object && r.field == field);
    let found = found.unwrap_or_else(|| panic!("{to}: {:#?}", compiled.rejections));
    assert_eq!((found.reason, found.severity), (reason, Severity::Refused), "{to}");
    assert!(found.message.contains(words), "{to}: {}", found.message);
    compiled
}

//! Pools and VIPs in YAML, settled again and again.

mod entries;
mod estate;
mod giving;
mod properties;
mod spans;

use super::*;
use crate::compile::rejection::Rejection;
use crate::compile::resources::Resources;
use crate::model::name::Name;
use crate::model::net::HostRoute;
use serde_json::Value;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn route(text: &str) -> HostRoute {
    HostRoute::parse(text).unwrap()
}

/// `pool NAME: SPEC`, `vip NAME: SPEC`, `template NAME: SPEC`, a line each; VIPs are as old as their line.
fn settle(world: &Resources, before: &Ledger, outside: &Outside) -> Settled {
    super::settle(world, before, outside, &mut Memory::default())
}

fn world(lines: &str) -> Resources {
    let mut world = Resources::default();
    for (age, line) in lines.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        let (kind, rest) = line.split_once(' ').unwrap();
        let (id, spec) = rest.split_once(": ").unwrap();
        let mut spec: Value = serde_saphyr::from_str(spec).unwrap();
        let metadata = format!("2024-01-01T00:00:{age:02}Z");
        let metadata = serde_json::json!({"name": id, "creationTimestamp": metadata});
        if kind == "vip" {
            spec.as_object_mut().unwrap().entry("ports").or_insert(serde_json::json!([80]));
        }
        let object = serde_json::json!({"metadata": metadata, "spec": spec});
        match kind {
            "pool" => drop(world.pools.insert(name(id), serde_json::from_value(object).unwrap())),
            "vip" => drop(world.vips.insert(name(id), serde_json::from_value(object).unwrap())),
            "template" => drop(world.templates.insert(name(id), serde_json::from_value(object).unwrap())),
            other => panic!("{other}"),
        }
    }
    world
}

fn at(now: u64) -> Outside {
    Outside { now, ..Outside::default() }
}

/// `web 10.0.0.1 2001:db8::1`, a line for each VIP.
fn have(settled: &Settled) -> Vec<String> {
    let lines = settled.allocations.iter().map(|(vip, addresses)| {
        let addresses: Vec<_> = addresses.iter().map(|route| route.address().to_string()).collect();
        format!("{vip} {}", addresses.join(" "))
    });
    lines.collect()
}

/// `ProxyVIP web: spec.poolRef: PoolExhausted`, a line each.
fn said(settled: &Settled) -> Vec<String> {
    let line = |r: &Rejection| format!("{}: {}: {}", r.object, r.field, r.reason);
    settled.rejections.iter().map(line).collect()
}

fn message(settled: &Settled, object: &str) -> String {
    let found = settled.rejections.iter().find(|r| r.object.to_string() == object);
    found.unwrap_or_else(|| panic!("nothing about {object}")).message.clone()
}

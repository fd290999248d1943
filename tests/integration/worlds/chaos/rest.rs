//! When everything has been undone: nothing moves any more, nothing is left behind, and a controller that knows
//! nothing but what the first one has on disk says the same.

use super::faults::Troubles;
use super::invariants::{addresses, on_node};
use super::objects;
use crate::worlds::estate::{Estate, SOON};
use novaedge_lab::{FibWatch, NodeId, eventually};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// What the agents of the three nodes have been told, without its generation.
pub type Told = BTreeMap<u8, Value>;

/// Waits until nobody has anything to do any more.
pub fn come_to_rest(estate: &Estate, watch: &FibWatch, troubles: &mut Troubles) -> Told {
    eventually("all nodes are back", PATIENCE, || {
        troubles.tick(estate, watch);
        if troubles.are_over() { Ok(()) } else { Err(format!("{:?}", troubles.all.last())) }
    })
    .unwrap_or_else(|error| panic!("{error:#}"));
    // What was released comes back at once, and nobody waits for an address.
    for number in 0..objects::POOLS {
        let block = ["10.200.1.0/24", "2001:db8:1::/112"][usize::from(number)];
        estate.write(&format!("pool-{number}.yaml"), &objects::pool(number, block, "[]", true, 0));
    }
    eventually("every address is in use or free", PATIENCE, || {
        let said: Vec<Value> = (1..=3).map(|k| estate.said_by("lead", k)).collect::<Result<_, _>>()?;
        let in_use: BTreeSet<(String, String)> = said.iter().flat_map(addresses).collect();
        let of = |line: &Value, field: &str| line[field].as_str().unwrap_or_default().to_owned();
        let idle = |line: &Value| !in_use.contains(&(of(line, "address"), of(line, "vip")));
        let released = estate.ledger("lead").into_iter().filter(|line| !line["releasedAt"].is_null());
        let idle: Vec<Value> = released.filter(idle).collect();
        if idle.is_empty() { Ok(()) } else { Err(format!("{idle:?}")) }
    })
    .unwrap_or_else(|error| panic!("{error:#}"));
    let told = eventually("all agents have what the controller says, and have done it", PATIENCE, || {
        let told: Told = (1..=3).map(|k| Ok((k, agreed(estate, k)?))).collect::<Result<_, String>>()?;
        told.iter().try_for_each(|(k, snapshot)| carried_out(estate, watch, *k, snapshot))?;
        no_other_routes(watch, &told)?;
        Ok::<_, String>(told)
    });
    told.unwrap_or_else(|error| panic!("{error:#}"))
}

fn agreed(estate: &Estate, k: u8) -> Result<Value, String> {
    let (has, should) = (estate.snapshot(k)?, estate.said_by("lead", k)?);
    if has == should { Ok(has) } else { Err(differences(&format!("n{k}"), &has, &should)) }
}

/// The node has the addresses, the router the routes of those that are announced; the others have a reason
/// that lies in what was written.
fn carried_out(estate: &Estate, watch: &FibWatch, k: u8, snapshot: &Value) -> Result<(), String> {
    let status = estate.status(k)?;
    let mut there: BTreeSet<IpAddr> = BTreeSet::new();
    let fib = watch.now();
    for (prefix, vip) in addresses(snapshot) {
        let said = &status["vips"][&vip];
        let prefix = prefix.parse::<ipnet::IpNet>().map_err(|error| format!("{prefix}: {error}"))?;
        let announced = said["phase"] == "Announced";
        let reasons: Vec<&str> = said["reasons"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|reason| reason["reason"].as_str())
            .collect();
        if !announced && !reasons.iter().any(|reason| ["NoHealthyBackend", "Leaving"].contains(reason)) {
            return Err(format!("{vip} on n{k} is {said}"));
        }
        if fib.nodes(prefix).contains(&NodeId(k)) != announced {
            return Err(format!(
                "{vip} on n{k} is {said}, and the router has {prefix} via {}",
                fib.next_hops(prefix)
            ));
        }
        if announced || said["phase"] == "Preparing" {
            there.insert(prefix.addr());
        }
    }
    let held = on_node(estate, k);
    if held == there { Ok(()) } else { Err(format!("n{k} has {held:?}, and was told {there:?}")) }
}

fn no_other_routes(watch: &FibWatch, told: &Told) -> Result<(), String> {
    let known: BTreeSet<String> = told.values().flat_map(addresses).map(|(prefix, _)| prefix).collect();
    let ours: ipnet::IpNet = "10.200.0.0/16".parse().unwrap();
    let ours6: ipnet::IpNet = "2001:db8::/32".parse().unwrap();
    let fib = watch.now();
    let others = fib.0.keys().filter(|prefix| ours.contains(*prefix) || ours6.contains(*prefix));
    let others: Vec<_> = others.filter(|prefix| !known.contains(&prefix.to_string())).collect();
    if others.is_empty() { Ok(()) } else { Err(format!("nobody was told of {others:?}")) }
}

/// Another controller, over a copy of the ledger and of what is in use, says the same to every node, and nothing
/// moves when the agents follow it.
pub fn equals_a_fresh_compile(estate: &Estate, told: &Told) {
    let before = eventually("the sessions are at rest", PATIENCE, || {
        std::panic::catch_unwind(|| estate.updates_at_rest()).map_err(|_| "they still speak")
    })
    .unwrap();
    let old = estate.status(1).unwrap()["term"]["created"].as_u64().unwrap();
    let first = estate.controller.as_ref().unwrap();
    first.kill9();
    let (from, to) =
        (estate.lab.control().dir().join("lead/state"), estate.lab.control().dir().join("other/state"));
    std::fs::create_dir_all(&to).unwrap();
    for file in ["ledger.json", "accepted.json"] {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
    let other = estate.start_controller("other", estate.manifests());
    eventually("all agents obey the fresh controller", SOON, || {
        let terms: Vec<u64> =
            (1..=3).filter_map(|k| estate.status(k).ok()?["term"]["created"].as_u64()).collect();
        if terms.len() == 3 && terms.iter().all(|term| *term > old) {
            Ok(())
        } else {
            Err(format!("{terms:?}"))
        }
    })
    .unwrap_or_else(|error| panic!("{error:#}\n{}", other.log()));
    // What a node serves without being a candidate, because it may not leave, a controller hears from the node.
    eventually("a fresh compile says the same, and the agents follow it", SOON, || {
        told.iter().try_for_each(|(k, told)| {
            let (said, has) = (estate.said_by("other", *k)?, estate.snapshot(*k)?);
            if said == *told && has == *told {
                Ok(())
            } else {
                Err(differences(&format!("n{k}"), told, &said))
            }
        })
    })
    .unwrap_or_else(|error| panic!("{error:#}\n{}", other.log()));
    assert_eq!(estate.updates_at_rest(), before, "not one BGP message");
}

/// The paths at which two documents differ.
fn differences(path: &str, a: &Value, b: &Value) -> String {
    let (Some(left), Some(right)) = (a.as_object(), b.as_object()) else {
        return if a == b { String::new() } else { format!("{path}: {a} and {b}\n") };
    };
    let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    keys.into_iter().map(|key| differences(&format!("{path}/{key}"), &a[key], &b[key])).collect()
}

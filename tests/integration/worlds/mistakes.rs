//! Bad input: a clear error with file, line and remedy, and everything that was good keeps serving.

use super::estate::{Estate, SOON, listen_everywhere, vip, web};
use novaedge_lab::{FibWatch, eventually};
use serde_json::Value;
use std::time::{Duration, Instant};

const GOOD: &str = "10.200.0.80/32";

/// What a person did, and what `status` must say about it: where, and with which words.
struct Mistake {
    file: &'static str,
    text: String,
    place: &'static str,
    words: &'static [&'static str],
}

fn mistakes() -> Vec<Mistake> {
    let bad = |file, text: String, place, words| Mistake { file, text, place, words };
    let other = |address: &str| vip("other", &format!("address: {address}"), 300);
    let with_password = |password: &str| {
        let secret = format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: bgp, namespace: novaedge-system}}\nstringData:\n  key: {password}\n---\n"
        );
        let other =
            other("10.200.0.81").replace("as: 64500", "as: 64500, passwordSecretRef: {name: bgp, key: key}");
        // Another peer than the good VIP's, so that the two do not contradict each other.
        secret + &other.replace("10.0.0.254", "10.0.0.253")
    };
    vec![
        bad("broken.yaml", "kind: ProxyVIP\n  spec: {\n".to_owned(), "broken.yaml:2", &[]),
        bad("field.yaml", other("10.200.0.81").replace("ports:", "prots:"), "field.yaml:7", &["ports"]),
        bad("net.yaml", other("10.200.0.0/24"), "net.yaml:5", &["10.200.0.0/24", "host route", "/32"]),
        bad("twice.yaml", other("10.200.0.80"), "twice.yaml:5", &["10.200.0.80", "good"]),
        bad("secret.yaml", with_password("\"two\\nlines\""), "secret.yaml", &["password", "bgp"]),
    ]
}

#[test]
fn every_mistake_is_explained_and_hurts_nothing_else() {
    let estate = Estate::standalone("t-mistakes");
    let watch = estate.lab.watch_fib().unwrap();
    estate.write("good.yaml", &(vip("good", "address: 10.200.0.80", 300) + "---\n" + &web("good", "")));
    estate.wait_for_nodes(&watch, GOOD, Instant::now(), &[1, 2, 3]);
    (1..=3).for_each(|k| drop(estate.wait_for_phase(k, "good", "Announced", None)));

    let since = Instant::now();
    for mistake in mistakes() {
        estate.write(mistake.file, &mistake.text);
        let told = explained(&estate, &mistake);
        println!("{}", told["message"].as_str().unwrap_or_default());
        estate.remove(mistake.file);
        eventually("it is no longer a problem", SOON, || {
            let rejected = estate.status(1)?["rejected"].clone();
            if rejected.as_array().is_some_and(Vec::is_empty) { Ok(()) } else { Err(rejected.to_string()) }
        })
        .unwrap();
    }
    unharmed(&estate, &watch, since);
}

#[test]
fn a_file_that_breaks_keeps_what_it_said() {
    let estate = Estate::standalone("t-breaks");
    let watch = estate.lab.watch_fib().unwrap();
    let good = vip("good", "address: 10.200.0.80", 300) + "---\n" + &web("good", "");
    estate.write("good.yaml", &good);
    estate.wait_for_nodes(&watch, GOOD, Instant::now(), &[1, 2, 3]);
    (1..=3).for_each(|k| drop(estate.wait_for_phase(k, "good", "Announced", None)));

    let since = Instant::now();
    let broken = Mistake {
        file: "good.yaml",
        text: good.replace("mode: BGP", "mode: [BGP"),
        place: "good.yaml:",
        words: &[],
    };
    estate.write(broken.file, &broken.text);
    explained(&estate, &broken);
    // Not even a restart loses it.
    estate.agent(1).restart().unwrap();
    explained(&estate, &broken);
    unharmed(&estate, &watch, since);
}

#[test]
fn a_port_in_use_is_named_and_healed() {
    let estate = Estate::standalone("t-port");
    let watch = estate.lab.watch_fib().unwrap();
    let squatters: Vec<_> = estate.lab.nodes().iter().map(|node| listen_everywhere(node, 80)).collect();
    estate.write("vip.yaml", &vip("web", "address: 10.200.0.82", 300));
    estate.write("good.yaml", &vip("good", "address: 10.200.0.80", 300));
    let since = Instant::now();
    estate.wait_for_nodes(&watch, GOOD, since, &[1, 2, 3]);
    estate.write("web.yaml", &web("web", ""));
    let told = estate.wait_for_phase(1, "web", "Preparing", Some("PortInUse"));
    let message = told["reasons"][0]["message"].as_str().unwrap_or_default().to_owned();
    let pid = squatters[0].pid().to_string();
    assert!(message.contains("port 80") && message.contains(&pid), "{message}");
    println!("{message}");

    let since = Instant::now();
    squatters.iter().for_each(novaedge_lab::Process::kill9);
    estate.wait_for_nodes(&watch, "10.200.0.82/32", since, &[1, 2, 3]);
    estate.wait_for_phase(1, "web", "Announced", None);
}

fn explained(estate: &Estate, mistake: &Mistake) -> Value {
    let found = eventually(&format!("{} is explained", mistake.file), SOON, || {
        let rejected = estate.status(1)?["rejected"].clone();
        let told = rejected.as_array().into_iter().flatten().find(|told| {
            let place = told["place"].as_str().unwrap_or_default();
            let message = told["message"].as_str().unwrap_or_default();
            place.contains(mistake.place) && mistake.words.iter().all(|word| message.contains(word))
        });
        told.cloned().ok_or(rejected.to_string())
    });
    found.unwrap_or_else(|error| panic!("{error:#}\n{}", estate.agent(1).log()))
}

/// The good VIP never left the ToR, and is served.
fn unharmed(estate: &Estate, watch: &FibWatch, since: Instant) {
    let prefix = GOOD.parse().unwrap();
    let touched: Vec<_> =
        watch.events(since).into_iter().filter(|event| event.change.prefix() == prefix).collect();
    assert!(touched.is_empty(), "{touched:?}");
    let report = estate
        .lab
        .probe("10.200.0.80:80".parse().unwrap())
        .rate(200)
        .run_for(Duration::from_secs(1))
        .unwrap();
    assert_eq!(report.failed(), 0, "{report}");
    assert_eq!(report.per_node().len(), 3, "{report}");
}

//! An estate that is led: controllers come, go and disagree, and nothing moves on the nodes (spec §2.8).

use super::estate::{Estate, SOON, vip, web};
use novaedge_lab::{Lab, NodeId, eventually};
use serde_json::Value;
use std::time::{Duration, Instant};

const VIP: &str = "10.200.0.70/32";

/// A served VIP on three nodes, as every one of these tests begins.
fn served(estate: &Estate) {
    let watch = estate.lab.watch_fib().unwrap();
    estate.write("vip.yaml", &vip("web", "address: 10.200.0.70", 300));
    estate.write("web.yaml", &web("web", ""));
    estate.wait_for_nodes(&watch, VIP, Instant::now(), &[1, 2, 3]);
    (1..=3).for_each(|k| drop(estate.wait_for_phase(k, "web", "Announced", None)));
}

/// What a node's agent says of the controller that it obeys.
fn term(estate: &Estate, k: u8) -> Value {
    estate.status(k).expect("the agent answers")["term"].clone()
}

#[test]
fn nothing_changes_without_the_controller_nor_when_it_is_back() {
    let estate = Estate::up("t-led-gone");
    served(&estate);
    let controller = estate.controller.as_ref().unwrap();
    let before = estate.updates_at_rest();
    let probe = estate.lab.probe("10.200.0.70:80".parse().unwrap()).rate(500).start().unwrap();
    controller.kill9();
    controller.wait(SOON).unwrap();

    // An agent that is started again while nobody leads serves what it was told last.
    let agent = estate.agent(2);
    agent.kill9();
    agent.wait(SOON).unwrap();
    agent.restart().unwrap();
    estate.wait_for_phase(2, "web", "Announced", None);
    // And what changes on disk meanwhile is nobody's order.
    estate.remove("web.yaml");
    probe.wait_for(1500, SOON).unwrap();
    estate.write("web.yaml", &web("web", ""));

    controller.restart().unwrap();
    eventually("all agents obey the new term", SOON, || {
        let terms: Vec<Value> = (1..=3).map(|k| term(&estate, k)["transitions"].clone()).collect();
        if terms.iter().all(|term| *term == 1) { Ok(()) } else { Err(format!("{terms:?}")) }
    })
    .unwrap();
    (1..=3).for_each(|k| drop(estate.wait_for_phase(k, "web", "Announced", None)));
    let report = probe.stop().unwrap();
    println!("{report}");
    assert_eq!(estate.updates_at_rest(), before, "not one BGP message");
}

#[test]
fn of_two_controllers_the_later_term_is_obeyed() {
    let estate = Estate::led_by(Lab::builder("t-led-two"), &["lead", "other"]);
    served(&estate);
    let elsewhere = estate.manifests().with_file_name("elsewhere");
    std::fs::create_dir_all(&elsewhere).unwrap();
    let before = estate.updates_at_rest();

    // The other one is of another opinion: there is no VIP at all. Its lock is younger, so its word counts; first
    // it says what the first one says.
    for file in ["nodes.yaml", "vip.yaml", "web.yaml"] {
        std::fs::copy(estate.manifests().join(file), elsewhere.join(file)).unwrap();
    }
    let first = term(&estate, 1)["created"].as_u64().unwrap();
    eventually("the clock goes on", SOON, || {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        if now > first { Ok(()) } else { Err("the same second") }
    })
    .unwrap();
    let other = estate.start_controller("other", &elsewhere);
    eventually("all agents obey the other", SOON, || {
        let terms: Vec<u64> = (1..=3).filter_map(|k| term(&estate, k)["created"].as_u64()).collect();
        if terms.iter().all(|term| *term > first) { Ok(()) } else { Err(format!("{terms:?}")) }
    })
    .unwrap();
    assert_eq!(estate.updates(), before, "the same content under another term is no change");

    let watch = estate.lab.watch_fib().unwrap();
    let asked = Instant::now();
    std::fs::write(elsewhere.join("vip.yaml"), vip("web", "address: 10.200.0.71", 300)).unwrap();
    estate.wait_for_nodes(&watch, "10.200.0.71/32", asked, &[1, 2, 3]);
    estate.wait_for_nodes(&watch, VIP, asked, &[]);

    // The first goes and comes back. Its state directory is older than the other's: nobody listens.
    let after = estate.updates_at_rest();
    let controller = estate.controller.as_ref().unwrap();
    controller.kill9();
    controller.wait(SOON).unwrap();
    controller.restart().unwrap();
    eventually("the first is connected again", SOON, || {
        let overview = estate.overview()?;
        let alive = |k| overview["nodes"][format!("n{k}")]["alive"] == true;
        if (1..=3).all(alive) { Ok(()) } else { Err(overview["nodes"].to_string()) }
    })
    .unwrap();
    (1..=3).for_each(|k| assert!(term(&estate, k)["created"].as_u64().unwrap() > first));
    assert_eq!(estate.updates(), after);

    // Also when the other one is gone.
    other.kill9();
    other.wait(SOON).unwrap();
    let probe = estate.lab.probe("10.200.0.71:80".parse().unwrap()).rate(200);
    let report = probe.run_for(Duration::from_secs(2)).unwrap();
    assert_eq!(report.failed(), 0, "{report}");
    assert_eq!(estate.updates(), after);
}

#[test]
fn three_are_told_to_leave_and_two_are_held() {
    let estate = Estate::up("t-led-hold");
    let spec = "address: 10.200.0.70\n  healthPolicy: {minHealthyNodes: 2}";
    let watch = estate.lab.watch_fib().unwrap();
    estate.write("vip.yaml", &vip("web", spec, 300));
    estate.write("web.yaml", &web("web", ""));
    estate.wait_for_nodes(&watch, VIP, Instant::now(), &[1, 2, 3]);
    (1..=3).for_each(|k| drop(estate.wait_for_phase(k, "web", "Announced", None)));

    let probe = estate.lab.probe("10.200.0.70:80".parse().unwrap()).rate(500).kept(30).start().unwrap();
    probe.wait_for(300, SOON).unwrap();
    for k in 1..=3 {
        assert!(estate.ask(k, &["drain"]).status.code().is_some());
    }
    let gone = eventually("one is gone", SOON, || {
        let gone: Vec<u8> =
            (1..=3).filter(|k| estate.vip(*k, "web").is_ok_and(|v| v["phase"] == "Withdrawn")).collect();
        if let [gone] = gone[..] { Ok(gone) } else { Err(format!("{gone:?}")) }
    })
    .unwrap_or_else(|error| panic!("{error:#}"));
    let stay: Vec<u8> = (1..=3).filter(|k| *k != gone).collect();
    estate.wait_for_nodes(&watch, VIP, Instant::now(), &stay);
    for k in &stay {
        estate.wait_for_phase(*k, "web", "Announced", Some("Held"));
    }
    let told = eventually("the condition says who is held, and why", SOON, || {
        let overview = estate.overview()?;
        let conditions = overview["vips"]["web"]["status"]["conditions"].clone();
        let degraded = conditions.as_array().into_iter().flatten().find(|c| c["type"] == "Degraded").cloned();
        let message = degraded.as_ref().and_then(|c| c["message"].as_str()).unwrap_or_default().to_owned();
        let names = stay.iter().all(|k| message.contains(&format!("n{k}")));
        if names { Ok(message) } else { Err(conditions.to_string()) }
    });
    println!("{}", told.unwrap_or_else(|error| panic!("{error:#}")));

    // Another is healthy again: the first comes back, and the next may go.
    let back = Instant::now();
    assert!(estate.ask(gone, &["undrain"]).status.success());
    eventually("the next has gone", SOON, || {
        let gone: Vec<u8> = stay
            .iter()
            .copied()
            .filter(|k| estate.vip(*k, "web").is_ok_and(|v| v["phase"] == "Withdrawn"))
            .collect();
        if gone.len() == 1 { Ok(()) } else { Err(format!("{gone:?}")) }
    })
    .unwrap_or_else(|error| panic!("{error:#}"));
    let report = probe.stop().unwrap();
    println!("{report}");
    // Later on two nodes move the router's ranges at once, and its re-hash takes whose it likes.
    let own = report.before(back);
    let own = own.failures_of(NodeId(gone));
    assert!(own.is_empty(), "{own:?}");
}

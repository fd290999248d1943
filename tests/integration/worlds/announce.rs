//! From the contract's examples to the ToR's forwarding table, and to answered requests.

use super::estate::{Estate, SOON, example, web};
use novaedge_lab::eventually;
use std::collections::BTreeSet;
use std::time::Instant;

const V4: &str = "10.200.0.20/32";
const V6: &str = "2001:db8::50/128";

#[test]
fn example_04_is_announced_with_its_community_and_served() {
    let estate = Estate::up("t-ex04");
    let watch = estate.lab.watch_fib().unwrap();
    estate.write("vip.yaml", &example("04-bgp.yaml"));
    estate.wait_for_nodes(&watch, V4, Instant::now(), &[1, 2, 3]);
    let communities = estate.lab.tor().communities(V4).unwrap();
    assert!(
        communities.len() == 3 && communities.values().all(|all| all == &["64501:100"]),
        "{communities:?}"
    );
    let vip = estate.wait_for_phase(1, "web-vip-bgp", "Announced", Some("NoListeners"));
    assert_eq!(vip["mode"], "BGP");
    for k in 1..=3 {
        agrees_with_the_tor(&estate, k);
    }
    is_served(&estate, "web-vip-bgp", &["10.200.0.20:80"]);
}

#[test]
fn example_05_is_announced_in_both_families_and_served() {
    let estate = Estate::up("t-ex05");
    let watch = estate.lab.watch_fib().unwrap();
    let since = Instant::now();
    estate.write("vip.yaml", &example("05-bgp-dual-stack.yaml"));
    estate.wait_for_nodes(&watch, V4, since, &[1, 2, 3]);
    estate.wait_for_nodes(&watch, V6, since, &[1, 2, 3]);

    is_served(&estate, "web-vip-bgp-dual", &["10.200.0.20:80", "[2001:db8::50]:80"]);
    assert_eq!(estate.lab.tor_fib().unwrap().nodes(V6.parse().unwrap()).len(), 3);
}

/// With a gateway, a backend and a route, the client is answered by all nodes and all backends.
fn is_served(estate: &Estate, vip_name: &str, targets: &[&str]) {
    estate.write("web.yaml", &web(vip_name, ""));
    for k in 1..=3 {
        eventually(&format!("n{k} serves"), SOON, || {
            let vip = estate.vip(k, vip_name)?;
            let settled = vip["phase"] == "Announced" && vip["reasons"].as_array().is_some_and(Vec::is_empty);
            if settled { Ok(()) } else { Err(vip.to_string()) }
        })
        .unwrap();
    }
    for target in targets {
        let report = estate
            .lab
            .probe(target.parse().unwrap())
            .rate(300)
            .run_for(std::time::Duration::from_secs(2))
            .unwrap();
        println!("{target}: {report}");
        assert_eq!(report.failed(), 0, "{report}");
        assert_eq!(report.per_node().len(), 3, "{report}");
        assert_eq!(report.per_backend().len(), 6, "{report}");
    }
}

/// `bgp status` and the ToR's own view tell the same story.
fn agrees_with_the_tor(estate: &Estate, k: u8) {
    let agreed = eventually(&format!("n{k} and the ToR agree"), SOON, || {
        let status = estate.status(k)?;
        let ours = &status["routing"]["peers"]["10.0.0.254"];
        let node = estate.lab.node(k).id();
        let theirs = estate.lab.tor().neighbours().map_err(|error| error.to_string())?;
        let theirs = &theirs[&node];
        let same = ours["state"] == theirs.state.as_str()
            && ours["prefixes_sent"] == theirs.prefixes
            && status["routing"]["bfd"]["10.0.0.254"]["state"].as_str()
                == theirs.bfd.as_ref().map(|bfd| capital(&bfd.state)).as_deref();
        if same { Ok(()) } else { Err(format!("{ours} {} against {theirs:?}", status["routing"]["bfd"])) }
    });
    agreed.unwrap();
    let table = estate.ask(k, &["bgp", "status"]);
    assert!(table.status.success());
    let text = String::from_utf8(table.stdout).unwrap();
    let words: BTreeSet<&str> = text.split_whitespace().collect();
    assert!(words.contains("10.0.0.254") && words.contains("64500"), "{text}");
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

//! Two routers: what happens at the one is nothing to the other.

use super::estate::{Estate, SOON, web};
use novaedge_lab::fib::{Change, Event};
use novaedge_lab::{FibWatch, Lab, eventually};
use std::time::Instant;

const PREFIX: &str = "10.200.0.20/32";

/// Whichever router falls silent or dies, the other one's routes do not move, no request is lost there, and the
/// VIP says which peer is down.
#[test]
fn the_loss_of_one_router_moves_no_route_at_the_other() {
    let estate = Estate::of(Lab::builder("t-redundant").second_router());
    let (first, second) = (estate.lab.watch_fib().unwrap(), estate.lab.second_router().watch_fib().unwrap());
    estate.write("vip.yaml", &super::estate::example("06-bgp-redundant.yaml"));
    estate.write("web.yaml", &web("web-vip-bgp-redundant", ""));
    for watch in [&first, &second] {
        estate.wait_for_nodes(watch, PREFIX, Instant::now(), &[1, 2, 3]);
    }
    announced(&estate, None);

    let probe = estate.lab.probe("10.200.0.20:80".parse().unwrap()).rate(500).start().unwrap();
    let since = Instant::now();
    let daemons = ["bgpd", "bfdd"].map(|name| estate.lab.second_router().frr.daemon(name));
    daemons.iter().for_each(|daemon| daemon.stop());
    announced(&estate, Some("peer 10.0.0.253 is down"));
    daemons.iter().for_each(|daemon| daemon.cont());
    estate.wait_for_nodes(&second, PREFIX, Instant::now(), &[1, 2, 3]);
    announced(&estate, None);
    let report = probe.stop().unwrap();
    nothing_lost("the second router fell silent and came back", &first, since);
    println!("the second router fell silent and came back: {report}");
    assert_eq!(report.failed(), 0, "{report}");

    let since = Instant::now();
    estate.lab.tor_frr().daemon("bgpd").kill9();
    estate.wait_for_nodes(&first, PREFIX, since, &[]);
    announced(&estate, Some("peer 10.0.0.254 is down"));
    nothing_lost("the first router died", &second, since);
    estate.lab.tor_frr().daemon("bgpd").restart().unwrap();
    estate.wait_for_nodes(&first, PREFIX, Instant::now(), &[1, 2, 3]);
    announced(&estate, None);
    nothing_lost("the first router came back", &second, since);
}

/// The route was there all the time, by way of all three nodes. (To be told the same again is no loss.)
fn nothing_lost(what: &str, router: &FibWatch, since: Instant) {
    let whole = |event: &Event| matches!(&event.change, Change::Set(_, hops) if hops.nodes().len() == 3);
    let lost: Vec<_> = router.events(since).into_iter().filter(|event| !whole(event)).collect();
    assert!(lost.is_empty(), "{what}: {lost:?}");
}

/// All nodes announce; with exactly this flaw, if any.
fn announced(estate: &Estate, flaw: Option<&str>) {
    for k in 1..=3 {
        eventually(&format!("n{k} announces, {flaw:?}"), SOON, || {
            let vip = estate.vip(k, "web-vip-bgp-redundant")?;
            let reasons = vip["reasons"].as_array().cloned().unwrap_or_default();
            let words: Vec<_> = reasons.iter().filter_map(|reason| reason["message"].as_str()).collect();
            let as_expected = match flaw {
                None => words.is_empty(),
                Some(flaw) => words.len() == 1 && words[0].starts_with(flaw),
            };
            if vip["phase"] == "Announced" && as_expected { Ok(()) } else { Err(vip.to_string()) }
        })
        .unwrap();
    }
}

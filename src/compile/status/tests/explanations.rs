//! Which link of the chain is named, whatever breaks.

use super::explain::{Link, State, Step};
use super::*;
use crate::model::leaving::Cause;

fn chain(estate: &Estate, node: &str) -> Vec<Link> {
    let explained = explain(&name("web"), &estate.compute(), &estate.attendance).unwrap();
    explained.nodes[&name(node)].clone()
}

fn first_broken(estate: &Estate) -> Option<Link> {
    chain(estate, "n1").into_iter().find(|link| link.state == State::Broken)
}

#[test]
fn a_whole_chain_ends_in_an_announced_route() {
    let links = chain(&Estate::well(), "n1");
    assert!(links.iter().all(|link| link.state == State::Holds), "{links:?}");
    assert_eq!(links.last().map(|link| link.step), Some(Step::Announced));
    let words: Vec<&str> = links.iter().map(|link| link.words.as_str()).filter(|w| !w.is_empty()).collect();
    assert_eq!(words, ["generation 4", "80", "10.200.0.20/32", "frr 8.4.4", "10.200.0.20/32", "Announced"]);
}

#[test]
fn the_first_broken_link_has_the_words_of_whoever_knows_and_a_remedy() {
    let port = Port::new(80).unwrap();
    let address = route("10.200.0.20");
    let error = Some("RTNETLINK answers: Operation not permitted".to_owned());
    let table = [
        (
            Reason::PortInUse { port, holder: Some("sshd (pid 812)".to_owned()) },
            Step::PortsBound,
            "sshd (pid 812)",
        ),
        (Reason::AddressNotHeld { address, error }, Step::AddressHeld, "Operation not permitted"),
        (Reason::NotGuarded { error: "nft: no".to_owned() }, Step::AddressHeld, "nft: no"),
        (
            Reason::DaemonNotAnswering { error: Some("bgpd.vty: gone".to_owned()) },
            Step::DaemonAnswers,
            "bgpd.vty",
        ),
        (Reason::NoHealthyBackend { port }, Step::BackendsHealthy, "port 80"),
        (
            Reason::DaemonCannot {
                daemon: "bird 2.0.12".to_owned(),
                field: "spec.mode: OSPF".to_owned(),
                why: "not by this version".to_owned(),
            },
            Step::InDaemon,
            "bird 2.0.12 does not carry out spec.mode: OSPF",
        ),
        (Reason::DaemonRefused { address, error: "% Malformed".to_owned() }, Step::InDaemon, "% Malformed"),
        (Reason::NoPeerUp, Step::PeersUp, "no peer is up"),
        (Reason::Leaving { cause: Cause::Cordon }, Step::Announced, "its Node is cordoned"),
    ];
    for (reason, step, words) in table {
        let mut estate = Estate::well();
        estate.tells("n1", Phase::Preparing, std::slice::from_ref(&reason));
        if step > Step::InDaemon {
            estate.report("n1", |report| report.routing.announced.extend([address]));
        }
        let broken = first_broken(&estate).unwrap_or_else(|| panic!("{reason:?}"));
        assert_eq!(broken.step, step, "{reason:?}");
        assert!(broken.words.contains(words), "{}", broken.words);
        assert!(broken.remedy.is_some(), "{reason:?}");
        let later = chain(&estate, "n1").into_iter().filter(|link| link.step > step);
        assert!(later.into_iter().all(|link| link.state != State::Broken), "{reason:?}");
    }
}

#[test]
fn what_an_announced_vip_lacks_is_a_flaw() {
    let mut estate = Estate::well();
    estate.tells(
        "n1",
        Phase::Announced,
        &[Reason::PeerDown { peer: "10.0.0.253".parse().unwrap(), error: None }],
    );
    assert_eq!(first_broken(&estate), None);
    let flawed: Vec<Step> =
        chain(&estate, "n1").into_iter().filter(|l| l.state == State::Flawed).map(|l| l.step).collect();
    assert_eq!(flawed, [Step::PeersUp]);
}

#[test]
fn an_agent_that_is_not_heard_breaks_the_second_link() {
    let mut estate = Estate::well();
    estate.silence("n1");
    estate.attendance.remove(&name("n2"));
    estate.report("n3", |report| report.vips.clear());
    estate.world.nodes.insert(name("n4"), read(json!({"metadata": {"name": "n4"}})));
    estate.world.nodes.insert(name("n2"), read(json!({"metadata": {"name": "n2"}})));
    for (node, step, words) in [
        ("n1", Step::SnapshotTaken, "not connected"),
        ("n2", Step::SnapshotTaken, "no agent has spoken"),
        ("n3", Step::SnapshotTaken, "not said anything"),
        ("n4", Step::Selected, "spec.nodeSelector"),
    ] {
        let last = chain(&estate, node).pop().unwrap();
        assert_eq!((last.step, last.state), (step, State::Broken), "{node}");
        assert!(last.words.contains(words), "{node}: {}", last.words);
    }
    assert!(explain(&name("none"), &estate.compute(), &estate.attendance).is_none());
}

//! What holds whatever the estate is like.

use super::*;
use crate::model::leaving::{Cause, Hold};
use proptest::prelude::*;
use proptest::sample::select;

/// Something that happens to a node.
#[derive(Debug, Clone)]
enum Blow {
    Silent,
    Gone,
    Tells(Phase, Option<Reason>),
    Held,
    Granted,
    Unselected,
    Refused,
}

fn blow() -> impl Strategy<Value = (&'static str, Blow)> {
    let phase = select(vec![Phase::Idle, Phase::Preparing, Phase::Ready, Phase::Announced, Phase::Draining]);
    let reason = select(vec![
        None,
        Some(Reason::NoPeerUp),
        Some(Reason::NoListeners),
        Some(Reason::DaemonNotAnswering { error: None }),
        Some(Reason::AddressNotHeld { address: route("10.200.0.20"), error: None }),
    ]);
    let tells = (phase, reason).prop_map(|(phase, reason)| Blow::Tells(phase, reason));
    let blows =
        select(vec![Blow::Silent, Blow::Gone, Blow::Held, Blow::Granted, Blow::Unselected, Blow::Refused]);
    (select(vec!["n1", "n2", "n3"]), prop_oneof![tells, blows])
}

fn strike(estate: &mut Estate, node: &str, blow: Blow) {
    let known = estate.attendance.contains_key(&name(node));
    match blow {
        Blow::Silent if known => estate.silence(node),
        Blow::Tells(phase, reason) if known => estate.tells(node, phase, reason.as_slice()),
        Blow::Silent | Blow::Tells(..) => {}
        Blow::Gone => drop(estate.attendance.remove(&name(node))),
        Blow::Held => {
            let by = Hold::BelowMinimum { healthy: 1, minimum: 2 };
            estate.web().leaving.insert(name(node), Leaving::Held { cause: Cause::Drain, by });
        }
        Blow::Granted => {
            estate.web().leaving.insert(name(node), Leaving::Granted { cause: Cause::Cordon });
        }
        Blow::Unselected => drop(estate.web().nodes.remove(&name(node))),
        Blow::Refused => estate.reject("ProxyVIP web", "spec.ports", "InvalidValue", "no", false),
    }
}

proptest! {
    /// Equal facts give an equal document, at any later time, and nothing has happened in between.
    #[test]
    fn saying_it_again_changes_nothing(blows in prop::collection::vec(blow(), 0..8), later in 0_u64..100_000) {
        let mut estate = Estate::well();
        for (node, blow) in blows {
            strike(&mut estate, node, blow);
        }
        let first = estate.compute();
        prop_assert_eq!(&estate.compute(), &first);
        estate.before = Some(first.clone());
        estate.now += later;
        let second = estate.compute();
        prop_assert_eq!(&second, &first);
        prop_assert_eq!(events(Some(&first), &second), []);
    }

    /// The document survives the socket; conditions are all there, each once, in words that people can read.
    #[test]
    fn a_document_is_whole(blows in prop::collection::vec(blow(), 0..8)) {
        let mut estate = Estate::well();
        for (node, blow) in blows {
            strike(&mut estate, node, blow);
        }
        let status = estate.compute();
        let text = serde_json::to_string(&status).unwrap();
        prop_assert_eq!(&serde_json::from_str::<EstateStatus>(&text).unwrap(), &status);
        let web = &status.vips[&name("web")].status;
        let kinds: Vec<&str> = web.conditions.iter().map(|condition| condition.type_.as_str()).collect();
        let all = ["Accepted", "AddressAllocated", "Ready", "Degraded", "Conflicted", "NoListeners", "DaemonUntested"];
        prop_assert_eq!(kinds, all);
        let is_announced = !web.announcing_nodes.is_empty();
        prop_assert_eq!(condition(&web.conditions, "Ready").status == "True", is_announced);
        for condition in &web.conditions {
            prop_assert!(condition.message.ends_with('.'), "{}", condition.message);
            prop_assert!(condition.message.len() < 32_768);
        }
        for node in &web.nodes {
            prop_assert!(node.reason.is_some() == node.message.is_some());
        }
        let explained = explain(&name("web"), &status, &estate.attendance).unwrap();
        for (node, chain) in explained.nodes {
            let whole = chain.iter().all(|link| link.state <= super::explain::State::Flawed);
            if web.announcing_nodes.iter().any(|announcing| announcing == node.as_str()) {
                prop_assert!(whole, "{:?}", chain);
            }
        }
    }
}

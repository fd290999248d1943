//! What collides with the operator's is left out, and told.

use super::plans::{announce, attributes, peer, plan, to};
use crate::model::bgp::Audience;
use crate::model::net::HostRoute;
use crate::model::observed::PeerState;
use crate::routing::bird::protocols::{Bgp, Protocol};
use crate::routing::bird::respect::respect;
use std::collections::BTreeSet;

fn session(name: &str, neighbor: &str) -> Protocol {
    let bgp = Bgp {
        state: PeerState::Established,
        neighbor: Some(neighbor.parse().unwrap()),
        neighbor_as: 64777,
        local_as: 64501,
        last_error: None,
        source: None,
    };
    Protocol { name: name.to_owned(), kind: "BGP".to_owned(), bgp: Some(bgp), ..Protocol::default() }
}

#[test]
fn a_neighbour_and_a_prefix_of_the_operators_stay_the_operators() {
    let mut wanted = plan([peer("10.0.0.254", 64500), peer("10.0.0.77", 64777)]);
    announce(&mut wanted, "10.200.0.99", attributes(&[]), to(&["10.0.0.254"]));
    announce(&mut wanted, "10.200.0.20", attributes(&[]), to(&["10.0.0.254"]));
    let refused = HostRoute::parse("10.200.0.99").unwrap();
    let seen = [session("spine", "10.0.0.77"), session("novaedge_10_0_0_254", "10.0.0.254")];
    let conflicts = respect(&mut wanted, &seen, &BTreeSet::from([refused]));
    assert_eq!(conflicts.networks.keys().collect::<Vec<_>>(), [&refused]);
    let (line, answer) = conflicts.structure.unwrap();
    assert!(line.contains("10.0.0.77") && answer.contains("protocol spine"), "{line}: {answer}");
    assert_eq!(wanted.speaker.unwrap().peers.len(), 1);
    assert_eq!(wanted.announcements.len(), 1);
}

#[test]
fn attaching_needs_a_session_of_the_operators() {
    let mut attached = plan([]);
    announce(&mut attached, "10.200.0.20", attributes(&[]), Audience::Operators);
    let mut wanted = attached.clone();
    let ours = [session("novaedge_10_0_0_254", "10.0.0.254")];
    let (_, answer) = respect(&mut wanted, &ours, &BTreeSet::new()).structure.unwrap();
    assert!(answer.contains("write `peers`"), "{answer}");
    assert!(wanted.announcements.is_empty());
    let conflicts = respect(&mut attached, &[session("spine", "10.0.0.77")], &BTreeSet::new());
    assert_eq!((conflicts, attached.announcements.len()), (Default::default(), 1));
}

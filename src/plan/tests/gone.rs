//! VIPs that are deleted, and VIPs that move.

use super::decide::leavers;
use super::*;
use crate::model::bgp::Community;

fn web() -> HostRoute {
    route("10.200.0.20")
}

/// Sets the step of everything that is to leave.
fn advance(snapshot: &Snapshot, facts: &mut NodeFacts, step: Leave) {
    let leaving = leavers(snapshot, facts);
    facts.leave = leaving.into_keys().map(|route| (route, step)).collect();
    facts.former = former::still_here(facts);
}

#[test]
fn a_deleted_vip_leaves_like_one_that_stays_in_the_snapshot() {
    let before = snapshot();
    let after = without(&before, "web");
    for step in [Leave::Finishing, Leave::Muted, Leave::Yielding, Leave::Closing, Leave::Withdrawn] {
        let mut facts = all_well(&before);
        follow(&before, &after, &mut facts);
        advance(&after, &mut facts, step);
        let deleted = desired(&after, &facts);

        let mut facts = all_well(&before);
        leave_one(&name("web"), &before.vips[&name("web")], &mut facts, step);
        let left = desired(&before, &facts);
        assert_eq!(deleted.proxy, left.proxy, "served to the end, at {step:?}");
        assert_eq!(deleted.link, left.link);
        assert_eq!(deleted.exposure, left.exposure);
        assert_eq!(deleted.routing, left.routing);
    }
}

#[test]
fn a_deleted_vip_is_forgotten_when_it_is_released() {
    let before = snapshot();
    let after = without(&before, "web");
    let mut facts = all_well(&before);
    follow(&before, &after, &mut facts);
    advance(&after, &mut facts, Leave::Released);
    assert!(facts.former.contains_key(&web()), "the kernel still has it");
    obey(&desired(&after, &facts), &mut facts);
    advance(&after, &mut facts, Leave::Released);
    assert!(facts.former.is_empty());
    assert_eq!(desired(&after, &facts), desired(&after, &all_well(&after)));
}

#[test]
fn the_last_vip_keeps_the_session_that_carries_its_withdrawal() {
    let before = snapshot();
    let after = Snapshot::empty(name("n1"));
    let mut facts = all_well(&before);
    follow(&before, &after, &mut facts);
    advance(&after, &mut facts, Leave::Yielding);
    let routing = desired(&after, &facts).routing;
    let speaker = routing.speaker.unwrap();
    assert_eq!((speaker.peers.len(), speaker.graceful_restart), (2, None));
    assert_eq!(routing.announcements.len(), 4);
    advance(&after, &mut facts, Leave::Released);
    assert_eq!(desired(&after, &facts).routing.speaker, None);
}

#[test]
fn a_peer_of_a_deleted_vip_alone_stays_until_it_has_left() {
    let mut before = snapshot();
    for vip in ["dual", "idle"] {
        let Reach::Bgp(reach) = &mut the_vip(&mut before, vip).reach else { panic!("not by BGP") };
        reach.audience = Audience::Peers([ip(PEERS[1])].into());
    }
    let mut after = without(&before, "web");
    after.speaker.as_mut().unwrap().peers.remove(&ip(PEERS[0]));
    let mut facts = all_well(&before);
    follow(&before, &after, &mut facts);
    let peers = |facts: &NodeFacts| desired(&after, facts).routing.speaker.unwrap().peers.len();
    advance(&after, &mut facts, Leave::Withdrawn);
    assert_eq!(peers(&facts), 2);
    advance(&after, &mut facts, Leave::Released);
    assert_eq!(peers(&facts), 1);
}

#[test]
fn a_deleted_vip_that_comes_back_stays_as_it_is() {
    let before = snapshot();
    let after = without(&before, "web");
    let mut facts = all_well(&before);
    follow(&before, &after, &mut facts);
    advance(&after, &mut facts, Leave::Finishing);
    follow(&after, &before, &mut facts);
    advance(&before, &mut facts, Leave::Finishing);
    assert!(facts.former.is_empty() && facts.leave.is_empty());
    assert_eq!(desired(&before, &facts), desired(&before, &all_well(&before)));
}

#[test]
fn an_address_that_another_vip_has_taken_is_handed_over_in_place() {
    let before = snapshot();
    let mut after = without(&before, "dual");
    add_vip(&mut after, "heir", &["10.200.0.21"], &[80]);
    let mut facts = all_well(&before);
    follow(&before, &after, &mut facts);
    advance(&after, &mut facts, Leave::Closing);
    let now = desired(&after, &facts);
    let taken = route("10.200.0.21");
    assert!(now.link.addresses.contains(&taken) && !now.exposure.muted.contains(&taken.address()));
    assert!(now.routing.announcements.contains_key(&taken), "no withdrawal in between");
    let listener = |vip| now.proxy.serving.listeners.get(&listener_key(vip, 80)).map(|l| l.addresses.clone());
    assert_eq!(listener("heir"), Some([taken.address()].into()));
    // Its other address leaves.
    assert_eq!(listener("dual"), Some([ip("2001:db8::21")].into()));
    assert!(now.exposure.muted.contains(&ip("2001:db8::21")));
}

#[test]
fn an_edited_address_is_announced_before_the_old_one_leaves() {
    let before = snapshot();
    let mut facts = all_well(&before);
    let mut after = before.clone();
    add_vip(&mut after, "web", &["10.200.0.30"], &[80, 443]);
    follow(&before, &after, &mut facts);

    for _guarded_held_announced in 0..3 {
        advance(&after, &mut facts, Leave::Finishing);
        let now = desired(&after, &facts);
        assert!(now.routing.announcements.contains_key(&web()));
        assert!(now.link.addresses.contains(&web()));
        assert!(now.proxy.lame_ducks.is_empty() && now.exposure.muted.is_empty());
        assert!(now.proxy.serving.listeners[&listener_key("web", 80)].addresses.contains(&web().address()));
        obey(&now, &mut facts);
    }
    assert!(facts.is_announced(route("10.200.0.30")));
    advance(&after, &mut facts, Leave::Yielding);
    let now = desired(&after, &facts);
    let old = &now.routing.announcements[&web()];
    assert!(old.attributes.communities.contains(&Community::GRACEFUL_SHUTDOWN));
    assert_eq!(now.exposure.muted, [web().address()].into());
    assert_eq!(now.routing.speaker, desired(&before, &all_well(&before)).routing.speaker);
}

#[test]
fn an_address_edited_twice_in_a_row_stays_too() {
    let before = snapshot();
    let mut facts = all_well(&before);
    let (mut second, mut third) = (before.clone(), before.clone());
    add_vip(&mut second, "web", &["10.200.0.30"], &[80, 443]);
    add_vip(&mut third, "web", &["10.200.0.40"], &[80, 443]);
    follow(&before, &second, &mut facts);
    advance(&second, &mut facts, Leave::Finishing);
    obey(&desired(&second, &facts), &mut facts);
    follow(&second, &third, &mut facts);
    advance(&third, &mut facts, Leave::Finishing);
    assert!(desired(&third, &facts).routing.announcements.contains_key(&web()));
    assert!(!facts.leave.contains_key(&web()));
}

#[test]
fn an_edited_vip_without_backends_keeps_no_old_route() {
    let before = snapshot();
    let mut facts = all_well(&before);
    let mut after = before.clone();
    add_vip(&mut after, "web", &["10.200.0.30"], &[80]);
    follow(&before, &after, &mut facts);
    set_health(&mut facts, "default/web-80", EndpointHealth::Unhealthy);
    assert!(!desired(&after, &facts).routing.announcements.contains_key(&web()));
}

#[test]
fn a_vip_edited_and_then_deleted_leaves_with_both_addresses() {
    let before = snapshot();
    let mut facts = all_well(&before);
    let mut edited = before.clone();
    add_vip(&mut edited, "web", &["10.200.0.30"], &[80, 443]);
    follow(&before, &edited, &mut facts);
    facts.held.addresses.insert(route("10.200.0.30"));
    follow(&edited, &without(&edited, "web"), &mut facts);
    let after = without(&edited, "web");
    advance(&after, &mut facts, Leave::Finishing);
    assert_eq!(facts.leave.len(), 2);
    let open = &desired(&after, &facts).proxy.serving.listeners[&listener_key("web", 80)].addresses;
    assert!(open.contains(&ip("10.200.0.30")));
}

#[test]
fn what_nobody_remembers_is_withdrawn_before_it_is_released() {
    let before = snapshot();
    let mut facts = all_well(&before);
    let after = without(&before, "web");
    let first = desired(&after, &facts);
    assert!(!first.routing.announcements.contains_key(&web()));
    assert!(first.link.addresses.contains(&web()), "the address outlives the route");
    assert!(first.exposure.muted.contains(&web().address()));

    facts.observed.announced.remove(&web());
    let second = desired(&after, &facts);
    assert!(!second.link.addresses.contains(&web()));
    assert!(second.exposure.addresses.contains(&web().address()), "guarded until it is gone");
    facts.held.addresses.remove(&web());
    assert!(!desired(&after, &facts).exposure.addresses.contains(&web().address()));

    facts.observed = Observed::default();
    facts.held.addresses.insert(web());
    assert!(!desired(&after, &facts).link.addresses.contains(&web()), "a silent daemon is not waited for");
}

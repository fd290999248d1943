//! VIPs that go, VIPs that move, and nodes that leave.

use super::leave::{Moment, step};
use super::*;
use crate::model::bgp::Community;
use crate::model::status::Phase;

#[test]
fn a_deleted_vip_is_withdrawn_before_it_is_released() {
    let before = snapshot();
    let mut facts = all_well(&before);
    let mut after = before;
    Arc::make_mut(&mut after.vips).remove(&name("web"));
    Arc::make_mut(&mut after.serving).listeners.retain(|key, _| key.vip != name("web"));
    let web = route("10.200.0.20");

    let first = desired(&after, &facts);
    assert!(!first.routing.announcements.contains_key(&web));
    assert!(first.link.addresses.contains(&web), "the address outlives the route");
    assert!(first.exposure.muted.contains(&web.address()));

    facts.observed.announced.remove(&web);
    let second = desired(&after, &facts);
    assert!(!second.link.addresses.contains(&web));
    assert!(second.exposure.addresses.contains(&web.address()), "guarded until it is gone");

    facts.held.addresses.remove(&web);
    let third = desired(&after, &facts);
    assert!(!third.exposure.addresses.contains(&web.address()));
    assert!(!third.lineage.contains_key(&web));
}

#[test]
fn a_deleted_vip_does_not_wait_for_a_silent_daemon() {
    let before = snapshot();
    let mut facts = all_well(&before);
    facts.observed = Observed::default();
    let desired = desired(&Snapshot::empty(name("n1")), &facts);
    assert!(desired.link.addresses.is_empty());
    assert_eq!(desired.exposure.muted.len(), 4);
}

#[test]
fn an_edited_address_is_announced_before_the_old_one_leaves() {
    let mut snapshot = snapshot();
    let mut facts = all_well(&snapshot);
    let (old, new) = (route("10.200.0.20"), route("10.200.0.30"));
    add_vip(&mut snapshot, "web", &["10.200.0.30"], &[80, 443]);

    for _guarded_held_announced in 0..3 {
        let step = desired(&snapshot, &facts);
        assert!(step.routing.announcements.contains_key(&old));
        assert!(step.link.addresses.contains(&old));
        assert!(!step.exposure.muted.contains(&old.address()));
        assert!(step.proxy.serving.listeners[&listener_key("web", 80)].addresses.contains(&old.address()));
        obey(&step, &mut facts);
    }
    assert!(facts.is_announced(new));
    let settled = desired(&snapshot, &facts);
    assert!(!settled.routing.announcements.contains_key(&old));
    assert!(settled.exposure.muted.contains(&old.address()));
}

#[test]
fn an_address_edited_twice_in_a_row_stays_too() {
    let mut snapshot = snapshot();
    let mut facts = all_well(&snapshot);
    add_vip(&mut snapshot, "web", &["10.200.0.30"], &[80, 443]);
    obey(&desired(&snapshot, &facts), &mut facts);
    add_vip(&mut snapshot, "web", &["10.200.0.40"], &[80, 443]);
    assert!(desired(&snapshot, &facts).routing.announcements.contains_key(&route("10.200.0.20")));
}

#[test]
fn an_edited_vip_without_backends_keeps_no_old_route() {
    let mut snapshot = snapshot();
    let mut facts = all_well(&snapshot);
    add_vip(&mut snapshot, "web", &["10.200.0.30"], &[80]);
    set_health(&mut facts, "default/web-80", EndpointHealth::Unhealthy);
    assert!(!desired(&snapshot, &facts).routing.announcements.contains_key(&route("10.200.0.20")));
}

#[test]
fn each_step_of_leaving_takes_one_thing_more() {
    let snapshot = snapshot();
    let mut facts = all_well(&snapshot);
    let mut at = |leave| {
        facts.leave = leave;
        desired(&snapshot, &facts)
    };
    let finishing = at(Leave::Finishing);
    assert!(finishing.proxy.lame_duck && finishing.exposure.muted.is_empty());
    assert_eq!(finishing.routing.speaker.as_ref().unwrap().graceful_restart, None);
    assert_eq!(finishing.vips[&name("web")].phase, Phase::Draining);

    let muted = at(Leave::Muted);
    assert_eq!(muted.exposure.muted, muted.exposure.addresses);
    assert_eq!(muted.routing, finishing.routing);

    let yielding = at(Leave::Yielding);
    let shuts_down = |a: &Announcement| a.attributes.communities.contains(&Community::GRACEFUL_SHUTDOWN);
    assert!(
        yielding.routing.announcements.len() == 4 && yielding.routing.announcements.values().all(shuts_down)
    );

    assert!(at(Leave::Yielded).exposure.muted.is_empty(), "routers may ignore the community");
    let closing = at(Leave::Closing);
    assert_eq!((&closing.routing, &closing.exposure.muted), (&yielding.routing, &muted.exposure.muted));

    let withdrawn = at(Leave::Withdrawn);
    assert!(withdrawn.routing.announcements.is_empty() && withdrawn.routing.speaker.is_some());
    assert_eq!(withdrawn.link.addresses.len(), 4);
    assert_eq!(withdrawn.vips[&name("web")].phase, Phase::Withdrawn);

    let released = at(Leave::Released);
    assert!(released.link.addresses.is_empty() && released.routing.speaker.is_none());
    assert_eq!(released.exposure.addresses.len(), 4, "guarded until the kernel has let go");
}

#[test]
fn departures_take_their_time_and_no_more() {
    let ms = Duration::from_millis;
    let busy =
        Moment { in_step: ms(0), drain_period: ms(10_000), connections: 9, in_flight: 5, announced: true };
    let idle = Moment { connections: 0, in_flight: 0, ..busy };
    let after = |millis, moment| Moment { in_step: ms(millis), ..moment };
    let silent = |moment| Moment { announced: false, ..moment };
    let table = [
        (Leave::Staying, after(60_000, idle), Leave::Staying),
        (Leave::Finishing, busy, Leave::Finishing),
        (Leave::Finishing, Moment { connections: 5, ..after(249, busy) }, Leave::Finishing),
        (Leave::Finishing, Moment { connections: 5, ..after(250, busy) }, Leave::Muted),
        (Leave::Finishing, after(5_000, busy), Leave::Muted),
        (Leave::Finishing, Moment { drain_period: ms(0), ..after(1_999, busy) }, Leave::Finishing),
        (Leave::Muted, after(499, busy), Leave::Muted),
        (Leave::Muted, after(500, busy), Leave::Yielding),
        (Leave::Muted, after(249, idle), Leave::Muted),
        (Leave::Muted, after(250, idle), Leave::Yielding),
        (Leave::Yielding, after(499, idle), Leave::Yielding),
        (Leave::Yielding, after(500, busy), Leave::Yielded),
        (Leave::Yielding, silent(busy), Leave::Withdrawn),
        (Leave::Yielded, after(9_499, idle), Leave::Yielded),
        (Leave::Yielded, after(9_500, busy), Leave::Closing),
        (Leave::Yielded, silent(busy), Leave::Withdrawn),
        (Leave::Closing, after(499, busy), Leave::Closing),
        (Leave::Closing, after(500, busy), Leave::Withdrawn),
        (Leave::Closing, after(250, idle), Leave::Withdrawn),
        (Leave::Withdrawn, after(499, silent(idle)), Leave::Withdrawn),
        (Leave::Withdrawn, after(500, silent(idle)), Leave::Released),
        (Leave::Withdrawn, after(1_999, idle), Leave::Withdrawn),
        (Leave::Withdrawn, after(2_000, idle), Leave::Released),
        (Leave::Withdrawn, after(9_999, silent(busy)), Leave::Withdrawn),
        (Leave::Withdrawn, after(10_000, busy), Leave::Released),
        (Leave::Released, after(60_000, busy), Leave::Released),
    ];
    for (from, moment, to) in table {
        assert_eq!(step(from, &moment), to, "{from:?} {moment:?}");
    }
}

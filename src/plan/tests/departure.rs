//! One VIP, or a whole node, that leaves in order.

use super::leave::{Moment, step};
use super::*;
use crate::model::bgp::Community;
use crate::model::status::Phase;

const STEPS: [Leave; 9] = [
    Leave::Staying,
    Leave::Finishing,
    Leave::Muted,
    Leave::Yielding,
    Leave::Yielded,
    Leave::Closing,
    Leave::Withdrawn,
    Leave::Stopped,
    Leave::Released,
];

#[test]
fn each_step_of_leaving_takes_one_thing_more() {
    let snapshot = snapshot();
    let mut facts = all_well(&snapshot);
    let mut at = |step| {
        leave_all(&snapshot, &mut facts, step);
        desired(&snapshot, &facts)
    };
    let finishing = at(Leave::Finishing);
    assert!(finishing.proxy.lame_ducks.len() == 4 && finishing.exposure.muted.is_empty());
    assert_eq!(finishing.routing.speaker.as_ref().unwrap().graceful_restart, None);
    assert_eq!(finishing.vips[&name("web")].phase, Phase::Draining);

    let muted = at(Leave::Muted);
    assert_eq!(muted.exposure.muted, muted.exposure.addresses);
    assert_eq!(muted.routing, finishing.routing);

    let yielding = at(Leave::Yielding);
    let announcements = &yielding.routing.announcements;
    assert!(announcements.len() == 4 && announcements.values().all(shuts_down));

    assert!(at(Leave::Yielded).exposure.muted.is_empty(), "routers may ignore the community");
    let closing = at(Leave::Closing);
    assert_eq!((&closing.routing, &closing.exposure.muted), (&yielding.routing, &muted.exposure.muted));

    let withdrawn = at(Leave::Withdrawn);
    assert!(withdrawn.routing.announcements.is_empty() && withdrawn.routing.speaker.is_some());
    assert_eq!(withdrawn.link.addresses.len(), 4);
    assert_eq!(withdrawn.proxy.serving, finishing.proxy.serving, "what is in flight is finished");
    assert_eq!(withdrawn.vips[&name("web")].phase, Phase::Withdrawn);

    let stopped = at(Leave::Stopped);
    assert!(stopped.proxy.serving.listeners.is_empty());
    assert_eq!(stopped.link.addresses.len(), 4, "the address goes last");

    let released = at(Leave::Released);
    assert!(released.link.addresses.is_empty() && released.routing.speaker.is_none());
    assert_eq!(released.exposure.addresses.len(), 4, "guarded until the kernel has let go");
}

fn shuts_down(announcement: &Announcement) -> bool {
    announcement.attributes.communities.contains(&Community::GRACEFUL_SHUTDOWN)
}

/// What a decision says about one address.
fn share_of(desired: &Desired, route: HostRoute) -> (bool, Vec<String>, bool, Option<Announcement>, bool) {
    let address = route.address();
    let listeners = desired.proxy.serving.listeners.iter().filter(|(_, l)| l.addresses.contains(&address));
    (
        desired.link.addresses.contains(&route),
        listeners.map(|(key, _)| key.to_string()).collect(),
        desired.exposure.muted.contains(&address),
        desired.routing.announcements.get(&route).cloned(),
        desired.proxy.lame_ducks.contains(&address),
    )
}

#[test]
fn a_vip_that_leaves_alone_changes_nothing_for_the_others() {
    let snapshot = snapshot();
    let mut facts = all_well(&snapshot);
    let before = desired(&snapshot, &facts);
    for step in STEPS {
        leave_one(&name("web"), &snapshot.vips[&name("web")], &mut facts, step);
        let now = desired(&snapshot, &facts);
        assert_eq!(now.routing.speaker, before.routing.speaker, "sessions stay as they are at {step:?}");
        for other in ["dual", "idle"] {
            assert_eq!(now.vips[&name(other)], before.vips[&name(other)]);
            for route in snapshot.vips[&name(other)].addresses.iter() {
                assert_eq!(share_of(&now, route), share_of(&before, route), "{route} at {step:?}");
            }
        }
    }
}

#[test]
fn a_departure_can_be_called_off_at_every_step() {
    let snapshot = snapshot();
    for step in STEPS {
        let mut facts = all_well(&snapshot);
        leave_all(&snapshot, &mut facts, step);
        for _ in 0..3 {
            obey(&desired(&snapshot, &facts), &mut facts);
        }
        facts.leaving.clear();
        facts.leave.clear();
        let well = all_well(&snapshot);
        for _ in 0..4 {
            let now = desired(&snapshot, &facts);
            let announced = now.routing.announcements.keys();
            assert!(announced.into_iter().all(|route| facts.is_held(*route)), "held first, after {step:?}");
            obey(&now, &mut facts);
        }
        assert_eq!(desired(&snapshot, &facts), desired(&snapshot, &well), "after {step:?}");
    }
}

#[test]
fn what_leaves_before_it_has_arrived_does_not_arrive() {
    let snapshot = snapshot();
    let mut facts = afresh(&snapshot);
    leave_all(&snapshot, &mut facts, Leave::Finishing);
    for _ in 0..4 {
        obey(&desired(&snapshot, &facts), &mut facts);
    }
    assert!(facts.held.addresses.is_empty() && facts.observed.announced.is_empty());
}

#[test]
fn a_daemon_that_is_silent_for_a_moment_loses_no_leaving_route() {
    let snapshot = snapshot();
    let mut facts = all_well(&snapshot);
    leave_all(&snapshot, &mut facts, Leave::Finishing);
    facts.observed = Observed::default();
    assert_eq!(desired(&snapshot, &facts).routing.announcements.len(), 4);
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
        (Leave::Withdrawn, after(500, silent(idle)), Leave::Stopped),
        (Leave::Withdrawn, after(1_999, idle), Leave::Withdrawn),
        (Leave::Withdrawn, after(2_000, idle), Leave::Stopped),
        (Leave::Withdrawn, after(9_999, silent(busy)), Leave::Withdrawn),
        (Leave::Withdrawn, after(10_000, busy), Leave::Stopped),
        (Leave::Stopped, after(249, idle), Leave::Stopped),
        (Leave::Stopped, after(250, idle), Leave::Released),
        (Leave::Stopped, after(499, busy), Leave::Stopped),
        (Leave::Stopped, after(500, busy), Leave::Released),
        (Leave::Released, after(60_000, busy), Leave::Released),
    ];
    for (from, moment, to) in table {
        assert_eq!(step(from, &moment), to, "{from:?} {moment:?}");
    }
}

//! What holds whatever a node reports.

use super::leave::{Moment, step};
use super::*;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const KNOWN: [&str; 6] =
    ["10.200.0.20", "10.200.0.21", "2001:db8::21", "10.200.0.22", "10.200.0.99", "10.200.0.98"];

/// Any mixture of reports about the world's addresses, listeners, backends and peers.
fn any_facts() -> impl Strategy<Value = NodeFacts> {
    let some_routes = || subsequence(KNOWN.map(route).to_vec(), 0..=KNOWN.len());
    let keys: Vec<ListenerKey> = snapshot().serving.listeners.keys().cloned().collect();
    let listeners = prop::collection::btree_map(select(keys), any_listener(), 0..5);
    let backends: Vec<Key> = snapshot().serving.backends.keys().cloned().collect();
    let backends = prop::collection::btree_map(select(backends), any_health(), 0..5);
    let odds = (any::<bool>(), any::<bool>(), any_leaves(), any::<bool>());
    (some_routes(), some_routes(), some_routes(), listeners, backends, odds).prop_map(
        |(held, guarded, announced, listeners, backends, (trouble, answers, leave, edited))| {
            let mut facts = all_well(&snapshot());
            facts.held.addresses = held.into_iter().collect();
            facts.guarded.addresses = guarded.into_iter().map(HostRoute::address).collect();
            facts.guarded.trouble = trouble.then(|| "nft is missing".to_owned());
            if answers {
                facts.observed.announced = announced.into_iter().collect();
            } else {
                facts.observed = Observed::default();
            }
            facts.served = Served { listeners, backends, ..Served::default() };
            facts.leave = leave;
            if edited {
                let (mut before, now) = (snapshot(), snapshot());
                add_vip(&mut before, "web", &["10.200.0.99"], &[80, 443]);
                add_vip(&mut before, "gone", &["10.200.0.98"], &[80]);
                follow(&before, &now, &mut facts);
            }
            facts
        },
    )
}

fn any_listener() -> impl Strategy<Value = ListenerState> {
    select(vec![
        ListenerState::Bound,
        ListenerState::PortInUse { holder: None },
        ListenerState::Failed { error: "too many open files".into() },
    ])
}

fn any_health() -> impl Strategy<Value = BackendHealth> {
    select(vec![EndpointHealth::Healthy, EndpointHealth::Unhealthy, EndpointHealth::Unknown])
        .prop_map(|health| BackendHealth { endpoints: [(ENDPOINT.parse().unwrap(), health)].into() })
}

fn any_leave() -> impl Strategy<Value = Leave> {
    select(vec![
        Leave::Staying,
        Leave::Finishing,
        Leave::Muted,
        Leave::Yielding,
        Leave::Yielded,
        Leave::Closing,
        Leave::Withdrawn,
        Leave::Stopped,
        Leave::Released,
    ])
}

/// Every address at a step of its own.
fn any_leaves() -> impl Strategy<Value = BTreeMap<HostRoute, Leave>> {
    prop::collection::btree_map(select(KNOWN.map(route).to_vec()), any_leave(), 0..=KNOWN.len())
}

proptest! {
    #[test]
    fn what_is_announced_is_held_and_guarded_and_stays_so(facts in any_facts()) {
        let desired = desired(&snapshot(), &facts);
        for announced in desired.routing.announcements.keys() {
            prop_assert!(facts.is_held(*announced));
            prop_assert!(desired.link.addresses.contains(announced));
            let guarded = facts.guarded.addresses.contains(&announced.address());
            prop_assert!(guarded || (facts.is_announced(*announced) && facts.guarded.trouble.is_none()));
        }
        for held in facts.held.addresses.iter().chain(&desired.link.addresses) {
            prop_assert!(desired.exposure.addresses.contains(&held.address()));
        }
    }

    #[test]
    fn nothing_new_comes_from_a_doubt(facts in any_facts()) {
        let desired = desired(&snapshot(), &facts);
        for held in desired.link.addresses.difference(&facts.held.addresses) {
            prop_assert!(facts.guarded.addresses.contains(&held.address()));
        }
        let web = name("web");
        let bound = [80, 443].map(|p| facts.served.listeners.get(&listener_key("web", p)));
        if facts.observed.announced.is_empty() && bound != [Some(&ListenerState::Bound); 2] {
            let announced = snapshot().vips[&web].addresses.iter().any(|r| desired.routing.announcements.contains_key(&r));
            prop_assert!(!announced);
        }
    }

    #[test]
    fn services_are_bound_and_ours(facts in any_facts()) {
        let exposure = desired(&snapshot(), &facts).exposure;
        for (address, _, port) in &exposure.services {
            prop_assert!(exposure.addresses.contains(address));
            let bound = |(key, state): (&ListenerKey, &ListenerState)| key.port == *port && *state == ListenerState::Bound;
            prop_assert!(facts.served.listeners.iter().any(bound));
        }
        prop_assert!(exposure.muted.is_subset(&exposure.addresses));
    }

    #[test]
    fn no_address_goes_while_the_daemon_has_its_route(facts in any_facts()) {
        let desired = desired(&snapshot(), &facts);
        for route in facts.held.addresses.intersection(&facts.observed.announced) {
            prop_assert!(desired.link.addresses.contains(route) || facts.step(*route) == Leave::Released);
        }
    }

    #[test]
    fn a_bad_vip_never_changes_another(facts in any_facts(), state in any_listener(), health in any_health()) {
        let snapshot = snapshot();
        let before = desired(&snapshot, &facts);
        let mut troubled = facts;
        for port in [80, 443] {
            troubled.served.listeners.insert(listener_key("web", port), state.clone());
            troubled.served.backends.insert(key(&format!("default/web-{port}")), health.clone());
        }
        troubled.held.refused.insert(route("10.200.0.20"), "no".into());
        troubled.held.addresses.remove(&route("10.200.0.20"));
        let after = desired(&snapshot, &troubled);
        for vip in ["dual", "idle"] {
            prop_assert_eq!(&before.vips[&name(vip)], &after.vips[&name(vip)]);
            for at in snapshot.vips[&name(vip)].addresses.iter() {
                prop_assert_eq!(before.routing.announcements.get(&at), after.routing.announcements.get(&at));
                prop_assert_eq!(before.link.addresses.contains(&at), after.link.addresses.contains(&at));
                let services = |d: &Desired| -> Vec<_> {
                    d.exposure.services.iter().filter(|(a, ..)| *a == at.address()).copied().collect()
                };
                prop_assert_eq!(services(&before), services(&after));
            }
        }
    }

    /// From anywhere, obedient drivers and healthy backends lead to one place, and it is a place of rest.
    #[test]
    fn every_start_ends_all_well(facts in any_facts()) {
        let (snapshot, mut facts) = (snapshot(), NodeFacts { leave: BTreeMap::new(), former: Formers::new(), ..facts });
        facts.guarded.trouble = None;
        facts.served.backends = all_well(&snapshot).served.backends;
        facts.observed.daemon = all_well(&snapshot).observed.daemon;
        for _ in 0..8 {
            obey(&desired(&snapshot, &facts), &mut facts);
        }
        let rest = all_well(&snapshot);
        prop_assert_eq!(&facts.held, &rest.held);
        prop_assert_eq!(&facts.observed.announced, &rest.observed.announced);
        prop_assert_eq!(&facts.guarded, &rest.guarded);
    }

    /// Whatever state a node is in, one address's step is nothing to another VIP.
    #[test]
    fn one_that_leaves_never_changes_another(facts in any_facts(), step in any_leave()) {
        let snapshot = snapshot();
        let before = desired(&snapshot, &facts);
        let mut leaving = facts;
        leave_one(&name("web"), &snapshot.vips[&name("web")], &mut leaving, step);
        let after = desired(&snapshot, &leaving);
        for vip in ["dual", "idle"] {
            prop_assert_eq!(&before.vips[&name(vip)], &after.vips[&name(vip)]);
        }
        for at in KNOWN.map(route).into_iter().filter(|at| *at != route("10.200.0.20")) {
            prop_assert_eq!(before.routing.announcements.get(&at), after.routing.announcements.get(&at));
            prop_assert_eq!(before.link.addresses.contains(&at), after.link.addresses.contains(&at));
            prop_assert_eq!(before.exposure.muted.contains(&at.address()), after.exposure.muted.contains(&at.address()));
            prop_assert_eq!(before.proxy.lame_ducks.contains(&at.address()), after.proxy.lame_ducks.contains(&at.address()));
            let served = |d: &Desired| -> Vec<_> {
                let open = d.proxy.serving.listeners.iter().filter(|(_, l)| l.addresses.contains(&at.address()));
                open.map(|(key, listener)| (key.clone(), listener.serves.clone())).collect()
            };
            prop_assert_eq!(served(&before), served(&after));
        }
    }

    #[test]
    fn a_departure_that_is_not_called_off_ends(
        moments in prop::collection::vec((0u64..20, 0u64..20, any::<bool>()), 400),
        drain in 0u64..5_000,
    ) {
        let (mut leave, mut in_step) = (Leave::Finishing, Duration::ZERO);
        for (connections, in_flight, announced) in moments {
            let drain_period = Duration::from_millis(drain);
            let next = step(leave, &Moment { in_step, drain_period, connections, in_flight, announced });
            prop_assert!(next >= leave);
            in_step = if next == leave { in_step + Duration::from_millis(100) } else { Duration::ZERO };
            leave = next;
        }
        prop_assert_eq!(leave, Leave::Released);
    }

    #[test]
    fn changes_lead_from_what_is_to_what_should_be(
        is in prop::collection::btree_map(0u8..20, 0u8..3, 0..20),
        shall in prop::collection::btree_map(0u8..20, 0u8..3, 0..20),
    ) {
        let changes = diff(&is, &shall);
        prop_assert_eq!(changes.is_empty(), is == shall);
        prop_assert!(changes.added.keys().all(|k| !is.contains_key(k)));
        let mut now = is;
        now.retain(|k, _| !changes.removed.contains(k));
        now.extend(changes.added);
        now.extend(changes.changed);
        prop_assert_eq!(now, shall);
    }
}

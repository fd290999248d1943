//! What holds whatever a node reports.

use super::leave::{Moment, step};
use super::*;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Any mixture of reports about the world's addresses, listeners, backends and peers.
fn any_facts() -> impl Strategy<Value = NodeFacts> {
    let known = ["10.200.0.20", "10.200.0.21", "2001:db8::21", "10.200.0.22", "10.200.0.99", "10.200.0.98"];
    let some_routes = move || subsequence(known.map(route).to_vec(), 0..=known.len());
    let keys: Vec<ListenerKey> = snapshot().serving.listeners.keys().cloned().collect();
    let listeners = prop::collection::btree_map(select(keys), any_listener(), 0..5);
    let backends: Vec<Key> = snapshot().serving.backends.keys().cloned().collect();
    let backends = prop::collection::btree_map(select(backends), any_health(), 0..5);
    let odds = (any::<bool>(), any::<bool>(), any_leave(), any::<bool>());
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
                facts.lineage.insert(route("10.200.0.99"), name("web"));
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
        Leave::Released,
    ])
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
        if facts.leave < Leave::Released {
            let announced = facts.held.addresses.intersection(&facts.observed.announced).copied().collect();
            prop_assert!(desired.link.addresses.is_superset(&announced));
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
        let (snapshot, mut facts) = (snapshot(), NodeFacts { leave: Leave::Staying, ..facts });
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
        prop_assert_eq!(&facts.lineage, &rest.lineage);
    }

    #[test]
    fn a_departure_never_turns_back_and_ends(
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

//! One trouble at a time.

use super::*;
use crate::model::capability::Field;
use crate::model::status::{Phase, Reason};

/// What became of `web`.
struct Case {
    what: &'static str,
    change: fn(&mut Snapshot, &mut NodeFacts),
    held: bool,
    announced: bool,
    phase: Phase,
    reasons: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        what: "all is well",
        change: |_, _| {},
        held: true,
        announced: true,
        phase: Phase::Announced,
        reasons: &[],
    },
    Case {
        what: "a port is held by another process, and the route is still out",
        change: |_, facts| {
            let taken = ListenerState::PortInUse { holder: Some("nginx (pid 7)".into()) };
            facts.served.listeners.insert(listener_key("web", 443), taken);
        },
        held: true,
        announced: false,
        phase: Phase::Preparing,
        reasons: &["PortInUse"],
    },
    Case {
        what: "a port is held by another process, and the route is gone",
        change: |_, facts| {
            facts
                .served
                .listeners
                .insert(listener_key("web", 443), ListenerState::PortInUse { holder: None });
            facts.observed.announced.remove(&route("10.200.0.20"));
        },
        held: false,
        announced: false,
        phase: Phase::Preparing,
        reasons: &["PortInUse"],
    },
    Case {
        what: "the agent restarts over a live route: nobody has reported yet",
        change: |_, facts| {
            facts.served = Served::default();
            facts.guarded = Guarded::default();
        },
        held: true,
        announced: true,
        phase: Phase::Announced,
        reasons: &["PortNotBound", "PortNotBound", "BackendsUnchecked", "BackendsUnchecked", "NotGuarded"],
    },
    Case {
        what: "the ports are bound, the backends unchecked, nothing is out",
        change: |_, facts| {
            facts.served.backends.clear();
            facts.observed.announced.clear();
        },
        held: true,
        announced: false,
        phase: Phase::Preparing,
        reasons: &["BackendsUnchecked", "BackendsUnchecked"],
    },
    Case {
        what: "one of two backends is down",
        change: |_, facts| set_health(facts, "default/web-443", EndpointHealth::Unhealthy),
        held: true,
        announced: true,
        phase: Phase::Announced,
        reasons: &["NoHealthyBackend"],
    },
    Case {
        what: "all backends are down",
        change: |_, facts| {
            set_health(facts, "default/web-80", EndpointHealth::Unhealthy);
            set_health(facts, "default/web-443", EndpointHealth::Unhealthy);
        },
        held: true,
        announced: false,
        phase: Phase::Preparing,
        reasons: &["NoHealthyBackend", "NoHealthyBackend"],
    },
    Case {
        what: "all backends are down, and the operator does not mind",
        change: |snapshot, facts| {
            the_vip(snapshot, "web").withdraw_when_no_backends = false;
            set_health(facts, "default/web-80", EndpointHealth::Unhealthy);
            set_health(facts, "default/web-443", EndpointHealth::Unhealthy);
        },
        held: true,
        announced: true,
        phase: Phase::Announced,
        reasons: &["NoHealthyBackend", "NoHealthyBackend"],
    },
    Case {
        what: "the backends have no endpoint on this node",
        change: |snapshot, facts| {
            for backend in ["default/web-80", "default/web-443"] {
                let backends = &mut Arc::make_mut(&mut snapshot.serving).backends;
                Arc::make_mut(backends.get_mut(&key(backend)).unwrap()).endpoints.clear();
                facts.served.backends.remove(&key(backend));
            }
        },
        held: true,
        announced: false,
        phase: Phase::Preparing,
        reasons: &["NoHealthyBackend", "NoHealthyBackend"],
    },
    Case {
        what: "no backend gets any traffic",
        change: |snapshot, _| {
            for listener in Arc::make_mut(&mut snapshot.serving).listeners.values_mut() {
                let Serves::Tcp(shares) = &mut Arc::make_mut(listener).serves else { continue };
                shares.iter_mut().for_each(|share| share.weight = 0);
            }
        },
        held: true,
        announced: false,
        phase: Phase::Preparing,
        reasons: &["NoHealthyBackend", "NoHealthyBackend"],
    },
    Case {
        what: "the kernel refuses the address",
        change: |_, facts| {
            facts.held.addresses.remove(&route("10.200.0.20"));
            facts.held.refused.insert(route("10.200.0.20"), "Operation not permitted".into());
            facts.observed.announced.remove(&route("10.200.0.20"));
        },
        held: true,
        announced: false,
        phase: Phase::Preparing,
        reasons: &["AddressNotHeld"],
    },
    Case {
        what: "the exposure rules cannot be put in place",
        change: |_, facts| {
            facts.guarded = Guarded { addresses: BTreeSet::new(), trouble: Some("no nftables here".into()) };
            facts.held.addresses.clear();
            facts.observed.announced.clear();
        },
        held: false,
        announced: false,
        phase: Phase::Preparing,
        reasons: &["NotGuarded"],
    },
    Case {
        what: "the daemon does not answer: the plan waits for it",
        change: |_, facts| {
            facts.observed = Observed { trouble: Some("no socket".into()), ..Observed::default() };
        },
        held: true,
        announced: true,
        phase: Phase::Preparing,
        reasons: &["DaemonNotAnswering"],
    },
    Case {
        what: "the daemon refuses the route",
        change: |_, facts| {
            facts.observed.announced.remove(&route("10.200.0.20"));
            facts.observed.refused.insert(route("10.200.0.20"), "% Malformed".into());
        },
        held: true,
        announced: true,
        phase: Phase::Ready,
        reasons: &["DaemonRefused"],
    },
    Case {
        what: "the daemon does not carry out what the VIP needs",
        change: |snapshot, facts| {
            facts.observed.daemon = Some(DaemonVersion { name: "gobgp".into(), version: "4".into() });
            the_vip(snapshot, "web").needs.insert(Field::Ospf);
        },
        held: true,
        announced: false,
        phase: Phase::Preparing,
        reasons: &["DaemonCannot"],
    },
    Case {
        what: "the daemon has not taken the route yet",
        change: |_, facts| {
            facts.observed.announced.remove(&route("10.200.0.20"));
        },
        held: true,
        announced: true,
        phase: Phase::Ready,
        reasons: &["NotInDaemon"],
    },
    Case {
        what: "one peer is down",
        change: |_, facts| {
            facts.observed.peers.get_mut(&ip(PEERS[0])).unwrap().state = PeerState::Active;
        },
        held: true,
        announced: true,
        phase: Phase::Announced,
        reasons: &["PeerDown"],
    },
    Case {
        what: "all peers are down",
        change: |_, facts| facts.observed.peers.clear(),
        held: true,
        announced: true,
        phase: Phase::Ready,
        reasons: &["NoPeerUp", "PeerDown", "PeerDown"],
    },
    Case {
        what: "nothing uses the VIP",
        change: |snapshot, _| {
            the_vip(snapshot, "web").used_ports.clear();
        },
        held: true,
        announced: true,
        phase: Phase::Announced,
        reasons: &["NoListeners"],
    },
];

#[test]
fn one_trouble_has_one_effect() {
    for case in CASES {
        let mut snapshot = snapshot();
        let mut facts = all_well(&snapshot);
        (case.change)(&mut snapshot, &mut facts);
        let desired = desired(&snapshot, &facts);
        let (web, state) = (route("10.200.0.20"), &desired.vips[&name("web")]);
        let reasons: Vec<_> = state.reasons.iter().map(Reason::name).collect();
        assert_eq!(desired.link.addresses.contains(&web), case.held, "held while {}", case.what);
        let announced = desired.routing.announcements.contains_key(&web);
        assert_eq!(announced, case.announced, "announced while {}", case.what);
        assert_eq!((state.phase, reasons.as_slice()), (case.phase, case.reasons), "{}", case.what);
    }
}

#[test]
fn a_vip_arrives_guarded_then_held_then_announced() {
    let snapshot = snapshot();
    let mut facts = afresh(&snapshot);
    let first = desired(&snapshot, &facts);
    assert_eq!(first.exposure.addresses.len(), 4);
    assert!(first.exposure.services.is_empty() && first.link.addresses.is_empty());

    let listeners = snapshot.serving.listeners.keys();
    facts.served.listeners = listeners.map(|key| (key.clone(), ListenerState::Bound)).collect();
    let bound = desired(&snapshot, &facts);
    assert_eq!(bound.exposure.services.len(), 4);
    assert!(bound.link.addresses.is_empty(), "nothing is held before it is guarded");

    facts.guarded.addresses = bound.exposure.addresses;
    let guarded = desired(&snapshot, &facts);
    assert_eq!(guarded.link.addresses.len(), 4);
    assert!(guarded.routing.announcements.is_empty(), "nothing is announced before it is held");

    facts.held.addresses = guarded.link.addresses;
    let held = desired(&snapshot, &facts);
    assert_eq!(held.routing.announcements.keys().collect::<Vec<_>>(), [&route("10.200.0.22")]);

    facts.served.backends = all_well(&snapshot).served.backends;
    assert_eq!(desired(&snapshot, &facts).routing.announcements.len(), 4);
}

#[test]
fn one_address_of_two_is_announced_by_itself() {
    let snapshot = snapshot();
    let mut facts = all_well(&snapshot);
    facts.held.addresses.remove(&route("2001:db8::21"));
    facts.observed.announced.remove(&route("2001:db8::21"));
    let desired = desired(&snapshot, &facts);
    assert!(desired.routing.announcements.contains_key(&route("10.200.0.21")));
    assert!(!desired.routing.announcements.contains_key(&route("2001:db8::21")));
    assert_eq!(desired.vips[&name("dual")].phase, Phase::Preparing);
}

#[test]
fn a_service_is_exposed_only_where_a_listener_is_bound() {
    let snapshot = snapshot();
    let mut facts = all_well(&snapshot);
    facts.served.listeners.remove(&listener_key("web", 443));
    let services = desired(&snapshot, &facts).exposure.services;
    let web: Vec<_> =
        services.iter().filter(|(a, ..)| *a == ip("10.200.0.20")).map(|(_, _, p)| p.get()).collect();
    assert_eq!(web, [80]);
}

//! Nodes, gateways, routes, backends, pools; and events.

use super::*;

fn key(text: &str) -> crate::model::name::Key {
    text.to_owned().try_into().unwrap()
}

/// A gateway with two listeners, a route, a backend, a pool, a policy and a template beside the VIP.
fn whole() -> Estate {
    let mut estate = Estate::well();
    let world = &mut estate.world;
    let metadata = json!({"name": "web", "namespace": "default", "generation": 1});
    world.gateways.insert(
        key("default/web"),
        read(json!({"apiVersion": "novaedge.io/v1alpha1", "kind": "ProxyGateway", "metadata": metadata, "spec": {
            "vipRef": "web", "listeners": [
                {"name": "http", "port": 80, "protocol": "HTTP"},
                {"name": "other", "port": 81, "protocol": "TCP"}]}})),
    );
    world.routes.insert(
        key("default/web"),
        read(
            json!({"apiVersion": "novaedge.io/v1alpha1", "kind": "ProxyRoute", "metadata": metadata, "spec": {
            "parentRefs": [{"name": "web"}, {"name": "none"}],
            "rules": [{"backendRefs": [{"name": "web"}]}]}}),
        ),
    );
    world.backends.insert(
        key("default/web"),
        read(json!({"apiVersion": "novaedge.io/v1alpha1", "kind": "ProxyBackend", "metadata": metadata, "spec": {
            "endpoints": [{"address": "10.9.0.1", "port": 80}]}})),
    );
    world.policies.insert(
        key("default/web"),
        read(json!({"apiVersion": "novaedge.io/v1alpha1", "kind": "ProxyPolicy", "metadata": metadata, "spec": {
            "targetRef": {"kind": "ProxyRoute", "name": "web"}, "type": "CORS"}})),
    );
    world.pools.insert(
        name("lan"),
        read(
            json!({"apiVersion": "novaedge.io/v1alpha1", "kind": "ProxyIPPool", "metadata": {"name": "lan"},
            "spec": {"cidrs": ["10.200.1.0/24"]}}),
        ),
    );
    estate.pools.insert(name("lan"), PoolStatus { total: 254, available: 254, ..PoolStatus::default() });
    estate
}

#[test]
fn a_gateway_tells_which_listeners_are_used_and_who_listens() {
    let mut estate = whole();
    estate.reject("ProxyGateway default/web", "spec.listeners[1].port", "PortNotInVIP", "add 81", false);
    let status = estate.compute().gateways.remove(&key("default/web")).unwrap();
    assert_eq!(status.addresses, ["10.200.0.20"]);
    assert_eq!(said(condition(&status.conditions, "Accepted")), "True PartlyUsed");
    let programmed = condition(&status.conditions, "Programmed");
    assert_eq!(said(programmed), "True Programmed");
    assert_eq!(programmed.message, "3 of 3 nodes listen on all its ports.");
    let [http, other] = &status.listeners[..] else { panic!("{:?}", status.listeners) };
    assert_eq!(
        (http.attached_routes, said(condition(&http.conditions, "Accepted")).as_str()),
        (1, "True Accepted")
    );
    assert_eq!(
        (other.attached_routes, said(condition(&other.conditions, "Accepted")).as_str()),
        (0, "False PortNotInVIP")
    );
}

#[test]
fn a_gateway_that_no_node_listens_for_is_not_programmed() {
    let mut estate = whole();
    let status = estate.compute().gateways.remove(&key("default/web")).unwrap();
    assert_eq!(said(condition(&status.conditions, "Programmed")), "False NotProgrammed", "nobody has 81");
    estate.vips.clear();
    let status = estate.compute().gateways.remove(&key("default/web")).unwrap();
    assert_eq!(condition(&status.conditions, "Programmed").message, "Its VIP is not used.");
}

#[test]
fn a_conflict_is_the_listeners_own() {
    let mut estate = whole();
    estate.reject("ProxyGateway default/web", "spec.listeners[1]", "Conflicted", "default/old has it", false);
    let status = estate.compute().gateways.remove(&key("default/web")).unwrap();
    let conflicted = |index: usize| said(condition(&status.listeners[index].conditions, "Conflicted"));
    assert_eq!(conflicted(0), "False NoConflict");
    assert_eq!(conflicted(1), "True Conflicted");
}

#[test]
fn a_route_tells_what_each_parent_makes_of_it() {
    let mut estate = whole();
    let message = "there is no ProxyGateway default/none";
    estate.reject("ProxyRoute default/web", "spec.parentRefs[1].name", "RefNotFound", message, false);
    let status = estate.compute().routes.remove(&key("default/web")).unwrap();
    let of = |index: usize| {
        let conditions: &[Condition] = &status.parents[index].conditions;
        [said(condition(conditions, "Accepted")), said(condition(conditions, "ResolvedRefs"))]
    };
    assert_eq!(of(0), ["True Accepted", "True ResolvedRefs"]);
    assert_eq!(of(1), ["False RefNotFound", "False RefNotFound"]);
}

#[test]
fn an_endpoint_is_healthy_that_any_node_reaches() {
    let mut estate = whole();
    let seen = |estate: &mut Estate, node: &str, endpoint: &str, health| {
        estate.report(node, |report| {
            let backend = report.served.backends.get_mut(&key("default/web")).unwrap();
            backend.endpoints.insert(endpoint.parse().unwrap(), health);
        });
    };
    seen(&mut estate, "n1", "10.9.0.2:80", EndpointHealth::Unhealthy);
    seen(&mut estate, "n2", "10.9.0.2:80", EndpointHealth::Healthy);
    seen(&mut estate, "n2", "10.9.0.3:80", EndpointHealth::Unknown);
    let healthy = |estate: &Estate| estate.compute().backends[&key("default/web")].healthy.clone();
    assert_eq!(healthy(&estate).as_deref(), Some("2/3"));
    estate.silence("n2");
    assert_eq!(healthy(&estate).as_deref(), Some("1/2"), "a silent node's word is old");
    estate.attendance.clear();
    assert_eq!(healthy(&estate), None);
}

#[test]
fn a_pool_passes_on_what_it_gave_and_says_what_is_wrong() {
    let mut estate = whole();
    let status = estate.compute().pools.remove(&name("lan")).unwrap();
    assert_eq!((status.total, said(condition(&status.conditions, "Ready")).as_str()), (254, "True Usable"));
    assert_eq!(said(condition(&status.conditions, "Overlaps")), "False NoOverlap");
    estate.reject("ProxyIPPool lan", "spec.cidrs[0]", "Overlaps", "ProxyIPPool old has some of it", true);
    let status = estate.compute().pools.remove(&name("lan")).unwrap();
    assert_eq!(said(condition(&status.conditions, "Overlaps")), "True Overlaps");
    assert_eq!(said(condition(&status.conditions, "Ready")), "True Usable", "sharing is allowed");
}

#[test]
fn a_node_is_told_in_numbers_and_troubles() {
    let mut estate = whole();
    estate.world.nodes.insert(name("n4"), read(json!({"metadata": {"name": "n4"}})));
    estate.report("n2", |report| {
        report.routing.daemon = None;
        report.routing.trouble = Some("zebra.vty: No such file or directory".to_owned());
    });
    let refused = ("vip/web".to_owned(), "unknown mode".to_owned());
    estate.attendance.get_mut(&name("n3")).unwrap().refused.push(refused);
    let nodes = estate.compute().nodes;
    let n1 = &nodes[&name("n1")];
    assert!(n1.alive && n1.troubles.is_empty(), "{n1:?}");
    assert_eq!([n1.vips, n1.peers, n1.bfd, n1.endpoints].map(|count| count.to_string()), ["1/1"; 4]);
    assert_eq!(nodes[&name("n2")].troubles, ["zebra.vty: No such file or directory."]);
    let refused = "Its agent could not use a part of the snapshot: vip/web: unknown mode.";
    assert_eq!(nodes[&name("n3")].troubles, [refused]);
    assert_eq!((nodes[&name("n4")].alive, nodes[&name("n4")].since), (false, None));
}

/// `ProxyVIP web Ready NotAnnounced`, `!` before what is wrong.
fn happened(before: &EstateStatus, now: &EstateStatus) -> Vec<String> {
    let tell = |event: Event| {
        let Event { object, reason, message, warning } = event;
        assert!(message.ends_with('.'), "{message}");
        format!("{}{object} {reason}", if warning { "!" } else { "" })
    };
    events(Some(before), now).into_iter().map(tell).collect()
}

#[test]
fn every_transition_is_an_event_and_nothing_else() {
    let mut estate = whole();
    let first = estate.compute();
    assert!(events(None, &first).is_empty(), "a controller's start is no event");
    estate.now += 60;
    assert!(happened(&first, &estate.compute()).is_empty());
    for node in ["n1", "n2", "n3"] {
        estate.tells(node, Phase::Preparing, &[Reason::NoPeerUp]);
    }
    estate.silence("n3");
    let second = estate.compute();
    let fell = ["!Node n3 AgentSilent", "!ProxyVIP web NotAnnounced", "!ProxyVIP web BelowMinHealthyNodes"];
    assert_eq!(happened(&first, &second), fell);
    let rose = ["Node n3 AgentConnected", "ProxyVIP web Announced", "ProxyVIP web EnoughNodes"];
    assert_eq!(happened(&second, &first), rose);
}

#[test]
fn of_a_new_object_only_what_is_not_as_it_should_be_is_an_event() {
    let estate = whole();
    let now = estate.compute();
    let mut before = now.clone();
    before.vips.clear();
    assert_eq!(happened(&before, &now), ["ProxyVIP web Written", "ProxyVIP web Announced"]);
    assert!(happened(&now, &before).is_empty(), "an object that is gone has no events");
}

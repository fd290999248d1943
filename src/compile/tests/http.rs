//! Hostnames and precedence.

use super::*;
use crate::model::http::{PathMatch, VirtualHost};
use proptest::prelude::*;

/// `good` with more routes; the virtual hosts of `web:80`.
fn hosts(yaml: &str) -> Vec<VirtualHost> {
    let compiled = compiled(yaml);
    assert_eq!(said(&compiled), Vec::<String>::new());
    let listener = compiled.snapshot.serving.listeners.values().next().cloned().unwrap();
    match Listener::clone(&listener).serves {
        Serves::Http(hosts) => hosts,
        Serves::Tcp(_) => panic!("an HTTP listener"),
    }
}

fn route(name: &str, hostnames: &str, matches: &str) -> String {
    format!(
        "
---
kind: ProxyRoute
metadata: {{name: {name}}}
spec: {{hostnames: [{hostnames}], rules: [{{matches: [{matches}], backendRefs: [{{name: web}}]}}]}}"
    )
}

fn order(host: &VirtualHost) -> Vec<&str> {
    host.rules.iter().map(|rule| rule.route.name.as_str()).collect()
}

#[test]
fn precedence_is_gateway_apis() {
    let path = |kind: &str, value: &str| format!("{{path: {{type: {kind}, value: {value}}}}}");
    let header = "{headers: [{name: X-A, value: a}, {name: X-B, value: b}]}";
    let routes = [
        route("prefix-long", "", &path("PathPrefix", "/api/v1")),
        route("exact", "", &path("Exact", "/api")),
        route("prefix-short", "", &path("PathPrefix", "/api/")),
        route("method", "", "{method: GET}"),
        route("headers", "", header),
        route("header", "", "{headers: [{name: X-A, value: a}]}"),
        route("query", "", "{queryParams: [{name: q, value: a}]}"),
        route("young", "", ""),
    ];
    let hosts = hosts(&format!("{}{}", good(), routes.concat()));
    let expected =
        ["exact", "prefix-long", "prefix-short", "method", "headers", "header", "query", "web", "young"];
    assert_eq!(hosts.len(), 1);
    assert_eq!(order(&hosts[0]), expected);
    let headers = &hosts[0].rules[4].matches.headers;
    assert_eq!(headers[0], ("x-a".to_owned(), "a".to_owned()), "names without case");
}

#[test]
fn narrow_hosts_come_first_and_go_on_with_the_wider_ones() {
    let routes = [
        route("wild", "'*.example.com'", ""),
        route("exact", "www.example.com, '*.example.com'", "{path: {value: /deep}}"),
        route("elsewhere", "example.org", ""),
    ];
    let hosts = hosts(&format!("{}{}", good(), routes.concat()));
    let names: Vec<String> = hosts.iter().map(|host| host.hostname.clone().into()).collect();
    assert_eq!(names, ["www.example.com", "example.org", "*.example.com", "*"]);
    assert_eq!(order(&hosts[0]), ["exact", "wild", "web"], "each rule once");
    assert_eq!(order(&hosts[1]), ["elsewhere", "web"]);
    assert_eq!(order(&hosts[2]), ["exact", "wild", "web"]);
    assert_eq!(order(&hosts[3]), ["web"]);
}

#[test]
fn a_listener_narrows_its_routes() {
    let yaml = good().replace("protocol: HTTP}", "protocol: HTTP, hostnames: ['*.example.com', a.test]}");
    let routes = [route("some", "www.example.com, b.test", ""), route("wide", "'*.test'", "{method: PUT}")];
    let hosts = hosts(&format!("{yaml}{}", routes.concat()));
    let names: Vec<String> = hosts.iter().map(|host| host.hostname.clone().into()).collect();
    assert_eq!(names, ["www.example.com", "a.test", "*.example.com"]);
    let outside = compiled(&format!("{yaml}{}", route("out", "other.org", "")));
    assert_eq!(said(&outside), ["ProxyRoute default/out: spec.hostnames: InvalidValue"]);
}

#[test]
fn routes_attach_where_they_say() {
    let more = "
---
kind: ProxyGateway
metadata: {name: second}
spec: {vipRef: web, listeners: [{name: alt, port: 443, protocol: HTTP, hostnames: [alt.test]}]}";
    let named =
        |parent: &str| good().replace("spec: {rules:", &format!("spec: {{parentRefs: [{parent}], rules:"));
    let table = [
        ("{name: web}", ["80"].as_slice()),
        ("{name: second}", &["443"]),
        ("{name: second, sectionName: alt}", &["443"]),
        ("{name: second, port: 443}, {name: web}", &["443", "80"]),
    ];
    for (parent, ports) in table {
        let compiled = compiled(&format!("{}{more}", named(parent)));
        assert_eq!(said(&compiled), Vec::<String>::new(), "{parent}");
        let listeners = &compiled.snapshot.serving.listeners;
        let has_routes = |listener: &Listener| matches!(&listener.serves, Serves::Http(h) if !h.is_empty());
        let served = listeners.iter().filter(|(_, listener)| has_routes(listener));
        let served: BTreeSet<String> = served.map(|(key, _)| key.port.to_string()).collect();
        assert_eq!(served.iter().collect::<Vec<_>>(), ports, "{parent}");
    }
}

#[test]
fn a_rule_that_is_refused_keeps_its_requests() {
    let filters = "filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [x]}}]";
    let secret = route("secret", "", "{path: {value: /secret}}")
        .replace("backendRefs:", &format!("{filters}, backendRefs:"));
    let compiled = compiled(&format!("{}{secret}", good()));
    assert_eq!(said(&compiled), ["ProxyRoute default/secret: spec.rules[0].filters: NotSupported"]);
    let listener = compiled.snapshot.serving.listeners.values().next().unwrap();
    let Serves::Http(hosts) = &listener.serves else { panic!() };
    assert_eq!(hosts[0].rules[0].matches.path, PathMatch::Prefix("/secret".to_owned()));
    assert!(hosts[0].rules[0].backends.is_empty(), "answered with 500, not by the rule for /");
}

#[test]
fn other_namespaces_have_to_allow_it() {
    let elsewhere = "
---
kind: ProxyBackend
metadata: {name: shared, namespace: other}
spec: {endpoints: [{address: 10.9.0.2, port: 80}]}";
    let yaml = good().replace("{name: web}]}]}", "{name: shared, namespace: other}]}]}");
    let refused = compiled(&format!("{yaml}{elsewhere}"));
    assert_eq!(
        said(&refused),
        ["ProxyRoute default/web: spec.rules[0].backendRefs[0].namespace: RefNotPermitted"]
    );
    assert!(refused.rejections[0].message.contains("novaedge.io/allow-from: default"));
    let annotated = elsewhere.replace(
        "namespace: other}",
        "namespace: other, annotations: {novaedge.io/allow-from: 'x, default'}}",
    );
    assert_eq!(said(&compiled(&format!("{yaml}{annotated}"))), Vec::<String>::new());
}

#[test]
fn a_local_backend_has_its_own_nodes_endpoints() {
    let local = good().replace(
        "endpoints: [{address: 10.9.0.1, port: 8080}]",
        "trafficPolicy: Local, endpoints: [{address: 10.9.0.1, port: 80, nodeName: n1}, {address: 10.9.0.2, port: 80, nodeName: n2}]",
    );
    let compiled = compiled(&local);
    assert_eq!(said(&compiled), Vec::<String>::new());
    let backend = compiled.snapshot.serving.backends.values().next().cloned().unwrap();
    assert_eq!(backend.endpoints.iter().map(|e| e.address.to_string()).collect::<Vec<_>>(), ["10.9.0.1:80"]);
}

proptest! {
    /// Whatever routes there are, and whatever host is asked for: the first rule of the first virtual host
    /// that matches is the one that the list of all rules, sorted as Gateway API says, gives.
    #[test]
    fn the_first_virtual_host_knows_all(
        written in prop::collection::vec(
            (prop::sample::select(vec!["", "a.test", "'*.test'", "b.a.test", "'*.a.test'"]),
             prop::sample::select(vec!["/", "/x", "/x/y"])), 1..8),
        host in prop::sample::select(vec!["a.test", "b.a.test", "c.a.test", "z.test", "other"]),
        asked in prop::sample::select(vec!["/", "/x", "/x/y/z", "/q"]),
    ) {
        let routes: String = written.iter().enumerate().map(|(index, (hostname, path))| {
            route(&format!("r{index}"), hostname, &format!("{{path: {{value: {path}}}}}"))
        }).collect();
        let hosts = hosts(&format!("{}{routes}", good()));
        let width = |hostname: &str| match hostname.trim_matches('\'') {
            "" => (0, 0),
            wild if wild.starts_with('*') => (1, wild.len()),
            exact => (2, exact.len()),
        };
        let answers = |hostname: &str| {
            let parsed = crate::model::http::Hostname::parse(hostname.trim_matches('\''));
            hostname.is_empty() || parsed.unwrap().matches(host)
        };
        let best = written.iter().enumerate()
            .filter(|(_, (hostname, path))| answers(hostname) && PathMatch::Prefix((*path).to_owned()).matches(asked))
            .max_by_key(|(index, (hostname, path))| (width(hostname), path.len(), std::cmp::Reverse(*index)));
        let virtual_host = hosts.iter().find(|virtual_host| virtual_host.hostname.matches(host));
        let rule = virtual_host.and_then(|found| found.rules.iter().find(|rule| rule.matches.path.matches(asked)));
        let taken = rule.map(|rule| rule.route.name.as_str().to_owned());
        let expected = best.map(|(index, (hostname, path))| {
            // The route of `good` is older and takes everything on every host.
            if hostname.is_empty() && *path == "/" { "web".to_owned() } else { format!("r{index}") }
        });
        prop_assert_eq!(taken, expected.or(Some("web".to_owned())));
    }
}

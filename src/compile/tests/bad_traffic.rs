//! Bad gateways, routes and backends: what is said about which field, and in which words.

use super::*;

const GATEWAY: &[Row] = &[
    ("vipRef: web", "vipRef: none", "spec.vipRef", Reason::RefNotFound, "no ProxyVIP none"),
    ("port: 80", "port: 81", "spec.listeners[0].port", Reason::PortNotInVip, "it has 80, 443"),
    (
        "protocol: HTTP",
        "protocol: HTTPS, tls: {}",
        "spec.listeners[0].protocol",
        Reason::NotSupported,
        "HTTPS",
    ),
    ("protocol: HTTP", "protocol: TLS, tls: {}", "spec.listeners[0].protocol", Reason::NotSupported, "TLS"),
    ("protocol: HTTP", "protocol: UDP", "spec.listeners[0].protocol", Reason::NotSupported, "UDP"),
    ("protocol: HTTP", "protocol: HTTP, tls: {}", "spec.listeners[0].tls", Reason::InvalidValue, "remove it"),
    (
        "protocol: HTTP",
        "protocol: HTTP, hostnames: ['a:80']",
        "spec.listeners[0].hostnames[0]",
        Reason::InvalidValue,
        "no port",
    ),
    (
        "protocol: HTTP",
        "protocol: HTTP, proxyProtocol: {}",
        "spec.listeners[0].proxyProtocol",
        Reason::NotSupported,
        "remove it",
    ),
    (
        "protocol: HTTP",
        "protocol: HTTP, maxRequestBodySize: 1Mi",
        "spec.listeners[0].maxRequestBodySize",
        Reason::NotSupported,
        "remove it",
    ),
    (
        "protocol: HTTP",
        "protocol: HTTP, allowedSourceRanges: [10.0.0.0/8]",
        "spec.listeners[0].allowedSourceRanges",
        Reason::NotSupported,
        "remove it",
    ),
    (
        "vipRef: web,",
        "vipRef: web, redirectScheme: {},",
        "spec.redirectScheme",
        Reason::NotSupported,
        "remove it",
    ),
    ("vipRef: web,", "vipRef: web, compression: {},", "spec.compression", Reason::NotSupported, "remove it"),
    ("vipRef: web,", "vipRef: web, accessLog: {},", "spec.accessLog", Reason::NotSupported, "remove it"),
    (
        "vipRef: web,",
        "vipRef: web, customErrorPages: [{statuses: [503], body: x}],",
        "spec.customErrorPages",
        Reason::NotSupported,
        "remove it",
    ),
];

const ROUTE: &[Row] = &[
    (
        "rules: [{",
        "rules: [{timeout: 1s, retry: {}, ",
        "spec.rules[0].retry",
        Reason::NotSupported,
        "remove it",
    ),
    (
        "rules: [{",
        "rules: [{maxRequestBodySize: 1, ",
        "spec.rules[0].maxRequestBodySize",
        Reason::NotSupported,
        "remove",
    ),
    (
        "rules: [{",
        "rules: [{mirror: {backendRef: {name: web}}, ",
        "spec.rules[0].mirror",
        Reason::NotSupported,
        "remove",
    ),
    (
        "{rules:",
        "{hostnames: ['*', '1.2.3.4'], rules:",
        "spec.hostnames[1]",
        Reason::InvalidValue,
        "no address",
    ),
    (
        "{rules:",
        "{parentRefs: [{name: none}], rules:",
        "spec.parentRefs[0].name",
        Reason::RefNotFound,
        "create it",
    ),
    (
        "{rules:",
        "{parentRefs: [{name: web, sectionName: none}], rules:",
        "spec.parentRefs[0]",
        Reason::RefNotFound,
        "no such listener",
    ),
    (
        "{name: web}]}]",
        "{name: none}]}]",
        "spec.rules[0].backendRefs[0].name",
        Reason::RefNotFound,
        "create it",
    ),
    ("{name: web}]}]", "]}]", "spec.rules[0].backendRefs", Reason::Missing, "where the requests go"),
    (
        "rules: [{",
        "rules: [{matches: [{path: {value: api}}], ",
        "spec.rules[0].matches[0].path.value",
        Reason::InvalidValue,
        "begins with /",
    ),
    (
        "rules: [{",
        "rules: [{matches: [{path: {type: RegularExpression, value: a.*}}], ",
        "spec.rules[0].matches[0].path.type",
        Reason::NotSupported,
        "write PathPrefix or Exact",
    ),
    (
        "rules: [{",
        "rules: [{matches: [{headers: [{name: 'a b', value: x}]}], ",
        "spec.rules[0].matches[0].headers[0].name",
        Reason::InvalidValue,
        "letters, digits",
    ),
    (
        "rules: [{",
        "rules: [{matches: [{queryParams: [{type: RegularExpression, name: a, value: x}]}], ",
        "spec.rules[0].matches[0].queryParams[0].type",
        Reason::NotSupported,
        "write Exact",
    ),
];

const BACKEND: &[Row] = &[
    (
        "endpoints: [{address: 10.9.0.1, port: 8080}]",
        "endpoints: []",
        "spec.endpoints",
        Reason::Missing,
        "each with",
    ),
    ("10.9.0.1", "web.example", "spec.endpoints[0].address", Reason::InvalidValue, "is not an IP address"),
    ("port: 8080", "port: 0", "spec.endpoints[0].port", Reason::InvalidValue, "1 to 65535"),
    (
        "}]}",
        "}, {address: 10.9.0.1, port: 8080}]}",
        "spec.endpoints[1]",
        Reason::InvalidValue,
        "in the list twice",
    ),
    ("{endp", "{trafficPolicy: Local, endp", "spec.endpoints[0].nodeName", Reason::Missing, "write its name"),
    ("{endp", "{lbPolicy: Maglev, endp", "spec.lbPolicy", Reason::NotSupported, "RoundRobin, P2C or EWMA"),
    ("{endp", "{protocol: gRPC, endp", "spec.protocol", Reason::NotSupported, "HTTP, H2C or TCP"),
    ("{endp", "{serviceRef: {name: a, port: 1}, endp", "spec.serviceRef", Reason::NotSupported, "remove it"),
    ("{endp", "{tls: {}, endp", "spec.tls", Reason::NotSupported, "remove it"),
    ("{endp", "{connectionPool: {}, endp", "spec.connectionPool", Reason::NotSupported, "remove it"),
    ("{endp", "{slowStart: 3s, endp", "spec.slowStart", Reason::NotSupported, "remove it"),
    (
        "{endp",
        "{sessionAffinity: {type: Cookie}, endp",
        "spec.sessionAffinity",
        Reason::NotSupported,
        "remove it",
    ),
    (
        "{endp",
        "{upstreamProxyProtocol: {}, endp",
        "spec.upstreamProxyProtocol",
        Reason::NotSupported,
        "remove it",
    ),
    ("{endp", "{circuitBreaker: {}, endp", "spec.circuitBreaker", Reason::NotSupported, "remove it"),
    ("{endp", "{connectTimeout: 0s, endp", "spec.connectTimeout", Reason::InvalidValue, "longer than 0s"),
    (
        "{endp",
        "{healthCheck: {interval: 1s, timeout: 2s}, endp",
        "spec.healthCheck.timeout",
        Reason::InvalidValue,
        "not be longer",
    ),
    (
        "{endp",
        "{healthCheck: {httpPath: healthz}, endp",
        "spec.healthCheck.httpPath",
        Reason::InvalidValue,
        "begins with /",
    ),
    (
        "{endp",
        "{healthCheck: {expectedStatuses: [200]}, endp",
        "spec.healthCheck.expectedStatuses",
        Reason::InvalidValue,
        "give httpPath",
    ),
    (
        "{endp",
        "{healthCheck: {healthyThreshold: 0}, endp",
        "spec.healthCheck.healthyThreshold",
        Reason::InvalidValue,
        "1 or more",
    ),
];

#[test]
fn gateways_routes_and_backends_say_what_is_wrong() {
    for (kind, rows) in [("ProxyGateway", GATEWAY), ("ProxyRoute", ROUTE), ("ProxyBackend", BACKEND)] {
        for row in rows {
            let compiled = check(kind, *row, "");
            assert!(compiled.snapshot.vips.contains_key(&name("web")), "{row:?}");
        }
    }
}

#[test]
fn a_vip_may_be_closed_to_a_namespace() {
    let closed = good().replace("mode: BGP", "mode: BGP\n  allowedNamespaces: [other]");
    let compiled = compiled(&closed);
    assert_eq!(said(&compiled), ["ProxyGateway default/web: spec.vipRef: NamespaceNotAllowed"]);
    assert!(compiled.rejections[0].message.contains("add default"));
    assert!(compiled.snapshot.serving.listeners.is_empty());
}

#[test]
fn whole_kinds_that_come_later_are_refused() {
    let compiled = compiled(
        "
kind: ProxyIPPool
metadata: {name: p}
spec: {cidrs: [10.200.0.0/24]}
---
kind: ProxyPolicy
metadata: {name: p}
spec: {targetRef: {kind: ProxyRoute, name: web}, type: CORS}
---
kind: Service
metadata: {name: s}
spec: {type: LoadBalancer, loadBalancerClass: novaedge.io/vip}",
    );
    let expected = [
        "ProxyIPPool p: spec: NotSupported",
        "ProxyPolicy default/p: spec: NotSupported",
        "Service default/s: spec.loadBalancerClass: NotSupported",
    ];
    assert_eq!(said(&compiled), expected);
}

#[test]
fn a_rejection_reads_as_a_sentence() {
    let compiled = compiled(&good().replace("10.200.0.20/32", "10.200.0.0/24"));
    let rejection = &compiled.rejections[0];
    assert_eq!(
        rejection.to_string(),
        "ProxyVIP web: spec.address: 10.200.0.0/24 is a network, and a VIP is a host route: write 10.200.0.0/32"
    );
    let rejected = rejection.at(Some("vip.yaml:5".to_owned()));
    assert_eq!((rejected.reason.as_str(), rejected.place.as_deref()), ("InvalidValue", Some("vip.yaml:5")));
}

//! What users write, good and bad, chosen by a seeded generator.
//!
//! Everything lies in `10.200.1.0/24`, `10.200.2.0/24` and `2001:db8:1::/64`. Addresses are few, so that VIPs
//! want the same ones and pools run dry.

use crate::worlds::estate::vip;
use fastrand::Rng;

/// How many there are of each kind, by name.
pub const VIPS: u8 = 14;
pub const POOLS: u8 = 2;
pub const GATEWAYS: u8 = 5;
pub const ROUTES: u8 = 3;
pub const BACKENDS: u8 = 3;

/// The pools' last octets that VIPs write by value too.
pub const BY_VALUE: [u8; 3] = [3, 6, 9];
/// What a pool that is there says; one that is gone counts as 30 s.
pub const RECLAIM_DELAY: u64 = 2;

fn one_of<'a>(rng: &mut Rng, all: &[&'a str]) -> &'a str {
    all[rng.usize(..all.len())]
}

fn maybe(rng: &mut Rng, one_in: u8, text: &str) -> String {
    if rng.u8(..one_in) == 0 { text.to_owned() } else { String::new() }
}

pub fn good_vip(rng: &mut Rng, number: u8) -> String {
    let mut spec = addresses(rng);
    spec += &selector(rng);
    let fewest = rng.u8(1..=3);
    spec += &maybe(rng, 4, &format!("\n  healthPolicy: {{minHealthyNodes: {fewest}}}"));
    spec += &maybe(rng, 6, "\n  withdrawWhenNoBackends: false");
    spec += &maybe(rng, 10, "\n  allowedNamespaces: [elsewhere]");
    let text = vip(&format!("v{number}"), &spec, 300);
    let ports = one_of(rng, &["[80]", "[80]", "[81]", "[80, 81]"]);
    let communities = one_of(rng, &["64501:100", "64501:100", "64501:200", "64501:1:2", "no-export"]);
    text.replace("[80]", ports).replace("64501:100", communities)
}

fn addresses(rng: &mut Rng) -> String {
    let pool = format!("poolRef: {{name: p{}}}", rng.u8(..POOLS));
    let own = rng.u8(1..12);
    let by_value = BY_VALUE[rng.usize(..BY_VALUE.len())];
    match rng.u8(..10) {
        0..=3 => pool,
        4 => pool + "\n  addressFamily: dual",
        5 => pool + "\n  addressFamily: ipv6",
        6 => format!("{pool}\n  address: 10.200.1.{by_value}"),
        7 => format!("address: 10.200.1.{by_value}"),
        8 => format!("address: 10.200.2.{own}/32"),
        _ => format!("address: 10.200.2.{own}\n  ipv6Address: 2001:db8:2::{own}\n  addressFamily: dual"),
    }
}

fn selector(rng: &mut Rng) -> String {
    match rng.u8(..8) {
        0 => "\n  nodeSelector: {matchLabels: {zone: a}}".to_owned(),
        1 => "\n  nodeSelector: {matchExpressions: [{key: zone, operator: NotIn, values: [b]}]}".to_owned(),
        _ => String::new(),
    }
}

/// What must be refused, and how one would call it.
pub fn bad_vip(rng: &mut Rng, number: u8) -> String {
    let name = format!("v{number}");
    let good = vip(&name, "address: 10.200.2.1", 300);
    let at = |address: &str| vip(&name, &format!("address: {address}"), 300);
    match rng.u8(..11) {
        0 => at("10.200.2.0/24"),
        1 => at("10.0.0.2"),
        2 => at("10.0.0.254"),
        3 => at(super::STEADY),
        4 => good.replace("as: 64500", "as: 64999"),
        5 => good.replace("localAS: 64501", "localAS: 64998"),
        6 => good.replace("ports: [80]", "ports: [80, 80]"),
        7 => good.replace("detectMultiplier: 3", "detectMultiplier: 9"),
        8 => good.replace("address: 10.200.2.1", "poolRef: {name: nowhere}"),
        9 => good.replace("ports:", "prots:"),
        _ => good.replace("spec:", "spec: {"),
    }
}

pub fn good_pool(rng: &mut Rng, number: u8) -> String {
    let auto = rng.u8(..5) > 0;
    let blocks = if number == 0 {
        one_of(rng, &["10.200.1.0/28", "10.200.1.0/28", "10.200.1.0/29", "10.200.1.0/27", "10.200.1.8/31"])
    } else {
        one_of(rng, &["2001:db8:1::/126", "2001:db8:1::/64", "2001:db8:1::4/127"])
    };
    let ranges = if number == 0 {
        "[]"
    } else {
        one_of(rng, &["[10.200.1.5-10.200.1.20]", "[10.200.1.6, 10.200.1.7]", "[10.200.1.12-10.200.1.40]"])
    };
    pool(number, blocks, ranges, auto, RECLAIM_DELAY)
}

pub fn pool(number: u8, block: &str, ranges: &str, auto: bool, delay: u64) -> String {
    format!(
        "apiVersion: novaedge.io/v1alpha1\nkind: ProxyIPPool\nmetadata: {{name: p{number}}}\nspec:\n  \
         cidrs: [\"{block}\"]\n  addresses: {ranges}\n  autoAssign: {auto}\n  reclaimDelay: {delay}s\n"
    )
}

pub fn bad_pool(rng: &mut Rng, number: u8) -> String {
    let block = one_of(rng, &["10.200.1.0/33", "10.200.1.9-10.200.1.2", "nothing"]);
    pool(number, block, "[]", true, RECLAIM_DELAY)
}

fn gateway(name: &str, vip: &str, port: u16, protocol: &str) -> String {
    format!(
        "apiVersion: novaedge.io/v1alpha1\nkind: ProxyGateway\nmetadata: {{name: {name}, namespace: chaos}}\n\
         spec:\n  vipRef: {vip}\n  listeners:\n  - {{name: l, port: {port}, protocol: {protocol}}}\n"
    )
}

pub fn good_gateway(rng: &mut Rng, number: u8) -> String {
    let vip = format!("v{}", rng.u8(..VIPS));
    gateway(&format!("g{number}"), &vip, rng.u16(80..=81), "HTTP")
}

/// A name that comes before the steady gateway's, and nothing that it may have.
pub fn bad_gateway(rng: &mut Rng, number: u8) -> String {
    let name = format!("g{number}");
    match rng.u8(..4) {
        0 => gateway(&name, "steady", 443, "HTTP"),
        1 => gateway(&name, "steady", 80, "TCP"),
        2 => gateway(&name, "nobody", 80, "HTTP"),
        _ => gateway(&name, "steady", 80, "Gopher"),
    }
}

pub fn good_route(rng: &mut Rng, number: u8) -> String {
    let path = one_of(rng, &["/", "/", "/a", "/b"]);
    route(number, path, &format!("b{}", rng.u8(..BACKENDS)))
}

pub fn bad_route(rng: &mut Rng, number: u8) -> String {
    if rng.bool() { route(number, "/", "nobody") } else { route(number, "a b", "b0") }
}

fn route(number: u8, path: &str, backend: &str) -> String {
    format!(
        "apiVersion: novaedge.io/v1alpha1\nkind: ProxyRoute\nmetadata: {{name: r{number}, namespace: chaos}}\n\
         spec:\n  rules:\n  - matches:\n    - path: {{type: PathPrefix, value: \"{path}\"}}\n    \
         backendRefs:\n    - name: {backend}\n"
    )
}

pub fn good_backend(rng: &mut Rng, number: u8) -> String {
    let policy = one_of(rng, &["Cluster", "Local"]);
    let ports = one_of(rng, &["8081 8082", "8081", "8082", "9"]);
    let endpoints =
        |port| (1..=3).map(move |k| format!("{{address: 10.0.0.{k}, port: {port}, nodeName: n{k}}}"));
    let endpoints: Vec<String> = ports.split(' ').flat_map(endpoints).collect();
    backend(number, &endpoints.join(", "), policy)
}

pub fn bad_backend(rng: &mut Rng, number: u8) -> String {
    let endpoint = one_of(rng, &["{address: nothing, port: 80}", "{address: 10.0.0.1, port: 0}"]);
    backend(number, endpoint, "Cluster")
}

fn backend(number: u8, endpoints: &str, policy: &str) -> String {
    format!(
        "apiVersion: novaedge.io/v1alpha1\nkind: ProxyBackend\nmetadata: {{name: b{number}, namespace: chaos}}\n\
         spec:\n  endpoints: [{endpoints}]\n  trafficPolicy: {policy}\n  \
         healthCheck: {{interval: 500ms, timeout: 400ms, httpPath: /healthz}}\n"
    )
}

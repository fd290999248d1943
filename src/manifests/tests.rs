use super::{Loaded, Texts, load};
use k8s_openapi::jiff::Timestamp;
use proptest::prelude::*;
use std::sync::Arc;

const VIP: &str = "\
apiVersion: novaedge.io/v1alpha1
kind: ProxyVIP
metadata:
  name: web
spec:
  mode: BGP
  address: 10.200.0.20/32
  ports: [80]
  bgpConfig:
    localAS: 64501
    peers:
      - address: 10.0.0.254
        as: 64500
";

const POOL: &str = "\
apiVersion: novaedge.io/v1alpha1
kind: ProxyIPPool
metadata: {name: pool}
spec: {cidrs: [10.0.0.0/24]}
";

fn texts(files: &[(&str, &str)]) -> Texts {
    files.iter().map(|(file, text)| ((*file).to_owned(), Ok((*text).to_owned()))).collect()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn first(files: &[(&str, &str)]) -> Loaded {
    load(&texts(files), &Loaded::default(), at(1))
}

/// The problems as a person reads them.
fn said(loaded: &Loaded) -> Vec<String> {
    let line = |p: &crate::model::status::Rejected| {
        format!(
            "{}: {}: {}: {}: {}",
            p.place.as_deref().unwrap_or_default(),
            p.object,
            p.field,
            p.reason,
            p.message
        )
    };
    loaded.problems.iter().map(line).collect()
}

fn vips(loaded: &Loaded) -> Vec<&str> {
    loaded.resources.vips.keys().map(crate::model::name::Name::as_str).collect()
}

#[test]
fn reads_objects_and_knows_where_they_stand() {
    let loaded = first(&[
        ("a.yaml", POOL),
        ("vip.yaml", &format!("{POOL}---\n{VIP}").replace("name: pool", "name: two")),
    ]);
    assert_eq!(said(&loaded), Vec::<String>::new());
    assert_eq!(loaded.resources.pools.len(), 2);
    let place = |field| loaded.place("ProxyVIP web", field);
    assert_eq!(place("spec.address").as_deref(), Some("vip.yaml:12"));
    assert_eq!(place("spec.bgpConfig.peers[0].as").as_deref(), Some("vip.yaml:18"));
    assert_eq!(place("spec.bgpConfig.peers[0].port").as_deref(), Some("vip.yaml:17"));
    assert_eq!(place("spec.bfd.echoMode").as_deref(), Some("vip.yaml:10"));
    assert_eq!(place("").as_deref(), Some("vip.yaml:6"));
    assert_eq!(loaded.place("ProxyVIP other", ""), None);
}

/// What is good in [`VIP`], what somebody wrote instead, and what is said about it.
const FAULTS: &[(&str, &str, &str)] = &[
    (
        "address:",
        "adress:",
        "vip.yaml:7:3: ProxyVIP web: spec.adress: UnknownField: unknown field; did you mean `address`?",
    ),
    (
        "as: 64500",
        "as: none",
        "vip.yaml:13:13: ProxyVIP web: spec.bgpConfig.peers[0].as: InvalidValue: expected a whole number, not the text \"none\"",
    ),
    (
        "as: 64500",
        "as: 0",
        "spec.bgpConfig.peers[0].as: InvalidValue: 0 is out of range; write 1 to 4294967295",
    ),
    (
        "mode: BGP",
        "mode: bgp",
        "vip.yaml:6:9: ProxyVIP web: spec.mode: InvalidValue: bgp is none of L2ARP, BGP, OSPF; did you mean BGP?",
    ),
    ("ports: [80]", "ports: [80, 443, 80]", "spec.ports[2]: InvalidValue: 80 is there twice"),
    ("ports: [80]", "ports: []", "spec.ports: InvalidValue: needs at least 1 of them"),
    (
        "ports: [80]",
        "ports: 80",
        "vip.yaml:8:10: ProxyVIP web: spec.ports: InvalidValue: expected a list, not 80",
    ),
    ("ports: [80]", "ports: [65536]", "write 1 to 65535"),
    ("  ports: [80]\n", "", "vip.yaml:5:1: ProxyVIP web: spec.ports: Missing: ports is required"),
    (
        "  address: 10.200.0.20/32",
        "  address:",
        "spec.address: Missing: has no value; write one, or leave the field out",
    ),
    ("localAS: 64501", "localAs: 64501", "did you mean `localAS`?"),
    (
        "localAS: 64501",
        "gracefulRestart: {restartTime: 1500ms}",
        "gracefulRestart.restartTime: InvalidValue: invalid value: string \"1500ms\", expected whole seconds like 90 or 90s",
    ),
    ("localAS: 64501", "bogus: 1", "unknown field; known here: asPathPrepend, communities,"),
    ("ports: [80]", "ports: [80]\n  nodeSelector: {matchLabel: {a: b}}", "did you mean `matchLabels`?"),
    (
        "ports: [80]",
        "ports: [80]\n  nodeSelector: {matchLabels: {a: yes}}",
        "nodeSelector.matchLabels.a: InvalidValue: expected a text, not true (put it in quotes to make it a text)",
    ),
    ("ports: [80]", "ports: [80]\n  bfd: {desiredMinTxInterval: 300}", "expected a text, not 300"),
    (
        "ports: [80]",
        "ports: [80]\n  bfd: {desiredMinTxInterval: 300 ms}",
        "vip.yaml:9:9: ProxyVIP web: spec.bfd.desiredMinTxInterval: InvalidValue: \"300 ms\" is not a duration",
    ),
    (
        "name: web",
        "name: Web_1",
        "vip.yaml:4:3: vip.yaml: metadata.name: InvalidValue: \"Web_1\" is not a valid name",
    ),
    ("name: web", "nam: web", "vip.yaml:3:1: vip.yaml: metadata.name: Missing: metadata.name is required"),
    (
        "name: web",
        "name: web\n  lables: {}",
        "metadata.lables: UnknownField: unknown field; did you mean `labels`?",
    ),
    (
        "kind: ProxyVIP",
        "kind: ProxyVip",
        "UnknownKind: novaedge.io has no kind ProxyVip; did you mean ProxyVIP?",
    ),
    ("kind: ProxyVIP", "kind: Banana", "novaedge.io has no kind Banana; known kinds: ProxyIPPool, ProxyVIP,"),
    (
        "v1alpha1",
        "v1beta1",
        "ProxyVIP of novaedge.io/v1beta1 is not known to this version; write apiVersion: novaedge.io/v1alpha1",
    ),
    ("novaedge.io/v1alpha1", "v1", "write apiVersion: novaedge.io/v1alpha1"),
    ("kind: ProxyVIP\n", "", "Missing: kind is required"),
    ("apiVersion: novaedge.io/v1alpha1\n", "", "Missing: apiVersion is required"),
    ("  ports: [80]", "  ports: [80", "vip.yaml:9"),
    (
        "  ports: [80]",
        "\tports: [80]",
        "vip.yaml:8:1: vip.yaml: : Unreadable: the line is indented by a tab; YAML wants spaces",
    ),
    ("ports: [80]", "mode: BGP", "vip.yaml:8:3: vip.yaml: : Unreadable: duplicate mapping key: mode"),
];

#[test]
fn every_fault_is_named_with_its_place_and_a_remedy() {
    for (good, bad, words) in FAULTS {
        assert!(VIP.contains(good), "{good}");
        let loaded = first(&[("pool.yaml", POOL), ("vip.yaml", &VIP.replacen(good, bad, 1))]);
        let said = said(&loaded);
        assert!(said.iter().any(|line| line.contains(words)), "{bad:?} should say {words:?}: {said:#?}");
        assert_eq!((vips(&loaded).len(), loaded.resources.pools.len()), (0, 1), "{bad:?}");
    }
}

#[test]
fn all_faults_of_a_document_are_named_at_once() {
    let bad =
        VIP.replace("address:", "adress:").replace("as: 64500", "as: -1").replace("mode: BGP", "mode: RIP");
    assert_eq!(said(&first(&[("vip.yaml", &bad)])).len(), 5);
}

#[test]
fn what_was_good_stays_while_its_file_is_broken() {
    let two = format!("{VIP}---\n{}", VIP.replace("name: web", "name: other"));
    let good = first(&[("vip.yaml", &two)]);
    assert_eq!(vips(&good), ["other", "web"]);
    let broken = [
        two.replacen("  ports: [80]", "  ports: [80", 1),
        two.replacen("address:", "adress:", 1),
        two.replacen("kind: ProxyVIP", "kind: ProxyVap", 1),
        two.replacen("name: web", "name: {}", 1),
    ];
    for text in broken {
        let loaded = load(&texts(&[("vip.yaml", &text)]), &good, at(2));
        assert_eq!(loaded.resources, good.resources, "{text}");
        assert_eq!(loaded.problems.len(), 1, "{:?}", loaded.problems);
        assert!(said(&loaded)[0].contains("stays in use") || !said(&loaded)[0].contains("ProxyVIP web"));
        let later = load(&texts(&[("vip.yaml", &text)]), &loaded, at(3));
        assert_eq!(later.resources, good.resources);
        let mended = load(&texts(&[("vip.yaml", VIP)]), &later, at(4));
        assert_eq!((vips(&mended), mended.problems.len()), (vec!["web"], 0));
    }
    let unreadable = Texts::from([("vip.yaml".to_owned(), Err("Permission denied".to_owned()))]);
    let loaded = load(&unreadable, &good, at(2));
    assert_eq!(loaded.resources, good.resources);
    assert!(said(&loaded)[0].starts_with("vip.yaml:1:1: vip.yaml: : Unreadable: Permission denied"));
}

#[test]
fn a_broken_document_hurts_no_other() {
    let text = format!("{POOL}---\nspec: [1\n---\n{VIP}");
    let loaded = first(&[("all.yaml", &text)]);
    assert_eq!((loaded.resources.pools.len(), vips(&loaded)), (1, vec!["web"]));
    let said = said(&loaded);
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("all.yaml:6:") || said[0].starts_with("all.yaml:7:"), "{said:?}");
}

#[test]
fn a_change_reaches_the_world_beside_a_broken_document() {
    let good = first(&[("all.yaml", &format!("{POOL}---\n{VIP}"))]);
    let text = format!("{POOL}---\n{VIP}").replace("cidrs:", "cidr:").replace("10.200.0.20", "10.200.0.21");
    let loaded = load(&texts(&[("all.yaml", &text)]), &good, at(2));
    let address = |loaded: &Loaded| loaded.resources.vips.values().next().unwrap().spec.address.clone();
    assert_eq!(address(&loaded).as_deref(), Some("10.200.0.21/32"));
    assert_eq!(loaded.resources.pools, good.resources.pools);
}

#[test]
fn of_duplicates_the_one_that_serves_stays() {
    let other = VIP.replace("10.200.0.20", "10.200.0.99");
    let before = first(&[("b.yaml", VIP)]);
    let loaded = load(&texts(&[("a.yaml", &other), ("b.yaml", VIP)]), &before, at(2));
    assert_eq!(loaded.resources, before.resources);
    assert_eq!(
        said(&loaded),
        [
            "a.yaml:4:3: ProxyVIP web: metadata.name: Duplicate: is also in b.yaml:1, and that one is used; remove or rename one of the two"
        ]
    );
    let fresh = first(&[("a.yaml", &other), ("b.yaml", VIP)]);
    assert!(said(&fresh)[0].starts_with("b.yaml:4:3: "));
    let twice = first(&[("a.yaml", &format!("{VIP}---\n{other}"))]);
    assert!(
        said(&twice)[0]
            .starts_with("a.yaml:18:3: ProxyVIP web: metadata.name: Duplicate: is also in a.yaml:1")
    );
}

#[test]
fn the_age_of_an_object_is_when_it_was_first_seen() {
    let created = |loaded: &Loaded, name: &str| {
        let found = loaded.resources.vips.iter().find(|(key, _)| key.as_str() == name);
        found.unwrap().1.metadata.creation_timestamp.clone().unwrap().0
    };
    let one = first(&[("b.yaml", VIP)]);
    let other = VIP.replace("name: web", "name: other");
    // The clock was set back in between: the younger object stays the younger one.
    let two = load(&texts(&[("a.yaml", &other), ("b.yaml", VIP)]), &one, at(-1000));
    assert_eq!(created(&two, "web"), at(1));
    assert!(created(&two, "other") > at(1));
    let moved = load(&texts(&[("c.yaml", VIP), ("a.yaml", &other)]), &two, at(5));
    assert_eq!((created(&moved, "web"), created(&moved, "other")), (at(1), created(&two, "other")));
    let dated = VIP.replace("name: web", "name: web\n  creationTimestamp: \"2020-01-01T00:00:00Z\"");
    assert_eq!(created(&first(&[("a.yaml", &dated)]), "web"), "2020-01-01T00:00:00Z".parse().unwrap());
}

#[test]
fn objects_are_completed_as_an_api_server_does() {
    let text = "\
apiVersion: v1
kind: Secret
metadata: {name: bgp}
stringData: {password: hunter2}
data: {other: aGk=}
---
apiVersion: novaedge.io/v1alpha1
kind: ProxyGateway
metadata: {name: gw, namespace: prod}
spec: {vipRef: web, listeners: [{name: http, port: 80, protocol: HTTP}]}
";
    let loaded = first(&[("a.yaml", text)]);
    assert_eq!(said(&loaded), Vec::<String>::new());
    let (key, secret) = loaded.resources.secrets.iter().next().unwrap();
    assert_eq!(key.to_string(), "default/bgp");
    let data = secret.data.as_ref().unwrap();
    assert_eq!((data["password"].0.as_slice(), data["other"].0.as_slice()), (&b"hunter2"[..], &b"hi"[..]));
    assert_eq!(loaded.resources.gateways.keys().next().unwrap().to_string(), "prod/gw");
    assert_eq!(loaded.place("ProxyGateway prod/gw", "spec.vipRef").as_deref(), Some("a.yaml:10"));
}

#[test]
fn foreign_objects_are_left_alone_and_lists_are_opened() {
    let text = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {whatever: 1}
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Node
  metadata: {name: n1, labels: {node-role.kubernetes.io/edge: \"true\"}, creationTimestamp: null}
  status: {somethingOfALaterVersion: 1, addresses: [{type: InternalIP, address: 10.0.0.1}]}
- apiVersion: v1
  kind: Node
  metadata: {name: n2}
";
    let loaded = first(&[("a.yaml", text)]);
    assert_eq!(said(&loaded), Vec::<String>::new());
    assert_eq!(loaded.resources.nodes.len(), 2);
    assert_eq!(loaded.ignored.len(), 1);
    assert_eq!(
        (loaded.ignored[0].object.as_str(), loaded.ignored[0].place.as_str()),
        ("Deployment web", "a.yaml:1")
    );
}

/// One more among many costs what one costs: documents that were there before are not read again.
#[test]
fn what_was_read_before_is_not_read_again() {
    let before = first(&[("a.yaml", &format!("{VIP}---\n{POOL}"))]);
    let after = load(&texts(&[("b.yaml", &format!("# moved\n---\n{POOL}---\n{VIP}"))]), &before, at(2));
    assert_eq!(after.resources, before.resources);
    assert!(Arc::ptr_eq(&after.resources.pools["pool"], &before.resources.pools["pool"]));
    assert_eq!(after.place("ProxyVIP web", "spec.mode").as_deref(), Some("b.yaml:13"));
    assert!(after.only_adds_to(&before));
    let less = load(&texts(&[("b.yaml", POOL)]), &after, at(3));
    assert!(!less.only_adds_to(&after));
    let wrong = load(&texts(&[("b.yaml", VIP), ("c.yaml", "kind: x")]), &less, at(4));
    assert!(!wrong.only_adds_to(&less));
    let same = load(&texts(&[("b.yaml", VIP), ("c.yaml", "kind: x")]), &wrong, at(5));
    assert!(same.only_adds_to(&wrong));
}

proptest! {
    /// Whatever a slip of the hand does to one character of a VIP: either the file says something whole,
    /// or the VIP stays as it was.
    #[test]
    fn a_slip_of_the_hand_takes_nothing_away(place in 0..VIP.len(), slip in any::<Option<char>>()) {
        let before = first(&[("vip.yaml", VIP), ("pool.yaml", POOL)]);
        let text = format!("{}{}{}", &VIP[..place], slip.map(String::from).unwrap_or_default(), &VIP[place + 1..]);
        let after = load(&texts(&[("vip.yaml", &text), ("pool.yaml", POOL)]), &before, at(2));
        prop_assert_eq!(&after.resources.pools, &before.resources.pools);
        if !after.problems.is_empty() {
            prop_assert_eq!(&after.resources.vips, &before.resources.vips, "{}", text);
        }
    }

    /// No text makes the reader fall over, and every fault has a place in it.
    #[test]
    fn any_text_is_read_or_refused(text in "([a-z:{}\\[\\],&*!|>'\"#%@`\\-\\. \n\t0-9]|---\n|apiVersion: v1\nkind: Node\n){0,40}") {
        let loaded = first(&[("a.yaml", &text)]);
        let lines = text.lines().count().max(1);
        for problem in &loaded.problems {
            let line = problem.place.as_ref().unwrap().split(':').nth(1).unwrap().parse::<usize>().unwrap();
            prop_assert!((1..=lines + 1).contains(&line), "{:?} of {} lines", problem, lines);
        }
    }
}

//! VIPs, templates, nodes and the speaker.

use super::*;
use crate::model::bgp::{Community, Speaker, Timers};
use crate::model::vip::{Reach, Vip};
use std::time::Duration;

fn speaker(compiled: &Compiled) -> &Speaker {
    compiled.snapshot.speaker.as_ref().expect("a speaker")
}

fn the_vip<'a>(compiled: &'a Compiled, vip: &str) -> &'a Vip {
    &compiled.snapshot.vips[&name(vip)]
}

fn attributes(vip: &Vip) -> &crate::model::bgp::PathAttributes {
    let Reach::Bgp(route) = &vip.reach else { panic!("not by BGP") };
    &route.attributes
}

#[test]
fn all_that_is_good_compiles() {
    let compiled = compiled(&good());
    assert_eq!(said(&compiled), Vec::<String>::new());
    let web = the_vip(&compiled, "web");
    assert_eq!(web.used_ports.iter().map(|p| p.get()).collect::<Vec<_>>(), [80]);
    assert_eq!(web.drain_period, Duration::from_secs(10));
    let peer = &speaker(&compiled).peers[&"10.0.0.254".parse().unwrap()];
    assert_eq!((peer.asn.get(), peer.port.get(), peer.timers), (64500, 179, Timers::default()));
    assert_eq!(compiled.snapshot.serving.listeners.len(), 1);
    assert_eq!(compiled.snapshot.serving.backends.len(), 1);
}

#[test]
fn families_are_what_the_addresses_say() {
    let table = [
        ("address: 10.200.0.20", vec!["10.200.0.20/32"]),
        ("address: 2001:db8::50/128", vec!["2001:db8::50/128"]),
        ("ipv6Address: 2001:db8::50", vec!["2001:db8::50/128"]),
        ("address: 10.200.0.20\n  ipv6Address: 2001:db8::50", vec!["10.200.0.20/32", "2001:db8::50/128"]),
        (
            "address: 10.200.0.20\n  ipv6Address: 2001:db8::50\n  addressFamily: dual",
            vec!["10.200.0.20/32", "2001:db8::50/128"],
        ),
        ("address: 2001:db8::50\n  addressFamily: ipv6", vec!["2001:db8::50/128"]),
    ];
    for (written, expected) in table {
        let compiled = compiled(&vip("web", "X", "").replace("address: X", written));
        assert_eq!(said(&compiled), Vec::<String>::new(), "{written}");
        let addresses: Vec<_> = the_vip(&compiled, "web").addresses.iter().map(|r| r.to_string()).collect();
        assert_eq!(addresses, expected, "{written}");
    }
}

#[test]
fn a_template_gives_what_is_absent_block_by_block() {
    let compiled = compiled(
        "
kind: ProxyVIPTemplate
metadata: {name: edge}
spec:
  mode: BGP
  drain: {period: 30s}
  bgpConfig:
    localAS: 64501
    med: 7
    communities: ['64501:100', no-export]
    peers: [{address: 10.0.0.254, as: 64500, holdTime: 30}]
---
kind: ProxyVIP
metadata: {name: web}
spec: {templateRef: {name: edge}, address: 10.200.0.20, ports: [80], drain: {}}",
    );
    assert_eq!(said(&compiled), Vec::<String>::new());
    let web = the_vip(&compiled, "web");
    assert_eq!(web.drain_period, Duration::from_secs(10), "the VIP's own block, whole");
    assert_eq!(attributes(web).med, Some(7));
    let communities = &attributes(web).communities;
    assert!(communities.contains(&Community::parse("no-export").unwrap()) && communities.len() == 2);
    let timers = speaker(&compiled).peers.values().next().unwrap().timers;
    assert_eq!(timers, Timers { hold_seconds: 30, keepalive_seconds: 10 });
}

#[test]
fn only_candidates_get_the_vip() {
    let node =
        |name: &str, labels: &str| format!("\nkind: Node\nmetadata: {{name: {name}, labels: {{{labels}}}}}");
    let table = [
        ("nodeSelector: {matchLabels: {edge: 'true'}}", "edge: 'true'", true),
        ("nodeSelector: {matchLabels: {edge: 'true'}}", "edge: 'false'", false),
        ("nodeSelector: {matchLabels: {edge: 'true'}}", "", false),
        ("nodeSelector: {}", "", true),
        ("nodeSelector: {matchExpressions: [{key: rack, operator: In, values: [a, b]}]}", "rack: b", true),
        ("nodeSelector: {matchExpressions: [{key: rack, operator: NotIn, values: [a]}]}", "", true),
        ("nodeSelector: {matchExpressions: [{key: rack, operator: NotIn, values: [a]}]}", "rack: a", false),
        ("nodeSelector: {matchExpressions: [{key: rack, operator: Exists}]}", "rack: a", true),
        ("nodeSelector: {matchExpressions: [{key: rack, operator: DoesNotExist}]}", "rack: a", false),
    ];
    for (selector, labels, candidate) in table {
        let web = vip("web", "10.200.0.20", &format!("  {selector}"));
        let compiled = compiled(&format!("{web}\n---{}", node("n1", labels)));
        assert_eq!(said(&compiled), Vec::<String>::new());
        assert_eq!(!compiled.snapshot.vips.is_empty(), candidate, "{selector} on {labels}");
        assert_eq!(compiled.snapshot.speaker.is_some(), candidate);
    }
}

#[test]
fn a_router_id_is_for_one_node() {
    let web = vip("web", "10.200.0.20", "  nodeSelector: {matchLabels: {edge: 'true'}}");
    let web = web.replace("localAS: 64501", "localAS: 64501, routerID: 10.0.0.1");
    let node =
        |name: &str| format!("\n---\nkind: Node\nmetadata: {{name: {name}, labels: {{edge: 'true'}}}}");
    let alone = compiled(&format!("{web}{}", node("n1")));
    assert_eq!(speaker(&alone).router_id, Some("10.0.0.1".parse().unwrap()));
    assert_eq!(said(&alone), Vec::<String>::new());

    let two = compiled(&format!("{web}{}{}", node("n1"), node("n2")));
    assert_eq!(speaker(&two).router_id, None);
    assert_eq!(said(&two), ["ProxyVIP web: spec.bgpConfig.routerID: RouterIDPerNode"]);
    assert_eq!(two.rejections[0].severity, Severity::Notice);

    let unknown =
        compiled(&vip("web", "10.200.0.20", "").replace("localAS:", "routerID: 10.0.0.1, localAS:"));
    assert_eq!(speaker(&unknown).router_id, None, "without Node objects nobody knows who else is there");
}

#[test]
fn an_as_per_node_counts_from_the_annotation() {
    let web = vip("web", "10.200.0.20", "").replace("localAS: 64501", "localASBase: 65000");
    let node = "\n---\nkind: Node\nmetadata: {name: n1, annotations: {novaedge.io/asn-index: '7'}}";
    assert_eq!(speaker(&compiled(&format!("{web}{node}"))).asn.get(), 65007);
    let without = compiled(&web);
    assert_eq!(said(&without), ["ProxyVIP web: spec.bgpConfig.localASBase: InvalidValue"]);
    assert!(without.snapshot.vips.is_empty());
}

#[test]
fn local_preference_stays_inside_the_own_as() {
    let web = vip("web", "10.200.0.20", "").replace("localAS:", "localPreference: 150, localAS:");
    let outside = compiled(&web);
    assert_eq!(said(&outside), ["ProxyVIP web: spec.bgpConfig.localPreference: LocalPreferenceNotSent"]);
    assert_eq!(attributes(the_vip(&outside, "web")).local_preference, None);
    let inside = compiled(&web.replace("as: 64500", "as: 64501"));
    assert_eq!(attributes(the_vip(&inside, "web")).local_preference, Some(150));
}

#[test]
fn a_session_has_its_password_or_does_not_exist() {
    let web = vip("web", "10.200.0.20", "").replace("as: 64500", "as: 64500, passwordSecretRef: {name: tor}");
    let secret = |data: &str| {
        format!(
            "\n---\nkind: Secret\nmetadata: {{name: tor, namespace: novaedge-system}}\nstringData: {{{data}}}"
        )
    };
    let good = compiled(&format!("{web}{}", secret("password: s3cret")));
    let password = speaker(&good).peers.values().next().unwrap().password.as_ref().unwrap();
    assert_eq!(password.expose(), "s3cret");

    for broken in [String::new(), secret("other: s3cret"), secret("password: \"s3cret\\n\"")] {
        let compiled = compiled(&format!("{web}{broken}"));
        assert!(speaker(&compiled).peers.is_empty(), "never without a password: {broken}");
        assert!(compiled.snapshot.vips.contains_key(&name("web")));
        let message = &compiled.rejections[0].message;
        assert!(
            message.contains("Secret novaedge-system/tor") && message.contains("not configured"),
            "{message}"
        );

        let later = compile(&world(&format!("{web}{broken}")), &name("n1"), &good.accepted);
        assert_eq!(speaker(&later).peers, speaker(&good).peers, "a running session is left alone");
        assert!(later.rejections[0].message.contains("left alone"));
    }
}

#[test]
fn a_secret_never_shows() {
    let web = vip("web", "10.200.0.20", "").replace("as: 64500", "as: 64500, passwordSecretRef: {name: tor}");
    let secret = "\n---\nkind: Secret\nmetadata: {name: tor, namespace: novaedge-system}\nstringData: {password: 's3 cret'}";
    let compiled = compiled(&format!("{web}{secret}"));
    assert!(!format!("{compiled:?}").contains("s3"), "{compiled:?}");
}

#[test]
fn peers_may_be_for_some_nodes_only() {
    let web = vip("web", "10.200.0.20", "").replace(
        "[{address: 10.0.0.254, as: 64500}]",
        "[{address: 10.0.0.254, as: 64500, nodeSelector: {matchLabels: {rack: a}}}, {address: 10.0.1.254, as: 64500}]",
    );
    let node = "\n---\nkind: Node\nmetadata: {name: n1, labels: {rack: b}}";
    let compiled = compiled(&format!("{web}{node}"));
    assert_eq!(speaker(&compiled).peers.keys().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.1.254"]);
}

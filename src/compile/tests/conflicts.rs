//! Two objects want the same, and edits that go wrong.

use super::*;

fn names(compiled: &Compiled) -> Vec<&str> {
    compiled.snapshot.vips.keys().map(Name::as_str).collect()
}

#[test]
fn an_address_belongs_to_the_oldest() {
    let (old, new) = (vip("zebra", "10.200.0.20", ""), vip("apple", "10.200.0.20/32", ""));
    let compiled = compiled(&format!("{old}\n---{new}"));
    assert_eq!(names(&compiled), ["zebra"]);
    assert_eq!(said(&compiled), ["ProxyVIP apple: spec.address: Conflicted"]);
    assert!(compiled.rejections[0].message.contains("ProxyVIP zebra"));
}

#[test]
fn of_equals_the_one_in_service_stays_then_the_name_decides() {
    let same =
        |yaml: String| yaml.replace("metadata: {", "metadata: {creationTimestamp: '2024-01-01T00:00:00Z', ");
    let (zebra, apple) = (same(vip("zebra", "10.200.0.20", "")), same(vip("apple", "10.200.0.20", "")));
    let both = world(&format!("{zebra}\n---{apple}"));
    assert_eq!(names(&compile(&both, &name("n1"), &Accepted::default())), ["apple"]);
    let before = compile(&world(&zebra), &name("n1"), &Accepted::default()).accepted;
    assert_eq!(names(&compile(&both, &name("n1"), &before)), ["zebra"]);
}

#[test]
fn half_a_dual_stack_vip_is_nobodys_wish() {
    let old = vip("old", "10.200.0.20", "");
    let new = vip("new", "10.200.0.20", "  ipv6Address: 2001:db8::50\n");
    let compiled = compiled(&format!("{old}\n---{new}"));
    assert_eq!(names(&compiled), ["old"]);
}

#[test]
fn a_refused_vip_holds_no_address() {
    let old = vip("old", "10.200.0.20", "").replace("mode: BGP", "mode: L2ARP");
    let compiled = compiled(&format!("{old}\n---{}", vip("new", "10.200.0.20", "")));
    assert_eq!(names(&compiled), ["new"]);
}

#[test]
fn the_younger_of_two_that_share_a_peer_gives_way() {
    let table = [
        ("localAS: 64501", "localAS: 64502", "localAS"),
        ("localAS: 64501", "gracefulRestart: {}, localAS: 64501", "gracefulRestart"),
        ("as: 64500", "as: 64499", "peers"),
        ("as: 64500", "as: 64500, holdTime: 30", "peers"),
        ("as: 64500", "as: 64500, ttlSecurity: 1", "peers"),
        ("as: 64500", "as: 64500, port: 1179", "peers"),
        ("as: 64500", "as: 64500, passwordSecretRef: {name: gone}", "peers"),
        ("as: 64500", "as: 64500, sourceAddress: 10.0.0.1", "peers"),
        ("  ports:", "  bfd: {}\n  ports:", "peers"),
    ];
    for (from, to, field) in table {
        let (old, new) = (vip("old", "10.200.0.20", ""), vip("new", "10.200.0.21", "").replace(from, to));
        let compiled = compiled(&format!("{old}\n---{new}"));
        assert_eq!(names(&compiled), ["old"], "{to}");
        let conflict = format!("ProxyVIP new: spec.bgpConfig.{field}: Conflicted");
        assert!(said(&compiled).contains(&conflict), "{to}: {:?}", said(&compiled));
    }
}

#[test]
fn those_that_agree_share_the_speaker() {
    let (a, b) = (vip("a", "10.200.0.20", ""), vip("b", "10.200.0.21", ""));
    let b = b.replace("address: 10.0.0.254", "address: 10.0.0.253");
    let compiled = compiled(&format!("{a}\n---{b}"));
    assert_eq!(said(&compiled), Vec::<String>::new());
    assert_eq!(compiled.snapshot.speaker.unwrap().peers.len(), 2);
}

#[test]
fn addresses_of_nodes_and_peers_are_no_vips() {
    let node = "\n---\nkind: Node\nmetadata: {name: n2}\nstatus: {addresses: [{type: InternalIP, address: 10.0.0.2}]}";
    let of_node = compiled(&format!("{}{node}", vip("web", "10.0.0.2", "")));
    assert_eq!(said(&of_node), ["ProxyVIP web: spec.address: AddressInUse"]);
    let of_its_peer = compiled(&vip("web", "10.0.0.254", ""));
    assert_eq!(said(&of_its_peer), ["ProxyVIP web: spec.address: AddressInUse"]);
    let (old, new) = (vip("old", "10.200.0.20", ""), vip("new", "10.0.0.254", ""));
    let new = new.replace("{address: 10.0.0.254", "{address: 10.0.0.253");
    let of_anothers = compiled(&format!("{old}\n---{new}"));
    assert_eq!(said(&of_anothers), ["ProxyVIP new: spec.address: AddressInUse"]);
    assert_eq!(names(&of_anothers), ["old"]);
}

#[test]
fn a_youngers_slip_never_takes_an_address_away() {
    let new = vip("new", "10.200.0.21", "").replace("10.0.0.254", "10.200.0.20");
    let compiled = compiled(&format!("{}\n---{new}", vip("old", "10.200.0.20", "")));
    assert_eq!(names(&compiled), ["new", "old"]);
    assert_eq!(said(&compiled), ["ProxyVIP new: spec.bgpConfig.peers: AddressInUse"]);
}

#[test]
fn a_refused_edit_changes_nothing() {
    let (web, other) = (vip("web", "10.200.0.20", ""), vip("other", "10.200.0.30", ""));
    let good = format!("{other}\n---{web}");
    let before = compile(&world(&good), &name("n1"), &Accepted::default());
    let edits = [
        ("10.200.0.20", "10.200.0.0/24"),
        ("10.200.0.20", "10.200.0.30"),
        ("10.200.0.20", "10.0.0.254"),
        ("mode: BGP", "mode: OSPF"),
        ("ports: [80, 443]", "ports: [80, 80]"),
        ("localAS: 64501", "localAS: 0"),
        ("localAS: 64501", "localAS: 64999"),
        ("as: 64500", "as: 64500, holdTime: 90"),
    ];
    for (from, to) in edits {
        let edited = format!("{other}\n---{}", web.replace(from, to));
        let compiled = compile(&world(&edited), &name("n1"), &before.accepted);
        assert_eq!(compiled.snapshot, before.snapshot, "{to}");
        assert_eq!(compiled.accepted, before.accepted, "{to}");
        assert!(compiled.rejections.iter().any(|r| r.severity == Severity::Refused), "{to}");
    }
}

#[test]
fn one_port_has_one_protocol() {
    let compiled = compiled(&format!(
        "{}
---
kind: ProxyGateway
metadata: {{name: aaa}}
spec: {{vipRef: web, listeners: [{{name: tcp, port: 80, protocol: TCP}}, {{name: other, port: 443, protocol: TCP}}]}}",
        good()
    ));
    assert_eq!(said(&compiled), ["ProxyGateway default/aaa: spec.listeners[0].port: Conflicted"]);
    let message = &compiled.rejections[0].message;
    assert!(message.contains("http of default/web"), "{message}");
    assert_eq!(compiled.snapshot.serving.listeners.len(), 2, "the other listener works");
}

#[test]
fn a_tcp_listener_has_one_route() {
    let route = |name: &str, backend: &str| {
        format!(
            "
---
kind: ProxyRoute
metadata: {{name: {name}}}
spec: {{parentRefs: [{{name: tcp, sectionName: db}}], rules: [{{backendRefs: [{{name: {backend}}}]}}]}}"
        )
    };
    let compiled = compiled(&format!(
        "{}
---
kind: ProxyGateway
metadata: {{name: tcp}}
spec: {{vipRef: web, listeners: [{{name: db, port: 443, protocol: TCP}}]}}{}{}",
        good(),
        route("older", "web"),
        route("newer", "web"),
    ));
    assert_eq!(said(&compiled), ["ProxyRoute default/newer: spec.parentRefs: Conflicted"]);
    let key = crate::model::listener::ListenerKey::try_from("web:443".to_owned()).unwrap();
    let Serves::Tcp(shares) = &compiled.snapshot.serving.listeners[&key].serves else { panic!() };
    assert_eq!(shares.len(), 1);
}

#[test]
fn a_vip_that_only_this_node_cannot_serve_keeps_its_address() {
    let old = vip("old", "10.200.0.20", "").replace("localAS: 64501", "localASBase: 65000");
    let compiled = compiled(&format!("{old}\n---{}", vip("new", "10.200.0.20", "")));
    assert!(names(&compiled).is_empty());
    assert!(said(&compiled).contains(&"ProxyVIP new: spec.address: Conflicted".to_owned()));
}

#[test]
fn editing_the_oldest_withdraws_none_of_the_others() {
    let (old, young) = (vip("old", "10.200.0.20", ""), vip("young", "10.200.0.21", ""));
    let before = compile(&world(&format!("{old}\n---{young}")), &name("n1"), &Accepted::default());
    let edited = old.replace("as: 64500", "as: 64500, holdTime: 30");
    let after = compile(&world(&format!("{edited}\n---{young}")), &name("n1"), &before.accepted);
    assert_eq!(after.snapshot.vips, before.snapshot.vips);
    let peer = after.snapshot.speaker.as_ref().unwrap().peers.values().next().unwrap();
    assert_eq!(peer.timers.hold_seconds, 30, "the session is the oldest one's");
    assert!(said(&after).contains(&"ProxyVIP young: spec.bgpConfig.peers: Conflicted".to_owned()));
}

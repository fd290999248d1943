//! VIPs of mode OSPF, and the speaker that they share.

use super::*;
use crate::model::ospf::{Authentication, Speaker};
use crate::model::vip::Reach;

/// A VIP of mode OSPF; `config` is the inside of its `ospfConfig`, `spec` is added to it, indented by two.
fn ospf(name: &str, address: &str, config: &str, spec: &str) -> String {
    format!(
        "\nkind: ProxyVIP\nmetadata: {{name: {name}}}\nspec:\n  address: {address}\n  mode: OSPF\n  ports: [80]\n  \
         ospfConfig: {{areaID: 0, {config}}}\n{spec}"
    )
}

fn speaker(compiled: &Compiled) -> &Speaker {
    compiled.snapshot.ospf.as_ref().expect("a speaker")
}

fn cost(compiled: &Compiled, vip: &str) -> u16 {
    match &compiled.snapshot.vips[&name(vip)].reach {
        Reach::Ospf(route) => route.cost.get(),
        Reach::Bgp(_) => panic!("not by OSPF"),
    }
}

#[test]
fn what_is_not_written_is_as_the_contract_says() {
    let compiled = compiled(&ospf("web", "10.200.0.30", "", ""));
    assert_eq!(said(&compiled), Vec::<String>::new());
    let Speaker { router_id, area, timers, authentication, graceful_restart, bfd, interfaces } =
        speaker(&compiled);
    assert_eq!((*router_id, area.to_string(), *bfd), (None, "0.0.0.0".to_owned(), None));
    assert_eq!((timers.hello_seconds, timers.dead_seconds, *graceful_restart), (10, 40, false));
    assert_eq!(*authentication, Authentication::None);
    assert!(interfaces.uplink && interfaces.named.is_empty());
    assert_eq!((cost(&compiled, "web"), compiled.snapshot.speaker.is_none()), (10, true));
}

#[test]
fn a_node_speaks_bgp_and_ospf_at_once() {
    let both = format!("{}\n---{}", vip("old", "10.200.0.20", ""), ospf("new", "10.200.0.30", "", ""));
    let compiled = compiled(&both);
    assert_eq!(said(&compiled), Vec::<String>::new());
    assert!(compiled.snapshot.speaker.is_some() && compiled.snapshot.ospf.is_some());
}

#[test]
fn vips_share_the_speaker_and_have_costs_and_interfaces_of_their_own() {
    let old = ospf("old", "10.200.0.30", "cost: 7, interfaces: [eth1]", "");
    let new = ospf("new", "10.200.0.31", "cost: 9", "  ipv6Address: 2001:db8::31\n");
    let compiled = compiled(&format!("{old}\n---{new}"));
    assert_eq!(said(&compiled), Vec::<String>::new());
    assert_eq!((cost(&compiled, "old"), cost(&compiled, "new")), (7, 9));
    let interfaces = &speaker(&compiled).interfaces;
    assert!(interfaces.uplink && interfaces.named.iter().map(|name| name.as_str()).eq(["eth1"]));
}

#[test]
fn a_younger_vip_that_contradicts_is_conflicted() {
    let table = [
        ("areaID: 1", "spec.ospfConfig.areaID"),
        ("areaID: 0, helloInterval: 5", "spec.ospfConfig.helloInterval"),
        ("areaID: 0, deadInterval: 20", "spec.ospfConfig.deadInterval"),
        ("areaID: 0, authType: md5, authKey: k", "spec.ospfConfig.authType"),
        ("areaID: 0, gracefulRestart: true", "spec.ospfConfig.gracefulRestart"),
        ("areaID: 0}\n  bfd: {enabled: true", "spec.bfd"),
    ];
    for (written, field) in table {
        let new = ospf("new", "10.200.0.31", "", "").replace("areaID: 0, ", written);
        let compiled = compiled(&format!("{}\n---{new}", ospf("old", "10.200.0.30", "", "")));
        assert_eq!(said(&compiled), [format!("ProxyVIP new: {field}: Conflicted")], "{written}");
        assert_eq!(compiled.snapshot.vips.len(), 1, "{written}");
    }
}

#[test]
fn what_cannot_be_is_refused_with_its_field() {
    let table = [
        ("cost: 65535", "", "spec.ospfConfig.cost", "1 to 65534"),
        ("helloInterval: 40", "", "spec.ospfConfig.deadInterval", "larger than helloInterval"),
        ("authType: md5", "", "spec.ospfConfig.authKey", "exactly one of"),
        ("authKey: k", "", "spec.ospfConfig.authType", "takes no key"),
        ("authType: md5, authKey: '12345678901234567'", "", "spec.ospfConfig.authKey", "1 to 16"),
        ("authType: simple, authKey: '123456789'", "", "spec.ospfConfig.authKey", "1 to 8"),
        ("authType: md5, authKey: 'a b'", "", "spec.ospfConfig.authKey", "without blanks"),
        (
            "authType: simple, authKey: k",
            "  ipv6Address: 2001:db8::1\n",
            "spec.ospfConfig.authType",
            "OSPFv3",
        ),
        ("interfaces: [eth0, 'a b']", "", "spec.ospfConfig.interfaces[1]", "no interface name"),
        ("interfaces: [lo]", "", "spec.ospfConfig.interfaces[0]", "no neighbours"),
        ("routerID: x", "", "spec.ospfConfig.routerID", "write an IPv4 address"),
        ("", "  bfd: {enabled: true, multihop: true}\n", "spec.bfd.multihop", "on the segment"),
        ("", "  interface: eth0\n", "spec.interface", "belongs to mode L2ARP"),
    ];
    for (config, spec, field, words) in table {
        let compiled = compiled(&ospf("web", "10.200.0.30", config, spec));
        let found = compiled.rejections.iter().find(|rejection| rejection.field == field);
        let found = found.unwrap_or_else(|| panic!("{config}{spec}: {:#?}", compiled.rejections));
        assert!(found.message.contains(words), "{config}{spec}: {}", found.message);
        assert!(compiled.snapshot.vips.is_empty(), "{config}{spec}");
    }
}

#[test]
fn a_deleted_secret_leaves_the_speaker_alone_and_starts_none() {
    let secret = "
kind: Secret
metadata: {name: ospf, namespace: novaedge-system}
stringData: {password: sesame}
---";
    let web = ospf("web", "10.200.0.30", "authType: md5, authKeySecretRef: {name: ospf}", "");
    let before = compiled(&format!("{secret}{web}"));
    let Authentication::Md5(key) = &speaker(&before).authentication else { panic!("md5") };
    assert_eq!((key.expose(), said(&before)), ("sesame", Vec::new()));
    let after = compile(&world(&web), &name("n1"), &before.accepted);
    assert_eq!(after.snapshot, before.snapshot);
    assert_eq!(said(&after), ["ProxyVIP web: spec.ospfConfig.authKeySecretRef: RefNotFound"]);
    let anew = compiled(&web);
    assert_eq!((anew.snapshot.ospf.clone(), anew.snapshot.vips.len()), (None, 0));
    assert_eq!(said(&anew), ["ProxyVIP web: spec.ospfConfig.authKeySecretRef: RefNotFound"]);
}

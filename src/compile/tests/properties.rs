//! What holds whatever people write.

use super::*;
use proptest::prelude::*;
use proptest::sample::select;

/// Objects with something wrong, or at odds with `good`; all are younger than it.
fn bad_object() -> impl Strategy<Value = String> {
    let vips = select(vec![
        vip("bad", "10.200.0.20", ""),
        vip("bad", "10.200.0.0/24", ""),
        vip("bad", "10.0.0.254", ""),
        vip("bad", "10.200.0.99", "").replace("as: 64500", "as: 64500, holdTime: 1"),
        vip("bad", "10.200.0.99", "").replace("localAS: 64501", "localAS: 64777"),
        vip("bad", "10.200.0.99", "").replace("as: 64500", "as: 64500, passwordSecretRef: {name: none}"),
        vip("bad", "10.200.0.99", "").replace("10.0.0.254", "10.200.0.20"),
        vip("bad", "10.200.0.99", "").replace("mode: BGP", "mode: L2ARP"),
        vip("bad", "10.200.0.99", "  templateRef: {name: none}\n"),
    ]);
    let others = select(vec![
        "\nkind: ProxyGateway\nmetadata: {name: bad}\nspec: {vipRef: web, listeners: [{name: a, port: 80, protocol: TCP}]}",
        "\nkind: ProxyGateway\nmetadata: {name: bad}\nspec: {vipRef: web, listeners: [{name: a, port: 81, protocol: HTTP}]}",
        "\nkind: ProxyGateway\nmetadata: {name: bad}\nspec: {vipRef: none, listeners: [{name: a, port: 80, protocol: HTTP}]}",
        "\nkind: ProxyGateway\nmetadata: {name: bad}\nspec: {vipRef: web, compression: {}, listeners: [{name: a, port: 443, protocol: HTTP}]}",
        "\nkind: ProxyBackend\nmetadata: {name: bad}\nspec: {lbPolicy: Maglev, endpoints: [{address: 10.9.0.9, port: 1}]}",
        "\nkind: ProxyRoute\nmetadata: {name: bad}\nspec: {hostnames: ['1.2.3.4'], rules: [{backendRefs: [{name: web}]}]}",
        "\nkind: ProxyRoute\nmetadata: {name: bad}\nspec: {parentRefs: [{name: none}], rules: [{backendRefs: [{name: web}]}]}",
        "\nkind: ProxyPolicy\nmetadata: {name: bad}\nspec: {targetRef: {kind: ProxyRoute, name: web}, type: CORS}",
    ]);
    prop_oneof![vips, others.prop_map(str::to_owned)]
}

/// What `web` is on the node, with everything around it.
fn good_part(snapshot: &Snapshot) -> Snapshot {
    let mut part = snapshot.clone();
    part.generation = 0;
    Arc::make_mut(&mut part.vips).retain(|vip, _| vip.as_str() == "web");
    part
}

proptest! {
    #[test]
    fn a_bad_object_never_hurts_a_good_one(bad in bad_object(), served in any::<bool>()) {
        let before = compiled(&good());
        let both = world(&format!("{}\n---{bad}", good()));
        let accepted = if served { before.accepted } else { Accepted::default() };
        let after = compile(&both, &name("n1"), &accepted);
        prop_assert_eq!(good_part(&after.snapshot), good_part(&before.snapshot));
        prop_assert!(!after.rejections.is_empty());
        for rejection in &after.rejections {
            prop_assert!(rejection.object.key.contains("bad"), "{}", rejection);
            prop_assert!(rejection.message.len() > 20, "{}", rejection);
        }
    }

    /// A snapshot survives the disk, and compiling again over it changes nothing.
    #[test]
    fn what_is_compiled_is_stable(bad in bad_object()) {
        let both = world(&format!("{}\n---{bad}", good()));
        let first = compile(&both, &name("n1"), &Accepted::default());
        let text = serde_json::to_string(&first.snapshot).unwrap();
        let read: Snapshot = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &first.snapshot);
        let text = serde_json::to_string(&first.accepted).unwrap();
        let accepted: Accepted = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&accepted, &first.accepted);
        let again = compile(&both, &name("n1"), &accepted);
        prop_assert_eq!(again.snapshot, read);
        prop_assert_eq!(again.accepted, accepted);
    }
}

//! The Secrets that the world names: all that a controller has to read of a cluster's.

use super::resources::Resources;
use crate::api::bgp::BgpConfig;
use crate::api::listener::{Listener, ListenerTls};
use crate::api::ospf::OspfConfig;
use crate::api::policy::PolicySpec;
use crate::api::reference::{SecretKeyRef, SecretRef};
use crate::model::name::{Key, Name};
use std::collections::BTreeSet;

/// Without those whose names no Secret can have; the compiler refuses such a reference.
pub fn secrets(world: &Resources) -> BTreeSet<Key> {
    let vips = world.vips.values().map(|vip| (&vip.spec.bgp_config, &vip.spec.ospf_config));
    let templates =
        world.templates.values().map(|template| (&template.spec.bgp_config, &template.spec.ospf_config));
    let keys = vips.chain(templates).flat_map(|(bgp, ospf)| {
        let keys = bgp.iter().flat_map(of_bgp).chain(ospf.iter().flat_map(of_ospf));
        keys.collect::<Vec<_>>()
    });
    let gateways = world.gateways.iter().flat_map(|(key, gateway)| {
        gateway.spec.listeners.iter().flat_map(of_listener).map(move |reference| (key, reference))
    });
    let backends = world.backends.iter().flat_map(|(key, backend)| {
        let tls = backend.spec.tls.iter();
        tls.flat_map(|tls| tls.ca_secret_ref.iter().chain(&tls.client_certificate_ref))
            .map(move |reference| (key, reference))
    });
    let policies = world
        .policies
        .iter()
        .flat_map(|(key, policy)| of_policy(&policy.spec).map(move |reference| (key, reference)));
    let whole = gateways.chain(backends).chain(policies).filter_map(|(of, reference)| whole(of, reference));
    keys.filter_map(|SecretKeyRef { namespace, name, key: _ }| key(namespace, name)).chain(whole).collect()
}

fn of_bgp(config: &BgpConfig) -> impl Iterator<Item = &SecretKeyRef> {
    config.peers.iter().filter_map(|peer| peer.password_secret_ref.as_ref())
}

fn of_ospf(config: &OspfConfig) -> impl Iterator<Item = &SecretKeyRef> {
    config.auth_key_secret_ref.iter()
}

fn of_listener(listener: &Listener) -> impl Iterator<Item = &SecretRef> {
    listener.tls.iter().flat_map(|tls| {
        let ListenerTls { secret_ref, certificates, client_auth, .. } = tls;
        let client_auth = client_auth.iter().map(|auth| &auth.ca_secret_ref);
        secret_ref
            .iter()
            .chain(certificates.iter().map(|certificate| &certificate.secret_ref))
            .chain(client_auth)
    })
}

fn of_policy(spec: &PolicySpec) -> impl Iterator<Item = &SecretRef> {
    let jwt = spec.jwt.iter().filter_map(|jwt| jwt.jwks_secret_ref.as_ref());
    jwt.chain(spec.basic_auth.iter().map(|basic| &basic.secret_ref))
}

fn whole(of: &Key, reference: &SecretRef) -> Option<Key> {
    key(reference.namespace.as_deref().unwrap_or(of.namespace.as_str()), &reference.name)
}

fn key(namespace: &str, name: &str) -> Option<Key> {
    Some(Key::new(Name::parse(namespace).ok()?, Name::parse(name).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::sync::Arc;

    fn read<T: serde::de::DeserializeOwned>(spec: &Value) -> Arc<T> {
        serde_json::from_value(json!({ "metadata": { "name": "x" }, "spec": spec })).unwrap()
    }

    #[test]
    fn every_kind_of_reference_is_followed() {
        let mut world = Resources::default();
        let name = |text: &str| Name::parse(text).unwrap();
        let inside = || Key::new(name("shop"), name("x"));
        let bgp = json!({ "localAS": 64501, "peers": [
            { "address": "10.0.0.1", "as": 64500, "passwordSecretRef": { "name": "bgp" } },
            { "address": "10.0.0.2", "as": 64500 },
        ] });
        let ospf = json!({ "areaID": "0", "authType": "md5",
            "authKeySecretRef": { "name": "ospf", "namespace": "routing" } });
        world.vips.insert(name("x"), read(&json!({ "mode": "BGP", "ports": [80], "bgpConfig": bgp })));
        world.templates.insert(name("x"), read(&json!({ "mode": "OSPF", "ospfConfig": ospf })));
        let tls = json!({
            "secretRef": { "name": "tls" },
            "certificates": [{ "secretRef": { "name": "sni", "namespace": "certs" } }],
            "clientAuth": { "caSecretRef": { "name": "clients" } },
        });
        let listener = json!({ "name": "https", "port": 443, "protocol": "HTTPS", "tls": tls });
        world.gateways.insert(inside(), read(&json!({ "vipRef": "x", "listeners": [listener] })));
        let tls = json!({ "caSecretRef": { "name": "ca" }, "clientCertificateRef": { "name": "client" } });
        let endpoints = json!([{ "address": "10.0.0.9", "port": 80 }]);
        world.backends.insert(inside(), read(&json!({ "endpoints": endpoints, "tls": tls })));
        let target = json!({ "kind": "ProxyGateway", "name": "x" });
        let jwt = json!({ "issuer": "i", "jwksSecretRef": { "name": "jwks" } });
        let policy = json!({ "targetRef": target, "type": "JWT", "jwt": jwt });
        world.policies.insert(inside(), read(&policy));
        let basic = json!({ "secretRef": { "name": "Not A Name" } });
        let policy = json!({ "targetRef": target, "type": "BasicAuth", "basicAuth": basic });
        world.policies.insert(Key::new(name("shop"), name("y")), read(&policy));
        let found: Vec<String> = secrets(&world).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "certs/sni",
                "novaedge-system/bgp",
                "routing/ospf",
                "shop/ca",
                "shop/client",
                "shop/clients",
                "shop/jwks",
                "shop/tls"
            ]
        );
    }
}

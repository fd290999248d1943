//! The world as written: every object that `compile` reads, by its name.

use crate::api::{
    ProxyBackend, ProxyGateway, ProxyIPPool, ProxyPolicy, ProxyRoute, ProxyVIP, ProxyVIPTemplate,
};
use crate::model::name::{Key, Name};
use k8s_openapi::api::core::v1::{Node, Secret, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use std::collections::BTreeMap;
use std::fmt;

/// Everything that users and the cluster have written. `k8s::stores` fills it from an API server,
/// `manifests` from a directory. Objects carry their metadata: labels, annotations, and a
/// `creationTimestamp`, which a directory's objects have too: the moment they were first seen.
#[derive(Clone, Default, PartialEq)]
pub struct Resources {
    pub pools: BTreeMap<Name, ProxyIPPool>,
    pub vips: BTreeMap<Name, ProxyVIP>,
    pub templates: BTreeMap<Name, ProxyVIPTemplate>,
    pub gateways: BTreeMap<Key, ProxyGateway>,
    pub backends: BTreeMap<Key, ProxyBackend>,
    pub routes: BTreeMap<Key, ProxyRoute>,
    pub policies: BTreeMap<Key, ProxyPolicy>,
    pub nodes: BTreeMap<Name, Node>,
    pub secrets: BTreeMap<Key, Secret>,
    pub services: BTreeMap<Key, Service>,
    pub endpoint_slices: BTreeMap<Key, EndpointSlice>,
}

/// Names only: a world has Secrets in it.
impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resources")
            .field("pools", &self.pools.keys())
            .field("vips", &self.vips.keys())
            .field("templates", &self.templates.keys())
            .field("gateways", &self.gateways.keys())
            .field("backends", &self.backends.keys())
            .field("routes", &self.routes.keys())
            .field("policies", &self.policies.keys())
            .field("nodes", &self.nodes.keys())
            .field("secrets", &self.secrets.keys())
            .field("services", &self.services.keys())
            .field("endpoint_slices", &self.endpoint_slices.keys())
            .finish()
    }
}

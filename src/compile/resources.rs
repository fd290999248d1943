//! The world as written: every object that `compile` reads, by its name.

use crate::api::{
    ProxyBackend, ProxyGateway, ProxyIPPool, ProxyPolicy, ProxyRoute, ProxyVIP, ProxyVIPTemplate,
};
use crate::model::name::{Key, Name};
use k8s_openapi::api::core::v1::{Node, Secret, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Everything that users and the cluster have written. `manifests` fills it from a directory, a source of the
/// cluster from an API server. Objects carry their metadata: labels, annotations, and a `creationTimestamp`,
/// which a directory's objects have too: the moment they were first seen.
///
/// # For whoever fills it
///
/// An object that has not changed is handed on as the same `Arc` as before, so that nobody reads it again; one
/// that has changed comes as a new `Arc`, and is never altered in place. To hand on equal objects in new `Arc`s
/// is not wrong: it only costs what a change costs. A clone of the whole copies names and pointers.
#[derive(Clone, Default, PartialEq)]
pub struct Resources {
    pub pools: BTreeMap<Name, Arc<ProxyIPPool>>,
    pub vips: BTreeMap<Name, Arc<ProxyVIP>>,
    pub templates: BTreeMap<Name, Arc<ProxyVIPTemplate>>,
    pub gateways: BTreeMap<Key, Arc<ProxyGateway>>,
    pub backends: BTreeMap<Key, Arc<ProxyBackend>>,
    pub routes: BTreeMap<Key, Arc<ProxyRoute>>,
    pub policies: BTreeMap<Key, Arc<ProxyPolicy>>,
    pub nodes: BTreeMap<Name, Arc<Node>>,
    pub secrets: BTreeMap<Key, Arc<Secret>>,
    pub services: BTreeMap<Key, Arc<Service>>,
    pub endpoint_slices: BTreeMap<Key, Arc<EndpointSlice>>,
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

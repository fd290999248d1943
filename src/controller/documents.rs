//! The objects of an estate's status, each as the document that its file shows.

use crate::api::API_VERSION;
use crate::api::backend::BackendStatus;
use crate::api::gateway::GatewayStatus;
use crate::api::policy::PolicyStatus;
use crate::api::pool::PoolStatus;
use crate::api::route::RouteStatus;
use crate::api::template::TemplateStatus;
use crate::api::vip_status::VipStatus;
use crate::compile::kind::{Id, Kind};
use crate::compile::status::EstateStatus;
use crate::k8s::status::Wanted;
use crate::model::name::{Key, Name};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// An object without its spec.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document<'a> {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata<'a>,
    status: Status<'a>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Metadata<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    #[serde(skip)]
    uid: Option<&'a str>,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Status<'a> {
    Vip(&'a VipStatus),
    Gateway(&'a GatewayStatus),
    Route(&'a RouteStatus),
    Backend(&'a BackendStatus),
    Policy(&'a PolicyStatus),
    Pool(&'a PoolStatus),
    Template(&'a TemplateStatus),
}

impl Document<'_> {
    /// The object that it is about, and what its status should be.
    pub fn wanted(&self) -> Option<Wanted> {
        let Metadata { name, namespace, uid } = self.metadata;
        let kind = Kind::ALL.iter().copied().find(|kind| kind.name() == self.kind)?;
        let status = serde_json::to_value(&self.status).ok()?;
        Some(Wanted { id: Id::new(kind, namespace, name)?, uid: uid.map(str::to_owned), status })
    }
}

/// Every object of ours, by the place of its file. Names are safe there: they have no `/`, and begin and end
/// with a letter or digit.
pub fn documents(estate: &EstateStatus) -> BTreeMap<PathBuf, Document<'_>> {
    let EstateStatus {
        term: _,
        nodes: _,
        vips,
        gateways,
        routes,
        backends,
        policies,
        pools,
        templates,
        rejected: _,
    } = estate;
    let mut all = BTreeMap::new();
    all.extend(vips.iter().map(|(name, vip)| {
        let (place, mut document) = of_estate("ProxyVIP", name, Status::Vip(&vip.status));
        document.metadata.uid = vip.uid.as_deref();
        (place, document)
    }));
    all.extend(pools.iter().map(|(name, pool)| of_estate("ProxyIPPool", name, Status::Pool(pool))));
    let template = |(name, status)| of_estate("ProxyVIPTemplate", name, Status::Template(status));
    all.extend(templates.iter().map(template));
    let gateway = |(key, status)| of_namespace("ProxyGateway", key, Status::Gateway(status));
    all.extend(gateways.iter().map(gateway));
    all.extend(routes.iter().map(|(key, status)| of_namespace("ProxyRoute", key, Status::Route(status))));
    let backend = |(key, status)| of_namespace("ProxyBackend", key, Status::Backend(status));
    all.extend(backends.iter().map(backend));
    all.extend(policies.iter().map(|(key, status)| of_namespace("ProxyPolicy", key, Status::Policy(status))));
    all
}

fn of_estate<'a>(kind: &'static str, name: &'a Name, status: Status<'a>) -> (PathBuf, Document<'a>) {
    let metadata = Metadata { name: name.as_str(), namespace: None, uid: None };
    let place = PathBuf::from(kind).join(format!("{name}.yaml"));
    (place, Document { api_version: API_VERSION, kind, metadata, status })
}

fn of_namespace<'a>(kind: &'static str, key: &'a Key, status: Status<'a>) -> (PathBuf, Document<'a>) {
    let Key { namespace, name } = key;
    let metadata = Metadata { name: name.as_str(), namespace: Some(namespace.as_str()), uid: None };
    let place = PathBuf::from(kind).join(namespace.as_str()).join(format!("{name}.yaml"));
    (place, Document { api_version: API_VERSION, kind, metadata, status })
}

//! The nouns as written: what people put into manifests and `kubectl` sends to the API server.
//!
//! Every kind of the group `novaedge.io` has a file here with every field of its spec and status. The
//! types know shapes and bounds (serde, and the schema that the CRDs carry); what a value *means* is
//! `compile`'s business, which turns these types into `model`'s. An unknown field is an error, always.
//! CEL rules in the schema let the API server answer with a sentence where one object contradicts
//! itself; `compile` checks the same again, since files pass no API server.
//!
//! Called by `compile` (reads them), `manifests` and the controller's stores (fill them), and
//! by [`crds`], from which `manifests/crds/` is generated.
//!
//! | file | holds |
//! |---|---|
//! | [`pool`] | ProxyIPPool: addresses to give out |
//! | [`vip`], [`bgp`], [`ospf`], [`bfd`], [`vip_status`] | ProxyVIP: a stable address and how it reaches the world |
//! | [`template`] | ProxyVIPTemplate: what VIPs of one estate share |
//! | [`gateway`], [`listener`] | ProxyGateway: what listens on a VIP |
//! | [`backend`], [`backend_tuning`] | ProxyBackend: where requests and connections go |
//! | [`route`], [`route_filter`] | ProxyRoute: which requests go where |
//! | [`policy`], [`policy_rule`] | ProxyPolicy: who may, how often |
//! | [`duration`], [`size`], [`status_range`], [`secret`], [`reference`](mod@reference) | values that several kinds have |
//! | [`condition`] | the words of conditions |
//! | [`crd`] | the CustomResourceDefinitions of all kinds |

#![allow(clippy::duplicated_attributes, reason = "two printer columns of one type are no duplicates")]

pub mod backend;
pub mod backend_tuning;
pub mod bfd;
pub mod bgp;
pub mod condition;
pub mod crd;
pub mod duration;
pub mod gateway;
pub mod listener;
pub mod ospf;
pub mod policy;
pub mod policy_rule;
pub mod pool;
pub mod reference;
pub mod route;
pub mod route_filter;
pub mod secret;
pub mod size;
pub mod status_range;
pub mod template;
pub mod vip;
pub mod vip_status;

pub use backend::ProxyBackend;
pub use crd::crds;
pub use gateway::ProxyGateway;
pub use policy::ProxyPolicy;
pub use pool::ProxyIPPool;
pub use route::ProxyRoute;
pub use template::ProxyVIPTemplate;
pub use vip::ProxyVIP;

/// The group and version of every kind here.
pub const API_VERSION: &str = "novaedge.io/v1alpha1";

/// serde's spelling of "true unless said otherwise".
fn yes() -> bool {
    true
}

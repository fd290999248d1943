//! What is in use: the memory that the compiler is given, and that it hands back.
//!
//! It decides between equals (the one in service stays), and it is what an edit that is refused leaves in
//! place. Whoever compiles keeps it across restarts; without it, a restart in the middle of a bad edit
//! would withdraw the VIP.

use crate::api::reference::SecretKeyRef;
use crate::api::vip::VipSpec;
use crate::model::bgp::Password;
use crate::model::listener::ListenerKey;
use crate::model::name::Name;
use crate::model::vip::Addresses;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

/// Holds session passwords: kept where only the owner reads it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Accepted {
    pub vips: BTreeMap<Name, InUse>,
    /// By [`password_key`] or [`ospf_key_key`]. A deleted Secret leaves a running session alone (spec §2.4).
    pub passwords: BTreeMap<String, Password>,
    /// The numbers that nodes have in a `localASBase`.
    pub asn_indices: BTreeMap<Name, String>,
    /// The listeners of gateways that have a port, as `NAMESPACE/NAME/LISTENER`.
    pub listeners: BTreeMap<ListenerKey, Arc<BTreeSet<String>>>,
}

/// A VIP as it was last in use.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InUse {
    /// With everything that its template gave.
    pub spec: Arc<VipSpec>,
    pub addresses: Addresses,
    /// The nodes whose speaker has never taken it in.
    #[serde(default)]
    pub refused_by: BTreeSet<Name>,
}

impl InUse {
    /// Whether both say the same of the VIP, wherever it is.
    pub fn same_version(&self, other: &Self) -> bool {
        let Self { spec, addresses, refused_by: _ } = other;
        self.addresses == *addresses && (Arc::ptr_eq(&self.spec, spec) || self.spec == *spec)
    }
}

/// Specs that are one in memory are not compared.
impl PartialEq for InUse {
    fn eq(&self, other: &Self) -> bool {
        self.same_version(other) && self.refused_by == other.refused_by
    }
}

/// A session's password is remembered for the peer and the Secret that it is for.
pub fn password_key(peer: IpAddr, reference: &SecretKeyRef) -> String {
    let SecretKeyRef { name, namespace, key } = reference;
    format!("{peer} {namespace}/{name} {key}")
}

/// An OSPF key is remembered for the Secret that it is for.
pub fn ospf_key_key(reference: &SecretKeyRef) -> String {
    let SecretKeyRef { name, namespace, key } = reference;
    format!("ospf {namespace}/{name} {key}")
}

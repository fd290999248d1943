//! How objects point at each other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A cluster-scoped object by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NameRef {
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// A Secret; without a namespace, of the object's own. One of another namespace must carry the
/// annotation novaedge.io/allow-from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretRef {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The Secret's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// One key of a Secret, for objects that have no namespace of their own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretKeyRef {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The Secret's namespace.
    #[serde(default = "system_namespace")]
    pub namespace: String,
    /// The key under which the Secret holds the value.
    #[serde(default = "password_key")]
    pub key: String,
}

fn system_namespace() -> String {
    "novaedge-system".to_owned()
}

fn password_key() -> String {
    "password".to_owned()
}

//! The kinds that the world is made of, and the objects of these kinds.

use super::resources::Resources;
use crate::api::{
    ProxyBackend, ProxyGateway, ProxyIPPool, ProxyPolicy, ProxyRoute, ProxyVIP, ProxyVIPTemplate,
};
use crate::model::name::{Key, Name};
use k8s_openapi::api::core::v1::{Node, Secret, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// One line per kind: its name here, its Rust type, how a manifest names it, the map of [`Resources`]
/// that holds it, and its scope.
macro_rules! kinds {
    ($($kind:ident $type:ident $api:literal $store:ident $scope:ident;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($kind),+
        }

        /// An object that was read.
        #[derive(Clone, PartialEq)]
        pub enum Object {
            $($kind(Arc<$type>)),+
        }

        impl Kind {
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// As in a manifest.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => stringify!($type)),+
                }
            }

            /// As in a manifest.
            pub fn api_version(self) -> &'static str {
                match self {
                    $(Self::$kind => $api),+
                }
            }

            pub fn is_namespaced(self) -> bool {
                match self {
                    $(Self::$kind => matches!(Scope::$scope, Scope::Namespaced)),+
                }
            }

            /// # Errors
            /// Some value is none that its field can have; with the field's path.
            pub fn read(self, object: Value) -> Result<Object, serde_path_to_error::Error<serde_json::Error>> {
                match self {
                    $(Self::$kind => {
                        serde_path_to_error::deserialize(object).map(|object| Object::$kind(Arc::new(object)))
                    }),+
                }
            }
        }

        impl Id {
            /// Takes the object out of the world; `false`: it was not there.
            pub fn remove(&self, world: &mut Resources) -> bool {
                match self.kind {
                    $(Kind::$kind => take(&mut world.$store, self).is_some()),+
                }
            }

            pub fn is_in(&self, world: &Resources) -> bool {
                match self.kind {
                    $(Kind::$kind => find(&world.$store, self).is_some()),+
                }
            }
        }

        impl Object {
            pub fn kind(&self) -> Kind {
                match self {
                    $(Self::$kind(_) => Kind::$kind),+
                }
            }

            pub fn metadata(&self) -> &ObjectMeta {
                match self {
                    $(Self::$kind(object) => &object.metadata),+
                }
            }

            /// Of a copy, if somebody else has the object too.
            pub fn metadata_mut(&mut self) -> &mut ObjectMeta {
                match self {
                    $(Self::$kind(object) => &mut Arc::make_mut(object).metadata),+
                }
            }

            /// Puts the object into the world.
            pub fn insert(self, id: &Id, world: &mut Resources) {
                match self {
                    $(Self::$kind(object) => drop(world.$store.insert(id.into(), object))),+
                }
            }

            /// Whether the world has the same object already.
            pub fn is_in(&self, id: &Id, world: &Resources) -> bool {
                match self {
                    $(Self::$kind(object) => find(&world.$store, id) == Some(object)),+
                }
            }
        }
    };
}

kinds! {
    Pool          ProxyIPPool      "novaedge.io/v1alpha1"  pools           Cluster;
    Vip           ProxyVIP         "novaedge.io/v1alpha1"  vips            Cluster;
    Template      ProxyVIPTemplate "novaedge.io/v1alpha1"  templates       Cluster;
    Gateway       ProxyGateway     "novaedge.io/v1alpha1"  gateways        Namespaced;
    Backend       ProxyBackend     "novaedge.io/v1alpha1"  backends        Namespaced;
    Route         ProxyRoute       "novaedge.io/v1alpha1"  routes          Namespaced;
    Policy        ProxyPolicy      "novaedge.io/v1alpha1"  policies        Namespaced;
    Node          Node             "v1"                    nodes           Cluster;
    Secret        Secret           "v1"                    secrets         Namespaced;
    Service       Service          "v1"                    services        Namespaced;
    EndpointSlice EndpointSlice    "discovery.k8s.io/v1"   endpoint_slices Namespaced;
}

fn find<'a, K: Ord + for<'i> From<&'i Id>, V>(store: &'a BTreeMap<K, V>, id: &Id) -> Option<&'a V> {
    store.get(&K::from(id))
}

fn take<K: Ord + for<'i> From<&'i Id>, V>(store: &mut BTreeMap<K, V>, id: &Id) -> Option<V> {
    store.remove(&K::from(id))
}

enum Scope {
    Cluster,
    Namespaced,
}

impl Id {
    /// `None`: the name is none that an object can have.
    pub fn new(kind: Kind, namespace: Option<&str>, name: &str) -> Option<Self> {
        let namespace = Name::parse(namespace.unwrap_or("default")).ok()?;
        Some(Self { kind, namespace, name: Name::parse(name).ok()? })
    }
}

/// Without content, which may be secret.
impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().name())
    }
}

/// Which object. Prints as in every message: `ProxyVIP web`, `ProxyGateway prod/web`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    pub kind: Kind,
    /// `default` for objects of cluster scope, where nobody asks for it.
    pub namespace: Name,
    pub name: Name,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind.is_namespaced() {
            true => write!(f, "{} {}/{}", self.kind.name(), self.namespace, self.name),
            false => write!(f, "{} {}", self.kind.name(), self.name),
        }
    }
}

impl From<&Id> for Name {
    fn from(id: &Id) -> Self {
        id.name.clone()
    }
}

impl From<&Id> for Key {
    fn from(id: &Id) -> Self {
        Self::new(id.namespace.clone(), id.name.clone())
    }
}

impl Kind {
    pub fn is_ours(self) -> bool {
        self.api_version() == crate::api::API_VERSION
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;
    use crate::api::crds;

    #[test]
    fn the_table_says_what_the_crds_say() {
        for crd in crds() {
            let kind =
                Kind::ALL.iter().find(|kind| kind.name() == crd.spec.names.kind).expect("in the table");
            assert_eq!(kind.api_version(), format!("{}/{}", crd.spec.group, crd.spec.versions[0].name));
            assert_eq!(kind.is_namespaced(), crd.spec.scope == "Namespaced", "{kind:?}");
        }
        assert_eq!(Kind::ALL.iter().filter(|kind| kind.is_ours()).count(), crds().len());
    }
}

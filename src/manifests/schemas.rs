//! What an API server checks the objects of each kind against. Pure.

use crate::api::crds;
use crate::compile::kind::Kind;
use k8s_openapi::api::core::v1::{Node, Secret, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;

impl Kind {
    /// What an API server checks an object of this kind against.
    pub fn schema(self) -> &'static Value {
        static SCHEMAS: LazyLock<BTreeMap<Kind, Value>> =
            LazyLock::new(|| Kind::ALL.iter().map(|kind| (*kind, kind.derived_schema())).collect());
        &SCHEMAS[&self]
    }

    fn derived_schema(self) -> Value {
        let mut schema = match self {
            Self::Node => schema_of::<Node>(),
            Self::Secret => schema_of::<Secret>(),
            Self::Service => schema_of::<Service>(),
            Self::EndpointSlice => schema_of::<EndpointSlice>(),
            _ => self.crd_schema(),
        };
        let properties = &mut schema["properties"];
        properties["apiVersion"] = json!({ "type": "string" });
        properties["kind"] = json!({ "type": "string" });
        properties["metadata"] = schema_of::<ObjectMeta>();
        // What a cluster wrote, perhaps of a later version.
        properties["status"] = json!({ "x-kubernetes-preserve-unknown-fields": true });
        schema
    }

    fn crd_schema(self) -> Value {
        let crd = crds().into_iter().find(|crd| crd.spec.names.kind == self.name());
        let version = crd.and_then(|crd| crd.spec.versions.into_iter().next());
        let schema = version.and_then(|version| version.schema).and_then(|schema| schema.open_api_v3_schema);
        serde_json::to_value(schema.expect("every kind of ours has a CRD with a schema"))
            .expect("a schema is JSON")
    }
}

fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::openapi3().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn every_kind_has_a_schema_without_references() {
        for kind in Kind::ALL {
            let schema = kind.schema();
            assert!(schema["properties"]["metadata"]["properties"]["labels"].is_object(), "{kind:?}");
            assert!(!schema.to_string().contains("$ref"), "{kind:?}");
        }
    }
}

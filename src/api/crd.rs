//! The CustomResourceDefinitions of all kinds, as `kubectl apply` takes them.

use super::{ProxyBackend, ProxyGateway, ProxyIPPool, ProxyPolicy, ProxyRoute, ProxyVIP, ProxyVIPTemplate};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;
use serde_json::Value;

/// All kinds, in the order in which a reader meets them.
pub fn crds() -> Vec<CustomResourceDefinition> {
    let derived = [
        ProxyIPPool::crd(),
        ProxyVIP::crd(),
        ProxyVIPTemplate::crd(),
        ProxyGateway::crd(),
        ProxyBackend::crd(),
        ProxyRoute::crd(),
        ProxyPolicy::crd(),
    ];
    derived.into_iter().map(tidied).collect()
}

/// The definition as a file of `manifests/crds/` has it.
pub fn yaml(crd: &CustomResourceDefinition) -> String {
    let mut value = serde_json::to_value(crd).expect("a definition is JSON");
    whole_numbers(&mut value);
    let body = serde_saphyr::to_string(&value).expect("JSON is YAML");
    format!("# Generated from src/api/ by `make crds`.\n{body}")
}

/// Bounds are floating point in the schema's types; people write 1, not 1.0.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            // Casting saturates; what does not come back the same stays as it is.
            let whole = number.as_f64().map(|float| (float, float as i64));
            if let Some((_, whole)) =
                whole.filter(|(float, whole)| number.is_f64() && *whole as f64 == *float)
            {
                *value = whole.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// What the derives leave behind and an API server has no use for is taken out of the schema.
fn tidied(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    for version in &mut crd.spec.versions {
        let schema = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut());
        if let Some(schema) = schema {
            tidy(schema);
        }
    }
    crd
}

/// * Formats that Kubernetes does not know (`uint16`), about which it warns on every apply; bounds say
///   the same.
/// * `nullable`: an explicit null is no way to leave a field out.
/// * The line breaks of our source in descriptions; `kubectl explain` breaks lines itself.
fn tidy(schema: &mut JSONSchemaProps) {
    match schema.format.as_deref() {
        Some("uint32") => {
            schema.maximum.get_or_insert(f64::from(u32::MAX));
            schema.format = None;
        }
        Some("uint8" | "uint16") => schema.format = None,
        _ => {}
    }
    schema.nullable = None;
    schema.enum_.iter_mut().for_each(|values| values.retain(|value| !value.0.is_null()));
    schema.description = schema.description.take().map(|text| unwrapped(&text));
    for property in schema.properties.iter_mut().flat_map(|properties| properties.values_mut()) {
        tidy(property);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        tidy(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        tidy(values);
    }
}

/// Paragraphs on one line each.
fn unwrapped(text: &str) -> String {
    let paragraphs: Vec<String> = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
    paragraphs.join("\n\n")
}

//! `manifests/crds/` is what `src/api` says, and what an API server accepts.

use novaedge::api::{crd, crds};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("manifests/crds")
}

fn generated() -> BTreeMap<String, String> {
    crds().iter().map(|crd| (format!("{}.yaml", crd.spec.names.plural), crd::yaml(crd))).collect()
}

#[test]
fn the_files_are_what_the_types_say() {
    let generated = generated();
    let entries = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path());
    let files: BTreeMap<String, String> = entries
        .map(|path| {
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap())
        })
        .collect();
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&files), names(&generated));
    for (name, text) in generated {
        assert!(files[&name] == text, "manifests/crds/{name} is not what src/api says; run `make crds`");
    }
}

/// Kubernetes: "Specifying a structural schema". An API server refuses a definition that breaks this.
#[test]
fn the_schemas_are_structural() {
    for crd in crds() {
        let schema = crd.spec.versions[0].schema.clone().unwrap().open_api_v3_schema.unwrap();
        let schema = serde_json::to_value(schema).unwrap();
        structural(&schema, &crd.spec.names.kind);
    }
}

fn structural(schema: &Value, path: &str) {
    let has = |name: &str| schema.get(name).is_some();
    let flag = |name: &str| schema.get(name) == Some(&Value::Bool(true));
    assert!(
        has("type") ^ (flag("x-kubernetes-int-or-string") || flag("x-kubernetes-preserve-unknown-fields")),
        "{path} has one type"
    );
    for word in ["$ref", "oneOf", "anyOf", "allOf", "nullable", "uniqueItems", "definitions"] {
        assert!(!has(word), "{path} has {word}");
    }
    assert!(!(has("properties") && has("additionalProperties")), "{path} has named fields or any");
    assert!(schema["format"].as_str().is_none_or(|format| !format.starts_with("uint")), "{path}");
    let words = schema["description"].as_str();
    assert!(path.ends_with("[]") || words.is_some_and(|words| !words.is_empty()), "{path} says what it is");
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        structural(property, &format!("{path}.{name}"));
    }
    if let Some(items) = schema.get("items") {
        structural(items, &format!("{path}[]"));
        keys_are_there(schema, items, path);
    }
}

/// The keys of a list that is a map are required, or have a default.
fn keys_are_there(list: &Value, items: &Value, path: &str) {
    for key in list["x-kubernetes-list-map-keys"].as_array().into_iter().flatten() {
        let name = key.as_str().unwrap();
        let required = items["required"].as_array().is_some_and(|required| required.contains(key));
        assert!(required || items["properties"][name].get("default").is_some(), "{path} needs {name}");
    }
}

/// An API server refuses a definition whose rules name fields that are not there.
#[test]
fn rules_speak_of_fields_that_exist_and_say_what_to_change() {
    let mut rules = 0;
    for crd in crds() {
        let schema = crd.spec.versions[0].schema.clone().unwrap().open_api_v3_schema.unwrap();
        walk(&serde_json::to_value(schema).unwrap(), &mut |schema| {
            for validation in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
                let rule = validation["rule"].as_str().unwrap();
                assert!(validation["message"].as_str().is_some_and(|message| message.len() > 10), "{rule}");
                fields_of(rule).iter().for_each(|field| assert!(exists(schema, field), "{rule}: {field:?}"));
                rules += 1;
            }
        });
    }
    assert!(rules > 50, "the walk sees the rules: {rules}");
}

fn walk(schema: &Value, visit: &mut impl FnMut(&Value)) {
    visit(schema);
    schema["properties"].as_object().into_iter().flatten().for_each(|(_, property)| walk(property, visit));
    schema.get("items").into_iter().for_each(|items| walk(items, visit));
}

/// `self.tls.mode == 'x' && self.name.startsWith('/')` speaks of `tls.mode` and `name`.
fn fields_of(rule: &str) -> Vec<Vec<&str>> {
    let chains = rule.split("self.").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '.').unwrap_or(rest.len());
        let mut names: Vec<&str> = rest[..end].split('.').collect();
        if rest[end..].starts_with('(') {
            names.pop();
        }
        names
    });
    chains.collect()
}

fn exists(schema: &Value, field: &[&str]) -> bool {
    field.iter().try_fold(schema, |schema, name| schema["properties"].get(*name)).is_some()
}

#[test]
fn kinds_and_columns_are_those_that_operators_know() {
    let said: Vec<String> = crds()
        .iter()
        .map(|crd| {
            let names = &crd.spec.names;
            let version = &crd.spec.versions[0];
            let columns =
                version.additional_printer_columns.iter().flatten().map(|column| column.name.as_str());
            let columns: Vec<&str> = columns.collect();
            assert!(version.subresources.as_ref().unwrap().status.is_some());
            format!(
                "{} {} {}: {}",
                names.kind,
                names.short_names.clone().unwrap().join(" "),
                crd.spec.scope,
                columns.join(", ")
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            "ProxyIPPool pip Cluster: Total, Allocated, Available, Auto-Assign, Age",
            "ProxyVIP pvip Cluster: Address, Mode, Active Node, Announcing, Healthy, BFD, Ready, Age",
            "ProxyVIPTemplate pvt Cluster: Mode, Pool, Age",
            "ProxyGateway pgw Namespaced: VIP, Address, Accepted, Age",
            "ProxyBackend pbk Namespaced: Service, LB Policy, Healthy, Age",
            "ProxyRoute prt Namespaced: Hostnames, Age",
            "ProxyPolicy ppol Namespaced: Type, Target Kind, Target, Accepted, Age",
        ]
    );
}

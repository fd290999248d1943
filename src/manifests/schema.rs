//! A document against its kind's schema: the same one that an API server applies, so that a directory
//! refuses what a cluster refuses. All faults at once, each with its path and line. Pure.
//!
//! Patterns and CEL rules are left to `compile`, which has better words for them.

use super::fields::{field_path, item_path};
use super::tree::{Field, Node, Position, Tree};
use crate::api::condition::Reason;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// A place in a document where it breaks its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub path: String,
    pub at: Position,
    pub reason: Reason,
    pub message: String,
}

/// Everything in `node` that `schema` does not allow. `path` is where `node` stands in its object.
pub fn faults(schema: &Value, node: &Node, path: &str) -> Vec<Fault> {
    let mut check = Check { faults: Vec::new() };
    check.value(schema, node, path);
    check.faults
}

struct Check {
    faults: Vec<Fault>,
}

impl Check {
    fn fault(&mut self, reason: Reason, path: &str, at: Position, message: String) {
        self.faults.push(Fault { path: path.to_owned(), at, reason, message });
    }

    fn value(&mut self, schema: &Value, node: &Node, path: &str) {
        match &node.tree {
            _ if schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true)) => {}
            Tree::Scalar(Value::Null) => {}
            Tree::Map(fields) if expects(schema, "object") => self.map(schema, node.at, fields, path),
            Tree::List(items) if expects(schema, "array") => self.list(schema, node.at, items, path),
            Tree::Scalar(value) if suits(schema, value) => self.scalar(schema, value, node.at, path),
            tree => {
                let message = format!("expected {}, not {}", wanted(schema), found(tree));
                self.fault(Reason::InvalidValue, path, node.at, message);
            }
        }
    }

    fn map(&mut self, schema: &Value, at: Position, fields: &[Field], path: &str) {
        let none = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let others = schema.get("additionalProperties").filter(|others| others.is_object());
        let open = properties.is_empty() && others.is_none();
        for field in fields {
            let path = field_path(path, &field.name);
            match (properties.get(&field.name).or(others), open) {
                (Some(schema), _) => self.value(schema, &field.value, &path),
                (None, true) => {}
                (None, false) => {
                    let message = unknown(&field.name, properties.keys().map(String::as_str));
                    self.fault(Reason::UnknownField, &path, field.at, message);
                }
            }
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        for name in required.filter_map(Value::as_str) {
            let given = fields.iter().find(|field| field.name == name);
            if given.is_none_or(|field| field.value.tree == Tree::Scalar(Value::Null)) {
                let message = format!("{name} is required");
                self.fault(
                    Reason::Missing,
                    &field_path(path, name),
                    given.map_or(at, |field| field.at),
                    message,
                );
            }
        }
    }

    fn list(&mut self, schema: &Value, at: Position, items: &[Node], path: &str) {
        let count = items.len() as u64;
        if let Some(least) = bound(schema, "minItems").filter(|least| count < *least) {
            self.fault(Reason::InvalidValue, path, at, format!("needs at least {least} of them"));
        }
        if let Some(most) = bound(schema, "maxItems").filter(|most| count > *most) {
            self.fault(Reason::InvalidValue, path, at, format!("has {count} items, and may have {most}"));
        }
        let mut seen = HashSet::new();
        for (index, item) in items.iter().enumerate() {
            let path = item_path(path, index);
            if let Some(identity) = identity(schema, item)
                && !seen.insert(identity.clone())
            {
                self.fault(Reason::InvalidValue, &path, item.at, format!("{identity} is there twice"));
            }
            if let Some(schema) = schema.get("items") {
                self.value(schema, item, &path);
            }
        }
    }

    fn scalar(&mut self, schema: &Value, value: &Value, at: Position, path: &str) {
        if let Some(words) =
            schema.get("enum").and_then(Value::as_array).filter(|words| !words.contains(value))
        {
            let words: Vec<String> = words.iter().map(shown).collect();
            let mut message = format!("{} is none of {}", shown(value), words.join(", "));
            if let Some(near) = nearest(&shown(value), words.iter().map(String::as_str)) {
                message.push_str(&format!("; did you mean {near}?"));
            }
            self.fault(Reason::InvalidValue, path, at, message);
        }
        if let Some(message) = out_of_range(schema, value) {
            self.fault(Reason::InvalidValue, path, at, message);
        }
    }
}

/// What makes an item of a set, or of a list with keys, the same as another.
fn identity(schema: &Value, item: &Node) -> Option<String> {
    match schema.get("x-kubernetes-list-type")?.as_str()? {
        "set" => Some(shown(&item.to_json())),
        "map" => {
            let keys = schema.get("x-kubernetes-list-map-keys")?.as_array()?;
            let values = keys.iter().filter_map(Value::as_str).filter_map(|key| item.get(key));
            let values: Vec<String> = values.map(|field| shown(&field.value.to_json())).collect();
            (!values.is_empty()).then(|| values.join(", "))
        }
        _ => None,
    }
}

fn is_int_or_string(schema: &Value) -> bool {
    schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true))
}

fn expects(schema: &Value, kind: &str) -> bool {
    !is_int_or_string(schema)
        && schema.get("type").and_then(Value::as_str).is_none_or(|wanted| wanted == kind)
}

/// Whether a scalar has the type that the schema asks for.
fn suits(schema: &Value, value: &Value) -> bool {
    if is_int_or_string(schema) {
        return value.is_i64() || value.is_u64() || value.is_string();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some(_) => false,
        None => true,
    }
}

fn out_of_range(schema: &Value, value: &Value) -> Option<String> {
    if let Some(text) = value.as_str() {
        let length = text.chars().count() as u64;
        return match (bound(schema, "minLength"), bound(schema, "maxLength")) {
            (Some(1), _) if length == 0 => Some("must not be empty".to_owned()),
            (Some(least), _) if length < least => Some(format!("is too short; at least {least} characters")),
            (_, Some(most)) if length > most => Some(format!("is too long; at most {most} characters")),
            _ => None,
        };
    }
    let number = value.as_f64()?;
    let least = schema.get("minimum").and_then(Value::as_f64);
    let most = schema.get("maximum").and_then(Value::as_f64);
    match (least, most) {
        (Some(least), Some(most)) if number < least || number > most => {
            Some(format!("{value} is out of range; write {least} to {most}"))
        }
        (Some(least), None) if number < least => Some(format!("{value} is too small; at least {least}")),
        (None, Some(most)) if number > most => Some(format!("{value} is too large; at most {most}")),
        _ => None,
    }
}

fn bound(schema: &Value, name: &str) -> Option<u64> {
    schema.get(name).and_then(Value::as_u64)
}

fn wanted(schema: &Value) -> &'static str {
    if is_int_or_string(schema) {
        return "a number or a text";
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => "a block of fields",
        Some("array") => "a list",
        Some("string") => "a text",
        Some("boolean") => "true or false",
        Some("integer") => "a whole number",
        Some("number") => "a number",
        _ => "another value",
    }
}

fn found(tree: &Tree) -> String {
    match tree {
        Tree::Map(_) => "a block of fields".to_owned(),
        Tree::List(_) => "a list".to_owned(),
        Tree::Scalar(Value::String(text)) => format!("the text {text:?}"),
        Tree::Scalar(value) => format!("{value} (put it in quotes to make it a text)"),
    }
}

/// As it is written in a manifest, without needless quotes.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// "unknown field", with the name that was probably meant, or all that there are.
fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(name, known.clone()) {
        Some(near) => format!("unknown field; did you mean `{near}`?"),
        None => format!("unknown field; known here: {}", known.collect::<Vec<_>>().join(", ")),
    }
}

/// The known word that looks most like `word`, if any looks like it at all.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |other: &str| strsim::jaro_winkler(&word.to_lowercase(), &other.to_lowercase());
    known
        .map(|other| (likeness(other), other))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, other)| other)
}

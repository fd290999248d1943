//! One document → one object, or what is wrong with it. Pure.

use super::fields::{Fields, field_path, item_path};
use super::schema::{Fault, faults, nearest};
use super::tree::{Node, Position, Tree, Unreadable, parse};
use crate::api::condition::Reason;
use crate::compile::kind::{Id, Kind, Object};
use crate::model::name::Name;
use serde_json::Value;
use std::sync::Arc;

/// An object, where it stands, and where each of its fields stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    pub id: Id,
    pub object: Object,
    pub fields: Fields,
}

/// What a document turned out to be. All positions count from the document's first line.
#[derive(Debug, Clone, PartialEq)]
pub enum Document {
    Good(Arc<Manifest>),
    Unreadable(Unreadable),
    /// `id`: as far as it can be told.
    Bad {
        id: Option<Id>,
        faults: Vec<Fault>,
    },
    /// An object that NovaEdge has no use for, as `KIND NAME`.
    Foreign {
        at: Position,
        object: String,
    },
}

/// Reads the text of one document. An empty one is none, a `List` as many as it has items.
pub fn read(text: &str) -> Vec<Document> {
    match parse(text) {
        None => Vec::new(),
        Some(Ok(node)) => documents(&node),
        Some(Err(unreadable)) => vec![Document::Unreadable(unreadable)],
    }
}

fn documents(node: &Node) -> Vec<Document> {
    let text = |name| node.get(name).and_then(|field| field.value.as_text());
    match (text("apiVersion"), text("kind"), node.get("items").map(|items| &items.value.tree)) {
        (Some("v1"), Some("List"), Some(Tree::List(items))) => items.iter().flat_map(documents).collect(),
        (Some(api_version), Some(name), _) => match recognized(api_version, name) {
            Ok(Some(kind)) => vec![manifest(kind, node)],
            Ok(None) => vec![foreign(name, node)],
            Err(message) => vec![bad(None, fault(node, "apiVersion", Reason::UnknownKind, message))],
        },
        (None, ..) => vec![bad(None, missing(node, "apiVersion"))],
        (_, None, _) => vec![bad(None, missing(node, "kind"))],
    }
}

/// Which kind this is; `None`: somebody else's.
fn recognized(api_version: &str, name: &str) -> Result<Option<Kind>, String> {
    let group = |api_version: &str| api_version.split_once('/').map_or("", |(group, _)| group).to_owned();
    let ours = group(crate::api::API_VERSION);
    let same_name = Kind::ALL.iter().copied().find(|kind| kind.name() == name);
    match same_name {
        Some(kind) if kind.api_version() == api_version => Ok(Some(kind)),
        Some(kind) if kind.is_ours() || group(kind.api_version()) == group(api_version) => Err(format!(
            "{name} of {api_version} is not known to this version; write apiVersion: {}",
            kind.api_version()
        )),
        None if group(api_version) == ours => {
            let kinds = Kind::ALL.iter().filter(|kind| kind.is_ours()).map(|kind| kind.name());
            let remedy = match nearest(name, kinds.clone()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("known kinds: {}", kinds.collect::<Vec<_>>().join(", ")),
            };
            Err(format!("{ours} has no kind {name}; {remedy}"))
        }
        Some(_) | None => Ok(None),
    }
}

fn manifest(kind: Kind, node: &Node) -> Document {
    let id = match identified(kind, node) {
        Ok(id) => id,
        Err(fault) => return bad(None, fault),
    };
    let mut found = faults(kind.schema(), node, "");
    if kind.is_ours()
        && let Some(spec) = node.get("spec")
    {
        nulls(&spec.value, "spec", &mut found);
    }
    let fields = Fields::of(node);
    for fault in found.iter_mut().filter(|fault| fault.reason == Reason::Missing) {
        fault.at = fields.find(&fault.path);
    }
    if !found.is_empty() {
        return Document::Bad { id: Some(id), faults: found };
    }
    match kind.read(node.to_json()) {
        Ok(object) => {
            let mut manifest = Manifest { id, object, fields };
            manifest.complete();
            Document::Good(Arc::new(manifest))
        }
        Err(error) => {
            let path = error.path().to_string();
            let at = fields.find(&path);
            let fault =
                Fault { path, at, reason: Reason::InvalidValue, message: error.into_inner().to_string() };
            bad(Some(id), fault)
        }
    }
}

impl Manifest {
    /// What an API server fills in when it stores an object.
    fn complete(&mut self) {
        if self.id.kind.is_namespaced() {
            self.object.metadata_mut().namespace = Some(self.id.namespace.to_string());
        }
        if let Object::Secret(secret) = &mut self.object {
            let secret = Arc::make_mut(secret);
            let texts = secret.string_data.take().unwrap_or_default();
            let bytes =
                texts.into_iter().map(|(key, text)| (key, k8s_openapi::ByteString(text.into_bytes())));
            secret.data.get_or_insert_default().extend(bytes);
        }
    }
}

fn identified(kind: Kind, node: &Node) -> Result<Id, Fault> {
    let name = name_field(node, "name").unwrap_or_else(|| Err(missing(node, "metadata.name")))?;
    let given = if kind.is_namespaced() { name_field(node, "namespace") } else { None };
    let default = || Ok(Name::parse("default").expect("the word is a name"));
    Ok(Id { kind, namespace: given.unwrap_or_else(default)?, name })
}

fn name_field(node: &Node, name: &str) -> Option<Result<Name, Fault>> {
    let field = node.get("metadata")?.value.get(name)?;
    let parsed = Name::parse(field.value.as_text().unwrap_or_default());
    Some(parsed.map_err(|invalid| Fault {
        path: field_path("metadata", name),
        at: field.at,
        reason: Reason::InvalidValue,
        message: invalid.to_string(),
    }))
}

/// An explicit null is no way to leave a field out: whoever wrote `address:` meant to write more.
fn nulls(node: &Node, path: &str, faults: &mut Vec<Fault>) {
    match &node.tree {
        Tree::Scalar(Value::Null) => faults.push(Fault {
            path: path.to_owned(),
            at: node.at,
            reason: Reason::Missing,
            message: "has no value; write one, or leave the field out".to_owned(),
        }),
        Tree::Scalar(_) => {}
        Tree::List(items) => {
            for (index, item) in items.iter().enumerate() {
                nulls(item, &item_path(path, index), faults);
            }
        }
        Tree::Map(fields) => {
            for field in fields {
                nulls(&field.value, &field_path(path, &field.name), faults);
            }
        }
    }
}

fn foreign(kind: &str, node: &Node) -> Document {
    let name = node.get("metadata").and_then(|metadata| metadata.value.get("name"));
    let name = name.and_then(|field| field.value.as_text()).unwrap_or("without a name");
    Document::Foreign { at: node.at, object: format!("{kind} {name}") }
}

fn bad(id: Option<Id>, fault: Fault) -> Document {
    Document::Bad { id, faults: vec![fault] }
}

fn missing(node: &Node, path: &str) -> Fault {
    fault(node, path, Reason::Missing, format!("{path} is required"))
}

fn fault(node: &Node, path: &str, reason: Reason, message: String) -> Fault {
    Fault { path: path.to_owned(), at: Fields::of(node).find(path), reason, message }
}

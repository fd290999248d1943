//! An object of the server → an object of the world. Pure.

use super::board::Known;
use crate::api::condition::Reason;
use crate::compile::kind::{Id, Kind, Object};
use crate::model::status::Rejected;
use kube::core::DynamicObject;
use serde_json::{Map, Value};

/// The annotation in which kubectl keeps all of an object again, Secrets included.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An object as it came.
#[derive(Debug)]
pub struct Read {
    pub id: Id,
    pub known: Known,
    pub object: Result<Object, Rejected>,
}

/// `None`: no object can have this name, so it is none of ours.
pub fn id(kind: Kind, object: &DynamicObject) -> Option<Id> {
    Id::new(kind, object.metadata.namespace.as_deref(), object.metadata.name.as_deref()?)
}

/// Reads an object, without what is the server's bookkeeping.
pub fn read(kind: Kind, object: DynamicObject) -> Option<Read> {
    let id = id(kind, &object)?;
    let DynamicObject { types: _, mut metadata, mut data } = object;
    let known = Known {
        uid: metadata.uid.clone().unwrap_or_default(),
        resource_version: metadata.resource_version.take().unwrap_or_default(),
        status: status(kind, &mut data),
    };
    metadata.managed_fields = None;
    if let Some(annotations) = &mut metadata.annotations {
        annotations.remove(LAST_APPLIED);
    }
    let mut whole = match data {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    whole.insert("apiVersion".to_owned(), kind.api_version().into());
    whole.insert("kind".to_owned(), kind.name().into());
    whole.insert("metadata".to_owned(), serde_json::to_value(metadata).unwrap_or_default());
    let object = kind.read(Value::Object(whole)).map_err(|error| unreadable(&id, &error));
    Some(Read { id, known, object })
}

/// Takes out the status of kinds where we write it; leaves of a node's what a compiler reads.
fn status(kind: Kind, data: &mut Value) -> Value {
    let Value::Object(fields) = data else { return Value::Null };
    if kind.is_ours() || kind == Kind::Service {
        return fields.remove("status").unwrap_or_default();
    }
    if let Some(Value::Object(status)) = fields.get_mut("status").filter(|_| kind == Kind::Node) {
        status.retain(|field, _| matches!(field.as_str(), "addresses" | "conditions"));
        let conditions = status.get_mut("conditions").and_then(Value::as_array_mut);
        for condition in conditions.into_iter().flatten().filter_map(Value::as_object_mut) {
            condition.retain(|field, _| matches!(field.as_str(), "type" | "status"));
        }
    }
    Value::Null
}

/// A CRD of another version lets through what this one cannot read.
fn unreadable(id: &Id, error: &serde_path_to_error::Error<serde_json::Error>) -> Rejected {
    let field = error.path().to_string();
    Rejected {
        object: id.to_string(),
        field: if field == "." { String::new() } else { field },
        reason: Reason::InvalidValue.to_string(),
        message: format!("{}; are the CRDs those of this version?", error.inner()),
        place: None,
        notice: false,
    }
}

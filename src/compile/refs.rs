//! Who may refer to whom across namespaces (spec §2.13).

use crate::model::name::{InvalidName, Key, Name};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// On the target: the namespaces that may refer to it, separated by commas.
pub const ALLOW_FROM: &str = "novaedge.io/allow-from";

/// The object that `name` means when it is written in an object of `own` namespace.
pub fn key(own: &Name, namespace: Option<&String>, name: &str) -> Result<Key, InvalidName> {
    let namespace = namespace.map_or(Ok(own.clone()), Name::parse)?;
    Ok(Key::new(namespace, Name::parse(name)?))
}

/// # Errors
/// The sentence that says what to annotate.
pub fn permitted(kind: &str, target: &Key, metadata: &ObjectMeta, from: &Name) -> Result<(), String> {
    let annotation = metadata.annotations.iter().flatten().find(|(key, _)| *key == ALLOW_FROM);
    let allowed = annotation.is_some_and(|(_, list)| list.split(',').any(|one| one.trim() == from.as_str()));
    if target.namespace == *from || allowed {
        return Ok(());
    }
    Err(format!(
        "{kind} {target} may not be used from namespace {from}; annotate it with {ALLOW_FROM}: {from}"
    ))
}

//! All files of a directory → the world, and what is wrong with it. Pure: what was loaded before is an
//! argument, and so is the time.
//!
//! What was good stays: while any document of a file is broken, objects that the file had before and
//! shows no longer, or shows broken, are kept as they last were. An object that two files define is
//! taken from the one that it is served from already.

use super::fields::Fields;
use super::kind::Id;
use super::manifest::{Document, Manifest, read};
use super::schema::Fault;
use super::tree::{Position, documents};
use crate::api::condition::Reason;
use crate::compile::resources::Resources;
use crate::model::status::Rejected;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{Timestamp, ToSpan};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a look into the directory found: each file's text, or why it could not be read.
pub type Texts = BTreeMap<String, Result<String, String>>;

/// The objects of a file.
type Objects = BTreeMap<Id, Arc<Manifest>>;

/// A directory as it was read.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    pub resources: Resources,
    /// What is not used, with its place and what to change.
    pub problems: Vec<Rejected>,
    /// Objects of other systems, which are left alone.
    pub ignored: Vec<Ignored>,
    files: BTreeMap<String, Objects>,
    served: BTreeMap<Id, Served>,
    newest: Option<Timestamp>,
}

/// An object that NovaEdge has no use for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// `KIND NAME`.
    pub object: String,
    /// `FILE:LINE`.
    pub place: String,
}

/// Where an object of the world comes from.
#[derive(Debug, Clone)]
struct Served {
    file: String,
    fields: Fields,
    first_seen: Timestamp,
}

impl Loaded {
    /// How many objects the world has.
    pub fn len(&self) -> usize {
        self.served.len()
    }

    pub fn is_empty(&self) -> bool {
        self.served.is_empty()
    }

    /// `FILE:LINE` of an object's field, or of the nearest block around it. `object` as it prints:
    /// `ProxyVIP web`.
    pub fn place(&self, object: &str, field: &str) -> Option<String> {
        let (_, served) = self.served.iter().find(|(id, _)| id.to_string() == object)?;
        Some(format!("{}:{}", served.file, served.fields.find(field).line))
    }
}

/// Reads all files anew. `now` becomes the creation time of objects that were not there before, unless
/// they bring one.
pub fn load(texts: &Texts, previous: &Loaded, now: Timestamp) -> Loaded {
    let mut loaded = Loaded { newest: previous.newest, ..Loaded::default() };
    for (file, text) in texts {
        let before = previous.files.get(file);
        let objects = loaded.file(file, text, before);
        loaded.files.insert(file.clone(), objects);
    }
    loaded.settle(previous, now);
    loaded.problems.sort();
    loaded
}

impl Loaded {
    /// The objects of one file, those that it had `before` included while a part of it is broken.
    fn file(&mut self, file: &str, text: &Result<String, String>, before: Option<&Objects>) -> Objects {
        let text = match text {
            Ok(text) => text,
            Err(error) => {
                let at = Position { line: 1, column: 1 };
                self.problem(file, at, (file, ""), Reason::Unreadable, kept(error, before.is_some()));
                return before.cloned().unwrap_or_default();
            }
        };
        let mut objects = Objects::new();
        let mut broken = false;
        for document in documents(text) {
            match document {
                Ok(node) => {
                    for document in read(&node) {
                        broken |= matches!(document, Document::Bad { .. });
                        self.document(file, document, before, &mut objects);
                    }
                }
                Err(unreadable) => {
                    broken = true;
                    let message = kept(&unreadable.message, before.is_some());
                    self.problem(file, unreadable.at, (file, ""), Reason::Unreadable, message);
                }
            }
        }
        for (id, manifest) in before.filter(|_| broken).into_iter().flatten() {
            objects.entry(id.clone()).or_insert_with(|| Arc::clone(manifest));
        }
        objects
    }

    fn document(&mut self, file: &str, document: Document, before: Option<&Objects>, objects: &mut Objects) {
        match document {
            Document::Good(manifest) => {
                if let Some(first) = objects.get(&manifest.id) {
                    let line = first.fields.find("").line;
                    self.twice(file, &manifest, &format!("{file}:{line}"));
                } else {
                    objects.insert(manifest.id.clone(), Arc::from(manifest));
                }
            }
            Document::Bad { id, faults } => {
                let stays =
                    id.as_ref().is_some_and(|id| before.is_some_and(|before| before.contains_key(id)));
                let object = id.map_or_else(|| file.to_owned(), |id| id.to_string());
                for Fault { path, at, reason, message } in faults {
                    self.problem(file, at, (&object, &path), reason, kept(&message, stays));
                }
            }
            Document::Foreign { at, object } => {
                self.ignored.push(Ignored { object, place: format!("{file}:{}", at.line) });
            }
        }
    }

    /// Fills the world: of each object one, from the file that it was served from before.
    fn settle(&mut self, previous: &Self, now: Timestamp) {
        let stamp = previous
            .newest
            .map_or(now, |newest| now.max(newest.saturating_add(1.nanosecond()).unwrap_or(newest)));
        let mut places: BTreeMap<Id, Vec<(String, Arc<Manifest>)>> = BTreeMap::new();
        for (file, objects) in &self.files {
            for (id, manifest) in objects {
                places.entry(id.clone()).or_default().push((file.clone(), Arc::clone(manifest)));
            }
        }
        for (id, mut candidates) in places {
            let before = previous.served.get(&id);
            let winner =
                candidates.iter().position(|(file, _)| before.is_some_and(|before| before.file == *file));
            let (file, manifest) = candidates.remove(winner.unwrap_or(0));
            for (other, duplicate) in candidates {
                self.twice(&other, &duplicate, &format!("{file}:{}", manifest.fields.find("").line));
            }
            let first_seen = before.map_or(stamp, |before| before.first_seen);
            self.newest = self.newest.max(Some(first_seen));
            let mut object = manifest.object.clone();
            object.metadata_mut().creation_timestamp.get_or_insert(Time(first_seen));
            object.insert(&id, &mut self.resources);
            self.served.insert(id, Served { file, fields: manifest.fields.clone(), first_seen });
        }
    }

    fn twice(&mut self, file: &str, duplicate: &Manifest, first: &str) {
        let message = format!("is also in {first}, and that one is used; remove or rename one of the two");
        let at = duplicate.fields.find("metadata.name");
        let object = duplicate.id.to_string();
        self.problem(file, at, (&object, "metadata.name"), Reason::Duplicate, message);
    }

    fn problem(&mut self, file: &str, at: Position, what: (&str, &str), reason: Reason, message: String) {
        let (object, field) = what;
        self.problems.push(Rejected {
            object: object.to_owned(),
            field: field.to_owned(),
            reason: reason.to_string(),
            message,
            place: Some(format!("{file}:{}:{}", at.line, at.column)),
            notice: false,
        });
    }
}

fn kept(message: &str, stays: bool) -> String {
    if stays { format!("{message} (what was read before stays in use)") } else { message.to_owned() }
}

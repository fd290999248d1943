//! All files of a directory → the world, and what is wrong with it. Pure: what was loaded before is an
//! argument, and so is the time.
//!
//! What was good stays: while any document of a file is broken, objects that the file had before and
//! shows no longer, or shows broken, are kept as they last were. An object that two files define is
//! taken from the one that it is served from already.
//!
//! Documents whose text was there before are not read again, so that one more VIP beside a thousand
//! costs what one costs.

use super::manifest::{Document, Manifest, read};
use super::schema::Fault;
use super::tree::{Position, documents};
use crate::api::condition::Reason;
use crate::compile::kind::{Id, Object};
use crate::compile::resources::Resources;
use crate::model::status::Rejected;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{Timestamp, ToSpan};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What a look into the directory found: each file's text, or why it could not be read.
pub type Texts = BTreeMap<String, Result<String, String>>;

/// A directory as it was read.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    pub resources: Resources,
    /// What is not used, with its place and what to change.
    pub problems: Vec<Rejected>,
    /// Objects of other systems, which are left alone.
    pub ignored: Vec<Ignored>,
    pub(super) is_elsewhere: bool,
    files: BTreeMap<String, Objects>,
    served: BTreeMap<Id, Served>,
    read: HashMap<Arc<str>, Arc<[Document]>>,
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

/// The objects of a file.
type Objects = BTreeMap<Id, Standing>;

/// A manifest, and how many lines of its file are above its document.
#[derive(Debug, Clone)]
struct Standing {
    above: u32,
    manifest: Arc<Manifest>,
}

impl Standing {
    fn line(&self, field: &str) -> u32 {
        self.above + self.manifest.fields.find(field).line
    }
}

/// Where an object of the world comes from.
#[derive(Debug, Clone)]
struct Served {
    file: String,
    standing: Standing,
    first_seen: Timestamp,
    /// With its time of creation.
    object: Object,
}

impl Loaded {
    /// A world that stands in no files; each of its problems is about an object that is known by name.
    pub fn elsewhere(resources: Resources, problems: Vec<Rejected>) -> Self {
        Self { resources, problems, is_elsewhere: true, ..Self::default() }
    }

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
        let (_, Served { file, standing, .. }) =
            self.served.iter().find(|(id, _)| id.to_string() == object)?;
        Some(format!("{file}:{}", standing.line(field)))
    }

    /// Whether everything of `previous` is still there and nothing new is wrong.
    pub fn only_adds_to(&self, previous: &Self) -> bool {
        previous.served.keys().all(|id| self.served.contains_key(id))
            && self.problems.iter().all(|problem| previous.problems.contains(problem))
    }
}

/// Reads all files anew. `now` becomes the creation time of objects that were not there before, unless
/// they bring one.
pub fn load(texts: &Texts, previous: &Loaded, now: Timestamp) -> Loaded {
    let mut loaded = Loaded { newest: previous.newest, ..Loaded::default() };
    for (file, text) in texts {
        let objects = match text {
            Ok(text) => loaded.file(file, text, previous),
            Err(error) => loaded.unreadable(file, error, previous),
        };
        loaded.files.insert(file.clone(), objects);
    }
    loaded.settle(previous, now);
    loaded.problems.sort();
    loaded
}

impl Loaded {
    fn unreadable(&mut self, file: &str, error: &str, previous: &Self) -> Objects {
        let before = previous.files.get(file).cloned();
        let start = Position { line: 1, column: 1 };
        let message = kept(error, before.is_some());
        self.problem((file, 0, start), (file, ""), Reason::Unreadable, message);
        before.unwrap_or_default()
    }

    /// The objects of one file, those that it had before included while a part of it is broken.
    fn file(&mut self, file: &str, text: &str, previous: &Self) -> Objects {
        let before = previous.files.get(file);
        let mut objects = Objects::new();
        let mut broken = false;
        for (above, text) in documents(text) {
            for document in self.read(text, previous).iter() {
                broken |= matches!(document, Document::Bad { .. } | Document::Unreadable(_));
                self.document((file, above), document, before, &mut objects);
            }
        }
        for (id, standing) in before.filter(|_| broken).into_iter().flatten() {
            objects.entry(id.clone()).or_insert_with(|| standing.clone());
        }
        objects
    }

    fn read(&mut self, text: &str, previous: &Self) -> Arc<[Document]> {
        let known = previous.read.get_key_value(text).or_else(|| self.read.get_key_value(text));
        let (text, documents) = match known {
            Some((text, documents)) => (Arc::clone(text), Arc::clone(documents)),
            None => (Arc::from(text), Arc::from(read(text))),
        };
        self.read.insert(text, Arc::clone(&documents));
        documents
    }

    fn document(
        &mut self,
        (file, above): (&str, u32),
        document: &Document,
        before: Option<&Objects>,
        objects: &mut Objects,
    ) {
        match document {
            Document::Good(manifest) => {
                let standing = Standing { above, manifest: Arc::clone(manifest) };
                match objects.get(&manifest.id) {
                    Some(first) => self.twice(file, &standing, &format!("{file}:{}", first.line(""))),
                    None => drop(objects.insert(manifest.id.clone(), standing)),
                }
            }
            Document::Unreadable(unreadable) => {
                let message = kept(&unreadable.message, before.is_some());
                self.problem((file, above, unreadable.at), (file, ""), Reason::Unreadable, message);
            }
            Document::Bad { id, faults } => {
                let stays =
                    id.as_ref().is_some_and(|id| before.is_some_and(|before| before.contains_key(id)));
                let object = id.as_ref().map_or_else(|| file.to_owned(), ToString::to_string);
                for Fault { path, at, reason, message } in faults {
                    self.problem((file, above, *at), (&object, path), *reason, kept(message, stays));
                }
            }
            Document::Foreign { at, object } => {
                let place = format!("{file}:{}", above + at.line);
                self.ignored.push(Ignored { object: object.clone(), place });
            }
        }
    }

    /// Fills the world: of each object one, from the file that it was served from before.
    fn settle(&mut self, previous: &Self, now: Timestamp) {
        let after = |newest: Timestamp| newest.saturating_add(1.nanosecond()).unwrap_or(newest);
        let stamp = previous.newest.map_or(now, |newest| now.max(after(newest)));
        let mut candidates: BTreeMap<Id, Vec<(String, Standing)>> = BTreeMap::new();
        for (file, objects) in &self.files {
            for (id, standing) in objects {
                candidates.entry(id.clone()).or_default().push((file.clone(), standing.clone()));
            }
        }
        for (id, mut standing) in candidates {
            let before = previous.served.get(&id);
            let serving =
                standing.iter().position(|(file, _)| before.is_some_and(|before| before.file == *file));
            let (file, first) = standing.remove(serving.unwrap_or(0));
            for (other, duplicate) in standing {
                self.twice(&other, &duplicate, &format!("{file}:{}", first.line("")));
            }
            let first_seen = before.map_or(stamp, |before| before.first_seen);
            self.newest = self.newest.max(Some(first_seen));
            let same = before.filter(|before| Arc::ptr_eq(&before.standing.manifest, &first.manifest));
            let object =
                same.map_or_else(|| dated(&first.manifest.object, first_seen), |same| same.object.clone());
            object.clone().insert(&id, &mut self.resources);
            self.served.insert(id, Served { file, standing: first, first_seen, object });
        }
    }

    fn twice(&mut self, file: &str, duplicate: &Standing, first: &str) {
        let message = format!("is also in {first}, and that one is used; remove or rename one of the two");
        let at = duplicate.manifest.fields.find("metadata.name");
        let object = duplicate.manifest.id.to_string();
        self.problem((file, duplicate.above, at), (&object, "metadata.name"), Reason::Duplicate, message);
    }

    fn problem(
        &mut self,
        (file, above, at): (&str, u32, Position),
        (object, field): (&str, &str),
        reason: Reason,
        message: String,
    ) {
        self.problems.push(Rejected {
            object: object.to_owned(),
            field: field.to_owned(),
            reason: reason.to_string(),
            message,
            place: Some(format!("{file}:{}:{}", above + at.line, at.column)),
            notice: false,
        });
    }
}

/// The object itself, if it brings a time of creation.
fn dated(object: &Object, first_seen: Timestamp) -> Object {
    let mut object = object.clone();
    if object.metadata().creation_timestamp.is_none() {
        object.metadata_mut().creation_timestamp = Some(Time(first_seen));
    }
    object
}

fn kept(message: &str, stays: bool) -> String {
    if stays { format!("{message} (what was read before stays in use)") } else { message.to_owned() }
}

//! What is not used, and what the author of the object can do about it.

use crate::api::condition::Reason;
use crate::model::status::Rejected;
use std::fmt::{self, Display};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The smallest part of the object that can do without the field is not used: an endpoint, a rule, a
    /// listener, a peer, or the whole object.
    Refused,
    /// The object is used; the message says what is different from what was written.
    Notice,
}

/// An object, by kind and `name` or `namespace/name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    pub kind: &'static str,
    pub key: String,
}

impl Object {
    pub fn new(kind: &'static str, key: impl Display) -> Self {
        Self { kind, key: key.to_string() }
    }
}

impl Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.key)
    }
}

/// Whoever reads a resource back (a file, an API server) adds the place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rejection {
    pub object: Object,
    /// `spec.bgpConfig.peers[1].holdTime`; empty for the whole object.
    pub field: String,
    pub severity: Severity,
    pub reason: Reason,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl Rejection {
    pub fn at(&self, place: Option<String>) -> Rejected {
        Rejected {
            object: self.object.to_string(),
            field: self.field.clone(),
            reason: self.reason.to_string(),
            message: self.message.clone(),
            place,
            notice: self.severity == Severity::Notice,
        }
    }
}

impl Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.field.is_empty() { "" } else { ": " };
        write!(f, "{}{colon}{}: {}", self.object, self.field, self.message)
    }
}

/// Takes down what is wrong with one object, all of it in one go.
#[derive(Debug)]
pub struct Findings {
    object: Object,
    found: Vec<Rejection>,
}

impl Findings {
    pub fn about(kind: &'static str, key: impl Display) -> Self {
        Self { object: Object::new(kind, key), found: Vec::new() }
    }

    pub fn refuse(&mut self, field: impl Into<String>, reason: Reason, message: impl Display) {
        self.push(field.into(), Severity::Refused, reason, message.to_string());
    }

    pub fn note(&mut self, field: impl Into<String>, reason: Reason, message: impl Display) {
        self.push(field.into(), Severity::Notice, reason, message.to_string());
    }

    /// For a field whose behaviour comes with a later version: never ignored.
    pub fn not_yet(&mut self, field: impl Into<String>) {
        let field = field.into();
        let message = format!("{field} is not supported yet by this version; remove it");
        self.push(field, Severity::Refused, Reason::NotSupported, message);
    }

    /// Refuses the field if it is there at all.
    pub fn absent<T>(&mut self, field: impl Into<String>, value: Option<&T>) {
        if value.is_some() {
            self.not_yet(field);
        }
    }

    /// The value, or its error taken down.
    pub fn valid<T, E: Display>(&mut self, field: impl Into<String>, parsed: Result<T, E>) -> Option<T> {
        parsed.map_err(|error| self.refuse(field, Reason::InvalidValue, error)).ok()
    }

    /// What `check` makes of a part of the object, unless it refuses anything about it.
    pub fn whole<T>(&mut self, check: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.found.len();
        let made = check(self);
        let refused = self.found[before..].iter().any(|found| found.severity == Severity::Refused);
        made.filter(|_| !refused)
    }

    /// Takes down what was found elsewhere as being about this object too, once.
    pub fn repeat<'a>(&mut self, found: impl IntoIterator<Item = &'a Rejection>) {
        for Rejection { object: _, field, severity, reason, message } in found {
            let again = |known: &Rejection| known.field == *field && known.message == *message;
            if !self.found.iter().any(again) {
                self.push(field.clone(), *severity, *reason, message.clone());
            }
        }
    }

    pub fn found(&self) -> &[Rejection] {
        &self.found
    }

    pub fn into_rejections(self) -> Vec<Rejection> {
        self.found
    }

    fn push(&mut self, field: String, severity: Severity, reason: Reason, message: String) {
        self.found.push(Rejection { object: self.object.clone(), field, severity, reason, message });
    }
}

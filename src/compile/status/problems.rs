//! Rejections by object, and the two conditions that every kind gets from them.

use super::verdict::{Truth, Verdict};
use super::words::{clauses, sentence};
use crate::api::condition::{ConditionType, Reason};
use crate::model::status::Rejected;
use std::collections::BTreeMap;
use std::fmt::Display;

#[derive(Debug)]
pub struct Problems<'a>(BTreeMap<&'a str, Vec<&'a Rejected>>);

impl<'a> Problems<'a> {
    pub fn new(rejections: &'a [Rejected]) -> Self {
        let mut by_object: BTreeMap<&str, Vec<&Rejected>> = BTreeMap::new();
        for rejected in rejections {
            by_object.entry(&rejected.object).or_default().push(rejected);
        }
        for found in by_object.values_mut() {
            found.sort();
            found.dedup();
        }
        Self(by_object)
    }

    pub fn about(&self, kind: &str, key: impl Display) -> About<'a> {
        About(self.0.get(format!("{kind} {key}").as_str()).cloned().unwrap_or_default())
    }
}

/// What was found about one object.
#[derive(Debug, Clone)]
pub struct About<'a>(Vec<&'a Rejected>);

impl<'a> About<'a> {
    pub fn refused(&self) -> impl Iterator<Item = &'a Rejected> {
        self.0.iter().copied().filter(|found| !found.notice)
    }

    pub fn notices(&self) -> impl Iterator<Item = &'a Rejected> {
        self.0.iter().copied().filter(|found| found.notice)
    }

    /// What has one of the reasons, refused or not.
    pub fn because(&self, reasons: &[Reason]) -> impl Iterator<Item = &'a Rejected> {
        let is_one = |found: &Rejected| reasons.iter().any(|reason| reason.as_str() == found.reason);
        self.0.iter().copied().filter(move |found| is_one(found)).collect::<Vec<_>>().into_iter()
    }

    /// What has none of the reasons.
    pub fn except(&self, reasons: &[Reason]) -> Self {
        let is_one = |found: &Rejected| reasons.iter().any(|reason| reason.as_str() == found.reason);
        Self(self.0.iter().copied().filter(|found| !is_one(found)).collect())
    }

    /// Only what is about the part itself, like `spec.listeners[0]`.
    pub fn under(&self, part: &str) -> Self {
        Self(self.0.iter().copied().filter(|found| is_within(&found.field, part)).collect())
    }

    /// What is not about an element of one of the lists, like `spec.listeners`.
    pub fn outside(&self, lists: &[&str]) -> Self {
        let inside = |field: &str| {
            lists.iter().any(|list| field.strip_prefix(list).is_some_and(|rest| rest.starts_with('[')))
        };
        Self(self.0.iter().copied().filter(|found| !inside(&found.field)).collect())
    }

    /// What is about the element `index` of the list, or about none of its elements.
    pub fn without_other_elements(&self, list: &str, index: usize) -> Self {
        let own = self.under(&format!("{list}[{index}]"));
        Self(self.outside(&[list]).0.into_iter().chain(own.0).collect())
    }

    /// Accepted. An object can do without a refused element of one of the `lists`; whatever else is refused
    /// takes all of it away.
    pub fn accepted(&self, lists: &[&str]) -> Verdict {
        let kind = ConditionType::Accepted;
        let tell = |truth: Truth, found: &Rejected, all: String| Verdict {
            kind,
            truth,
            reason: found.reason.clone(),
            message: all,
        };
        let whole = self.outside(lists);
        if let Some(first) = whole.refused().next() {
            return tell(Truth::False, first, told(self.0.iter().copied()));
        }
        if self.refused().next().is_some() {
            let message = format!("A part of it is not used: {}", told(self.0.iter().copied()));
            return Verdict::new(kind, true, Reason::PartlyUsed, message);
        }
        match self.notices().next() {
            Some(first) => tell(Truth::True, first, told(self.notices())),
            None => Verdict::new(kind, true, Reason::Accepted, "It is used as it is written."),
        }
    }

    /// ResolvedRefs.
    pub fn resolved_refs(&self) -> Verdict {
        let kind = ConditionType::ResolvedRefs;
        let missing: Vec<_> = self.because(&[Reason::RefNotFound, Reason::RefNotPermitted]).collect();
        match missing.first() {
            Some(first) => Verdict {
                kind,
                truth: Truth::False,
                reason: first.reason.clone(),
                message: told(missing.iter().copied()),
            },
            None => {
                Verdict::new(kind, true, Reason::ResolvedRefs, "All that it refers to exists and allows it.")
            }
        }
    }
}

fn is_within(field: &str, part: &str) -> bool {
    field.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// `spec.address: 10.0.0.0/24 is a network, …; …`
pub fn told<'a>(found: impl IntoIterator<Item = &'a Rejected>) -> String {
    let tell = |found: &Rejected| match found.field.is_empty() {
        true => found.message.clone(),
        false => format!("{}: {}", found.field, found.message),
    };
    sentence(&clauses(found.into_iter().map(tell)))
}

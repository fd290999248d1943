//! A directory of manifests as the source of the world: the same files that `kubectl apply` takes.
//!
//! # What holds
//!
//! * The manifests are checked as strictly as an API server does, against the same schemas: an unknown
//!   field, a wrong type, a value out of bounds is refused, with file, line and remedy.
//! * A mistake hurts nothing else. What is broken keeps its last good state, document by document; all
//!   other objects go on to change. After a fresh start there is no last good state here; the agent's
//!   last good snapshot covers that.
//! * Objects have an age, as in a cluster: `creationTimestamp` is when they were first seen, so "the one
//!   already serving, then name" is the same rule as "the oldest, then name".
//! * A half-written file is not believed. What only adds to the world is published as soon as every writer
//!   has closed its file; what takes away or has faults, when nothing was written for 100 ms.
//!
//! # Who does what
//!
//! [`Source`] is the shell: it waits, reads files, publishes. All decisions are in [`load`], which is
//! pure: texts and the previous [`Loaded`] in, the next one out.
//!
//! | file | step |
//! |---|---|
//! | [`follow`] | waits for a change that can be believed, publishes (IO) |
//! | [`watcher`] | the kernel's word that something was written (IO) |
//! | [`directory`] | which files there are, what they say (IO) |
//! | [`load`](mod@load) | all files → the world, duplicates and last good states |
//! | [`problems`] | what is wrong with the world: where it stands, and each thing said once |
//! | [`manifest`] | a document → an object, or its faults |
//! | [`schemas`] | what each kind is checked against |
//! | [`schema`] | a document against its schema |
//! | [`fields`] | where each field stands |
//! | [`tree`] | YAML with positions |

mod directory;
mod fields;
mod follow;
mod load;
mod manifest;
mod problems;
mod schema;
mod schemas;
mod tree;
mod watcher;

#[cfg(test)]
mod tests;

pub use directory::texts;
pub use follow::{OpenError, Source};
pub use load::{Ignored, Loaded, Texts, load};
pub use problems::log_changes;

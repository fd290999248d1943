//! What is wrong with the world: where it stands, and each thing said once.

use super::Loaded;
use crate::api::condition::Reason;
use crate::compile::rejection::Rejection;
use crate::model::status::Rejected;

impl Loaded {
    /// Whether a document that has never been readable may hide an object. One that two files define is known.
    pub fn hides_an_object(&self) -> bool {
        let known = Reason::Duplicate.to_string();
        !self.is_elsewhere && self.problems.iter().any(|problem| problem.reason != known)
    }

    /// What the files have wrong, and what was refused of them, each with its place.
    pub fn rejected<'a>(&self, rejections: impl IntoIterator<Item = &'a Rejection>) -> Vec<Rejected> {
        let placed =
            |rejection: &Rejection| rejection.at(self.place(&rejection.object.to_string(), &rejection.field));
        self.problems.iter().cloned().chain(rejections.into_iter().map(placed)).collect()
    }
}

/// Logs each problem once, when it appears and when it is gone.
pub fn log_changes(before: &[Rejected], now: &[Rejected]) {
    for problem in now.iter().filter(|problem| !before.contains(problem)) {
        let Rejected { object, field, reason, message, place, notice: _ } = problem;
        tracing::warn!(object, field, reason, place, "{message}");
    }
    for solved in before.iter().filter(|problem| !now.contains(problem)) {
        tracing::info!(object = solved.object, field = solved.field, "no longer a problem");
    }
}

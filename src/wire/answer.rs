//! The receiving end's words.

use super::inbox::Step;
use super::proto::answer::Answer as Said;
use super::proto::{Answer, Hello, Rejected, Resend, Taken};

/// Rejections that are told with one page, and how long each may be, in characters.
const MOST: usize = 256;
const LONGEST: usize = 512;

pub fn hello(hello: Hello) -> Answer {
    Answer { answer: Some(Said::Hello(hello)) }
}

/// What is said to a part: nothing, while more follow.
pub fn to<'a>(
    step: &Step,
    generation: u64,
    rejections: impl Iterator<Item = (&'a str, &'a str)>,
) -> Option<Answer> {
    let said = match step {
        Step::More => return None,
        Step::Complete(_) => Said::Taken(Taken { generation, rejected: rejected(rejections) }),
        Step::Mismatch => Said::Resend(Resend { generation, reason: "the digest does not agree".to_owned() }),
    };
    Some(Answer { answer: Some(said) })
}

fn rejected<'a>(rejections: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<Rejected> {
    bounded(rejections.map(|(key, reason)| Rejected { key: key.to_owned(), reason: reason.to_owned() }))
}

/// No more than is sensible to tell; the last one says how many were left out. Whoever receives them from
/// somebody else bounds them again.
pub fn bounded(rejected: impl IntoIterator<Item = Rejected>) -> Vec<Rejected> {
    let mut rejected = rejected.into_iter();
    let cut = |text: String| text.chars().take(LONGEST).collect();
    let mut told: Vec<Rejected> = rejected
        .by_ref()
        .take(MOST)
        .map(|Rejected { key, reason }| Rejected { key: cut(key), reason: cut(reason) })
        .collect();
    let left = rejected.count();
    if left > 0 {
        told.push(Rejected { key: "…".to_owned(), reason: format!("{left} more entries are not used") });
    }
    told
}

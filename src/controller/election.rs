//! Who leads.
//!
//! The seam between the loop and whatever decides it: a channel that holds this controller's term, or `None`
//! while it does not lead. With a directory there is one controller, which always leads; its term still
//! rises with every start, so that agents know its word from that of an earlier life.

use super::state_dir::StateDir;
use crate::host::kept::{Kept, KeptError};
use crate::model::term::Term;
use tokio::sync::watch;

/// The term in which this controller leads.
pub type Election = watch::Receiver<Option<Term>>;

/// The term of a controller that is alone: since when there is its state directory, and how often it has been
/// started over it. `now` is in Unix seconds.
///
/// # Errors
/// The term cannot be read or written; leading under an old one would let agents take an earlier life's word.
pub fn alone(directory: &StateDir, now: u64) -> Result<Term, KeptError> {
    let kept = Kept::in_directory(directory.path(), "term.json");
    let term = match kept.load::<Term>()? {
        Some(before) => Term { transitions: before.transitions + 1, ..before },
        None => Term { created: now, transitions: 0 },
    };
    kept.keep(&term)?;
    Ok(term)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_start_has_a_later_term() {
        let directory = tempfile::tempdir().unwrap();
        let directory = StateDir::open(directory.path()).unwrap();
        let first = alone(&directory, 100).unwrap();
        let second = alone(&directory, 50).unwrap();
        let third = alone(&directory, 200).unwrap();
        assert!(first < second && second < third, "{first} {second} {third}");
        assert_eq!(third.created, 100);
    }
}

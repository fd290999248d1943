//! Who leads.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The right to lead: of two controllers, the one with the later term is obeyed (spec §2.8).
///
/// Ordered by the time at which the lock was created, then by how often it has changed hands: a lock that was
/// deleted and made anew cannot bring an old term back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Term {
    /// Unix seconds.
    pub created: u64,
    pub transitions: u64,
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.created, self.transitions)
    }
}

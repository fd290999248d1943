//! One request and what became of it.

use crate::topology::NodeId;
use std::time::Duration;

/// Longer than a lost packet's first retransmission takes on a healthy path.
pub const LATE: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// When it was sent, from the prober's start.
    pub sent: Duration,
    /// From then to its answer, or to the moment when it had failed.
    pub took: Duration,
    /// Its source port; 0 when it got none.
    pub port: u16,
    /// The node that accepted its connection; `None` for datagrams, or when nobody did.
    pub flow: Option<NodeId>,
    /// How many requests its connection had carried before.
    pub carried_before: u32,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// With a status (200 for what has none) and the backend that said it: `n1/a`.
    Answered { status: u16, backend: Option<String> },
    /// No whole answer within the patience.
    Lost,
    /// The connection was reset after it had been accepted.
    Reset,
    /// A RST in answer to the SYN, or a port unreachable for a datagram.
    Refused,
    /// The connection ended in order, before a whole answer.
    Closed,
    /// Something on the way says that there is no way.
    Unreachable,
    /// What came is no answer, or the machine itself failed.
    Broken(String),
}

impl Outcome {
    /// One word, for counting.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Answered { status: 200..=399, .. } => "answered",
            Self::Answered { .. } => "error status",
            Self::Lost => "lost",
            Self::Reset => "reset",
            Self::Refused => "refused",
            Self::Closed => "closed",
            Self::Unreachable => "unreachable",
            Self::Broken(_) => "broken",
        }
    }
}

impl Sample {
    /// Not answered, or answered by an error.
    pub fn failed(&self) -> bool {
        !matches!(self.outcome, Outcome::Answered { status: 200..=399, .. })
    }

    /// Answered well, but later than [`LATE`].
    pub fn late(&self) -> bool {
        !self.failed() && self.took > LATE
    }

    /// The node that accepted its connection, or for a datagram the one that answered it.
    pub fn node(&self) -> Option<NodeId> {
        let answering = || match &self.outcome {
            Outcome::Answered { backend: Some(backend), .. } => NodeId::named(backend.split('/').next()?),
            _ => None,
        };
        self.flow.or_else(answering)
    }
}

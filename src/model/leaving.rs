//! Wishes to leave, and what becomes of them (spec §2.2, §2.5).

use super::name::Name;
use serde::{Deserialize, Serialize};

/// Why a node is to serve a VIP no longer, although it could.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, thiserror::Error,
)]
pub enum Cause {
    #[error("its Node is cordoned")]
    Cordon,
    #[error("its Node is not ready")]
    NotReady,
    #[error("its Node is out of service")]
    OutOfService,
    #[error("its Node is annotated novaedge.io/drain")]
    Annotation,
    #[error("the VIP's nodeSelector no longer selects it")]
    NotSelected,
    #[error("novaedge-agent drain was said there")]
    Drain,
    #[error("its agent was asked to end")]
    Terminating,
}

/// What the estate says to a node's wish to leave a VIP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Leaving {
    /// Go, in order.
    Granted { cause: Cause },
    /// Stay until others can do without you.
    Held { cause: Cause, by: Hold },
}

impl Leaving {
    pub fn cause(&self) -> Cause {
        match self {
            Self::Granted { cause } | Self::Held { cause, .. } => *cause,
        }
    }
}

/// Why a node may not leave yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error)]
pub enum Hold {
    #[error("without it {healthy} healthy nodes would be left, and the VIP needs {minimum}")]
    BelowMinimum { healthy: u32, minimum: u32 },
    #[error("no other node announces the VIP")]
    LastAnnouncer,
    #[error("node {leaver} is leaving, and nodes leave one by one")]
    OneByOne { leaver: Name },
}

//! A node's agent, as a controller sees it.

use super::status::NodeStatus;
use std::sync::Arc;

/// What is known of one agent that has ever spoken since the controller's start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attendance {
    /// It listens to this controller, and reports to it.
    pub alive: bool,
    /// Unix seconds of the last change of `alive`.
    pub since: u64,
    /// The generation of this controller's that it last said it has taken.
    pub taken: Option<u64>,
    /// The entries of that snapshot which it could not use, each with its reason.
    pub refused: Vec<(String, String)>,
    /// Its newest report; kept when the stream ends.
    pub status: Option<Arc<NodeStatus>>,
}

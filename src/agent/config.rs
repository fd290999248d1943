//! What an agent is told at its start.

use crate::model::name::Name;
use crate::routing;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// How often the loop refreshes the kernel's lease on the addresses: six chances within
/// [`crate::plan::LIFETIME`], so that a crash leaves at least 2.5 s to come back in.
pub const BEAT: Duration = Duration::from_millis(500);

/// Unless somebody says otherwise. Whoever stops the process has to give it more: after the wait, leaving takes
/// the drain period and a few seconds.
pub const TERMINATION_GRACE_PERIOD: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
pub struct Config {
    pub node: Name,
    /// Holds the last good snapshot; created 0700.
    pub state_dir: PathBuf,
    /// Created 0600.
    pub admin_socket: PathBuf,
    /// Where metrics are served, and whether the agent lives and is ready.
    pub metrics_address: SocketAddr,
    pub daemon: routing::Choice,
    /// Threads that serve traffic.
    pub proxy_cores: NonZeroUsize,
    /// How long an agent that is asked to end waits for its leader's leave; then it goes anyway.
    pub termination_grace_period: Duration,
}

//! Which routing daemon an agent drives, as people say it.

use crate::routing::{Choice, frr};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Daemon {
    Frr,
}

#[derive(Debug, Args)]
pub struct DaemonArgs {
    /// The routing daemon that announces for this node
    #[arg(long, value_enum, default_value_t = Daemon::Frr)]
    routing_daemon: Daemon,
    /// Directory of the vty sockets of FRR's daemons
    #[arg(long, value_name = "DIR", default_value = "/var/run/frr")]
    frr_sockets: PathBuf,
    /// Keep the configuration in this file too, so that FRR starts with it; a file that NovaEdge did not
    /// write is left alone
    #[arg(long, value_name = "FILE")]
    frr_config: Option<PathBuf>,
}

impl DaemonArgs {
    pub fn choice(self) -> Choice {
        let frr = frr::Options { vty_dir: self.frr_sockets, startup_config: self.frr_config };
        match self.routing_daemon {
            Daemon::Frr => Choice::Frr(frr),
        }
    }
}

//! Which routing daemon an agent drives, as people say it.

use crate::routing::{Choice, bird, frr};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Daemon {
    Frr,
    Bird,
}

#[derive(Debug, Args)]
pub struct DaemonArgs {
    /// The routing daemon that announces for this node
    #[arg(long, value_enum, default_value_t = Daemon::Frr)]
    routing_daemon: Daemon,
    /// Directory of the vty sockets of FRR's daemons; beside another routing daemon, of the bfdd that watches its
    /// peers
    #[arg(long, value_name = "DIR", default_value = "/var/run/frr")]
    frr_sockets: PathBuf,
    /// Keep the configuration in this file too, so that FRR starts with it; a file that NovaEdge did not
    /// write is left alone
    #[arg(long, value_name = "FILE")]
    frr_config: Option<PathBuf>,
    /// BIRD's control socket
    #[arg(long, value_name = "PATH", default_value = "/run/bird/bird.ctl")]
    bird_socket: PathBuf,
    /// The file that NovaEdge keeps for BIRD; BIRD's own configuration has to include it
    #[arg(long, value_name = "FILE", default_value = "/etc/bird/novaedge.conf")]
    bird_include: PathBuf,
}

impl DaemonArgs {
    pub fn choice(self) -> Choice {
        let frr = frr::Options { vty_dir: self.frr_sockets, startup_config: self.frr_config };
        match self.routing_daemon {
            Daemon::Frr => Choice::Frr(frr),
            Daemon::Bird => Choice::Bird(bird::Options {
                socket: self.bird_socket,
                include: self.bird_include,
                bfdd_dir: frr.vty_dir,
            }),
        }
    }
}

//! Which routing daemon an agent drives, as people say it.

use crate::routing::gobgp::{self, Endpoint, GuardOptions, Tls};
use crate::routing::{Choice, bird, frr};
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Daemon {
    Frr,
    Bird,
    Gobgp,
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
    #[command(flatten)]
    gobgp: GobgpArgs,
    /// Do not start the guard beside gobgpd: `novaedge-agent guard` runs as a service or container of its own
    #[arg(long)]
    external_guard: bool,
}

/// Where gobgpd is, and its guard.
#[derive(Debug, Clone, Args)]
pub struct GobgpArgs {
    /// gobgpd's gRPC API, as unix:///PATH or HOST:PORT
    #[arg(long, value_name = "ENDPOINT", default_value = "127.0.0.1:50051")]
    gobgp_api: Endpoint,
    /// Speak TLS with gobgpd, whose certificate is of the authority in this file (PEM)
    #[arg(long, value_name = "FILE")]
    gobgp_ca: Option<PathBuf>,
    /// The certificate that gobgpd asks of its clients (PEM)
    #[arg(long, value_name = "FILE", requires_all = ["gobgp_ca", "gobgp_key"])]
    gobgp_certificate: Option<PathBuf>,
    /// The key of that certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "gobgp_certificate")]
    gobgp_key: Option<PathBuf>,
    /// The socket of the guard, which withdraws from gobgpd what a dead agent left there
    #[arg(long, value_name = "PATH", default_value = "/run/novaedge/guard.sock")]
    pub guard_socket: PathBuf,
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
            Daemon::Gobgp => Choice::Gobgp(gobgp::Options {
                endpoint: self.gobgp.endpoint(),
                bfdd_dir: frr.vty_dir,
                guard: GuardOptions {
                    command: (!self.external_guard).then(|| self.gobgp.guard_command()),
                    socket: self.gobgp.guard_socket,
                },
            }),
        }
    }
}

impl GobgpArgs {
    pub fn endpoint(&self) -> Endpoint {
        let tls = self
            .gobgp_ca
            .clone()
            .map(|ca| Tls { ca, identity: self.gobgp_certificate.clone().zip(self.gobgp_key.clone()) });
        match self.gobgp_api.clone() {
            Endpoint::Tcp { host, port, .. } => Endpoint::Tcp { host, port, tls },
            unix @ Endpoint::Unix(_) => unix,
        }
    }

    /// This very program, whatever its file is called by now.
    fn guard_command(&self) -> Vec<OsString> {
        let mut command: Vec<OsString> =
            ["/proc/self/exe", "guard", "--while-needed", "--gobgp-api"].map(OsString::from).into();
        command.push(self.gobgp_api.to_string().into());
        let files = [
            ("--gobgp-ca", self.gobgp_ca.as_ref()),
            ("--gobgp-certificate", self.gobgp_certificate.as_ref()),
            ("--gobgp-key", self.gobgp_key.as_ref()),
            ("--guard-socket", Some(&self.guard_socket)),
        ];
        for (option, file) in files.into_iter().filter_map(|(option, file)| Some((option, file?))) {
            command.extend([option.into(), file.as_os_str().to_owned()]);
        }
        command
    }
}

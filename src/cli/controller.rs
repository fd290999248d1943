//! `novaedge-controller`: the words people say to the program that computes what each node should do.

use super::certificates;
use super::lead::{self, Config};
use crate::api;
use crate::runtime::shutdown::Shutdown;
use crate::runtime::telemetry;
use crate::wire::client::endpoint::PORT;
use anyhow::{Context, anyhow};
use clap::{Args, CommandFactory, Parser, Subcommand};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

/// Computes what each node of an estate should do, and tells the agents.
#[derive(Debug, Parser)]
#[command(name = "novaedge-controller", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Option<RunArgs>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lead the agents by manifests from a directory (also without the word `run`)
    Run(RunArgs),
    /// Print the custom resource definitions, for `kubectl apply -f -`
    Crds {
        /// Write one file per kind into this directory instead
        #[arg(long, value_name = "DIR")]
        directory: Option<PathBuf>,
    },
    /// Issue certificates for controllers and nodes, by an authority of the estate's own
    Certificates(certificates::Arguments),
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Directory of manifests: ProxyVIPs, pools, gateways, backends, routes, Nodes, Secrets (*.yaml, *.yml,
    /// *.json)
    #[arg(long, value_name = "DIR")]
    manifests: PathBuf,
    /// What outlives the process: the ledger of addresses, what is in use, and status/ to read
    #[arg(long, value_name = "DIR", default_value = "/var/lib/novaedge-controller")]
    state_dir: PathBuf,
    /// Where agents connect
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), PORT.get()))]
    listen: SocketAddr,
    /// Directory with ca.crt, tls.crt and tls.key; read again when they change
    #[arg(long, value_name = "DIR", required_unless_present = "insecure")]
    tls: Option<PathBuf>,
    /// Speak plaintext, and believe every agent which node it is on
    #[arg(long, conflicts_with = "tls")]
    insecure: bool,
    #[arg(long, value_name = "PATH", default_value = "/run/novaedge/controller.sock")]
    admin_socket: PathBuf,
    /// Where /metrics, /healthz and /readyz are served
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9477")]
    metrics_address: SocketAddr,
    #[arg(long, value_enum, default_value_t = telemetry::LogFormat::Text)]
    log_format: telemetry::LogFormat,
}

pub fn main() -> ExitCode {
    let Cli { command, run } = Cli::parse();
    let outcome = match command.or(run.map(Command::Run)) {
        Some(Command::Run(args)) => lead(args),
        Some(Command::Crds { directory }) => crds(directory.as_deref()),
        Some(Command::Certificates(arguments)) => certificates::run(arguments),
        None => Cli::command()
            .error(clap::error::ErrorKind::MissingRequiredArgument, "say --manifests DIR, or --help")
            .exit(),
    };
    super::exit(outcome.map(|()| ExitCode::SUCCESS))
}

fn lead(args: RunArgs) -> anyhow::Result<()> {
    let RunArgs { manifests, state_dir, listen, tls, insecure: _, admin_socket, metrics_address, log_format } =
        args;
    telemetry::init(log_format);
    let config = Config { manifests, state_dir, listen, tls, admin_socket, metrics_address };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        let shutdown = Shutdown::catch().context("cannot catch signals")?;
        let end = CancellationToken::new();
        tokio::select! {
            ended = lead::run(config, end.clone()) => ended.map_err(anyhow::Error::from),
            () = shutdown.insist(end.clone()) => Err(anyhow!("ended at once by a second signal")),
        }
    });
    runtime.shutdown_background();
    ended
}

fn crds(directory: Option<&Path>) -> anyhow::Result<()> {
    for crd in api::crds() {
        let text = api::crd::yaml(&crd);
        match directory {
            Some(directory) => {
                let path = directory.join(format!("{}.yaml", crd.spec.names.plural));
                std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
            }
            None => super::output::print(&format!("---\n{text}")),
        }
    }
    Ok(())
}

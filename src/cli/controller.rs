//! `novaedge-controller`: the words people say to the program that computes what each node should do.

use super::certificates;
use super::lead::{self, Config, Credentials, Source};
use super::origin::ClusterConfig;
use crate::api;
use crate::k8s::lease::Candidate;
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
    /// Lead the agents by the objects of a cluster, or by manifests from a directory (also without the word `run`)
    Run(Box<RunArgs>),
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
    /// Without Kubernetes: a directory of manifests: ProxyVIPs, pools, gateways, backends, routes, Nodes,
    /// Secrets (*.yaml, *.yml, *.json)
    #[arg(long, value_name = "DIR")]
    manifests: Option<PathBuf>,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// What outlives the process: what is in use; without Kubernetes also the ledger of addresses, and status/ to
    /// read
    #[arg(long, value_name = "DIR", default_value = "/var/lib/novaedge-controller")]
    state_dir: PathBuf,
    /// Where agents connect
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), PORT.get()))]
    listen: SocketAddr,
    /// Directory with ca.crt, tls.crt and tls.key; read again when they change. In a cluster, without it, agents
    /// show their pods' tokens, and this controller makes its certificate itself
    #[arg(long, value_name = "DIR")]
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

#[derive(Debug, Args)]
struct ClusterArgs {
    /// How to reach the cluster [default: as the pod's service account, or the usual kubeconfig]
    #[arg(long, value_name = "FILE", conflicts_with = "manifests")]
    kubeconfig: Option<PathBuf>,
    /// The namespace of the Lease by which controllers elect their leader
    #[arg(long, env = "POD_NAMESPACE", value_name = "NAMESPACE", default_value = "novaedge-system")]
    namespace: String,
    /// The Lease's name
    #[arg(long, value_name = "NAME", default_value = "novaedge-controller")]
    lease: String,
    /// This controller's own name among the others [default: the host's name]
    #[arg(long, env = "POD_NAME", value_name = "NAME")]
    identity: Option<String>,
    /// A DNS name or address at which agents reach this controller, for its certificate; repeat it for each
    /// [default: novaedge-controller.NAMESPACE.svc]
    #[arg(long, value_name = "NAME", conflicts_with = "tls")]
    certificate_name: Vec<String>,
    /// The service account of the agents, in the same namespace
    #[arg(long, value_name = "NAME", default_value = "novaedge-agent")]
    agent_service_account: String,
}

impl ClusterArgs {
    /// A process that is restarted is another candidate.
    fn into_config(self, reviews: bool) -> ClusterConfig {
        let Self { kubeconfig, namespace, lease, identity, certificate_name, agent_service_account } = self;
        let host = || rustix::system::uname().nodename().to_string_lossy().into_owned();
        let identity = identity.unwrap_or_else(host);
        let identity = format!("{identity}_{:08x}", fastrand::u32(..));
        let names = match certificate_name {
            names if names.is_empty() => vec![format!("{lease}.{namespace}.svc")],
            names => names,
        };
        let candidate = Candidate { namespace, lease, identity };
        ClusterConfig { kubeconfig, candidate, names, agents: agent_service_account, reviews }
    }
}

pub fn main() -> ExitCode {
    let Cli { command, run } = Cli::parse();
    let outcome = match command.or(run.map(|run| Command::Run(Box::new(run)))) {
        Some(Command::Run(args)) => lead(*args),
        Some(Command::Crds { directory }) => crds(directory.as_deref()),
        Some(Command::Certificates(arguments)) => certificates::run(arguments),
        None => {
            Cli::command().error(clap::error::ErrorKind::MissingRequiredArgument, "say run, or --help").exit()
        }
    };
    super::exit(outcome.map(|()| ExitCode::SUCCESS))
}

fn lead(args: RunArgs) -> anyhow::Result<()> {
    let RunArgs {
        manifests,
        cluster,
        state_dir,
        listen,
        tls,
        insecure,
        admin_socket,
        metrics_address,
        log_format,
    } = args;
    telemetry::init(log_format);
    let reviews = tls.is_none() && !insecure;
    let source = match manifests {
        Some(directory) => Source::Directory(directory),
        None => Source::Cluster(cluster.into_config(reviews)),
    };
    let credentials = match (tls, insecure) {
        (Some(directory), _) => Credentials::Certificates(directory),
        (None, true) => Credentials::None,
        (None, false) if matches!(source, Source::Cluster(_)) => Credentials::OfTheSource,
        (None, false) => {
            return Err(anyhow!(
                "agents and controller do not know each other: say --tls DIR, or --insecure"
            ));
        }
    };
    let config = Config { source, state_dir, listen, credentials, admin_socket, metrics_address };
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

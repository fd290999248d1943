//! `novaedge-agent`: the words people say to the program that runs on every node.

use super::daemon::{DaemonArgs, GobgpArgs};
use super::output::{self, Format};
use super::{ask, drain, obey, show, standalone};
use crate::agent::config::{Config, TERMINATION_GRACE_PERIOD};
use crate::agent::guard;
use crate::model::name::Name;
use crate::model::observed::{BfdState, PeerState};
use crate::model::status::{NodeStatus, Phase};
use crate::runtime::shutdown::Shutdown;
use crate::runtime::telemetry;
use crate::wire::client::endpoint::Endpoint;
use anyhow::{Context, anyhow};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Announces virtual IPs through the node's routing daemon while it can serve them, and serves them.
#[derive(Debug, Parser)]
#[command(name = "novaedge-agent", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run as the controllers say
    Run(RunArgs),
    /// Run on manifests from a directory, without a controller and without Kubernetes
    Standalone(StandaloneArgs),
    /// Show how this node is doing (exit code 1: something is withheld or refused)
    Status(AskArgs),
    /// Virtual IPs on this node
    #[command(subcommand)]
    Vip(VipCommand),
    /// The BGP speaker on this node
    #[command(subcommand)]
    Bgp(StatusCommand),
    /// The OSPF speaker on this node
    #[command(subcommand)]
    Ospf(StatusCommand),
    /// The BFD sessions on this node
    #[command(subcommand)]
    Bfd(StatusCommand),
    /// The backends as this node sees them
    #[command(subcommand)]
    Backend(StatusCommand),
    /// Show the snapshot in force, without its passwords
    Snapshot(SnapshotArgs),
    /// Let this node leave all its VIPs, in order and until undrain is said, also across restarts of the agent
    /// (exit code 1: not every VIP leaves now)
    Drain(DrainArgs),
    /// Let this node serve its VIPs again
    Undrain(SocketArgs),
    /// Withdraw from gobgpd what this node does not hold any more, for an agent that has died; an agent with
    /// `--routing-daemon gobgp` starts one itself unless it is told not to
    Guard(GuardArgs),
}

#[derive(Debug, Subcommand)]
enum VipCommand {
    /// Every VIP, its phase, and why it is withheld
    Status(AskArgs),
}

#[derive(Debug, Subcommand)]
enum StatusCommand {
    /// Show the state now
    Status(AskArgs),
}

#[derive(Debug, Args)]
struct StandaloneArgs {
    /// Directory of manifests: ProxyVIPs, gateways, backends, routes, Nodes, Secrets (*.yaml, *.yml, *.json)
    #[arg(long, value_name = "DIR")]
    manifests: PathBuf,
    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// A controller, as HOST:PORT; repeat it for each replica: the agent listens to all and obeys the one that
    /// leads
    #[arg(long, value_name = "HOST:PORT", required = true)]
    controller: Vec<Endpoint>,
    #[command(flatten)]
    credentials: Credentials,
    /// How long an agent that is asked to end waits for the controller's leave, in seconds; then it goes anyway
    #[arg(long, value_name = "SECONDS", default_value_t = TERMINATION_GRACE_PERIOD.as_secs())]
    termination_grace_period: u64,
    #[command(flatten)]
    node: NodeArgs,
}

/// How the agent and the controllers know each other.
#[derive(Debug, Args)]
struct Credentials {
    /// Directory with ca.crt, tls.crt (whose DNS name is this node's) and tls.key; read again when they change
    #[arg(long, value_name = "DIR", required_unless_present_any = ["token", "insecure"])]
    tls: Option<PathBuf>,
    /// In a cluster: this pod's projected service-account token for the audience novaedge-controller
    #[arg(long, value_name = "FILE", conflicts_with = "tls", requires = "ca")]
    token: Option<PathBuf>,
    /// With --token: the authorities that controllers' certificates may come from; read again when they change
    #[arg(long, value_name = "FILE", conflicts_with = "tls")]
    ca: Option<PathBuf>,
    /// Speak plaintext, and believe whoever answers that it is a controller
    #[arg(long, conflicts_with_all = ["tls", "token"])]
    insecure: bool,
}

impl Credentials {
    fn into_security(self) -> obey::Credentials {
        match (self.tls, self.token, self.ca) {
            (Some(directory), ..) => obey::Credentials::Certificate(directory),
            (None, Some(token), Some(ca)) => obey::Credentials::Token { token, ca },
            (None, ..) => obey::Credentials::None,
        }
    }
}

#[derive(Debug, Args)]
struct GuardArgs {
    #[command(flatten)]
    gobgp: GobgpArgs,
    /// End by itself when no agent is there and nothing of ours is announced
    #[arg(long)]
    while_needed: bool,
    #[arg(long, value_enum, default_value_t = telemetry::LogFormat::Text)]
    log_format: telemetry::LogFormat,
}

/// What an agent is told about its node, however it is led.
#[derive(Debug, Args)]
struct NodeArgs {
    /// This node's name, as its Node object and `endpoints[].nodeName` have it [default: the host's name]
    #[arg(long, env = "NODE_NAME")]
    node: Option<Name>,
    /// Where the last good snapshot is kept
    #[arg(long, value_name = "DIR", default_value = "/var/lib/novaedge")]
    state_dir: PathBuf,
    #[command(flatten)]
    daemon: DaemonArgs,
    #[arg(long, value_name = "PATH", default_value = "/run/novaedge/agent.sock")]
    admin_socket: PathBuf,
    /// Where /metrics, /healthz and /readyz are served
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9478")]
    metrics_address: SocketAddr,
    /// Threads that serve traffic [default: the number of cores]
    #[arg(long, value_name = "N")]
    proxy_cores: Option<NonZeroUsize>,
    #[arg(long, value_enum, default_value_t = telemetry::LogFormat::Text)]
    log_format: telemetry::LogFormat,
}

#[derive(Debug, Args)]
struct SocketArgs {
    #[arg(long, value_name = "PATH", default_value = "/run/novaedge/agent.sock")]
    admin_socket: PathBuf,
}

#[derive(Debug, Args)]
struct SnapshotArgs {
    #[command(flatten)]
    socket: SocketArgs,
    #[arg(short, long, value_enum, default_value_t = Format::Yaml)]
    output: Format,
}

#[derive(Debug, Args)]
struct DrainArgs {
    #[command(flatten)]
    socket: SocketArgs,
    /// Return when the node has left every VIP
    #[arg(long)]
    wait: bool,
}

#[derive(Debug, Args)]
struct AskArgs {
    #[arg(long, value_name = "PATH", default_value = "/run/novaedge/agent.sock")]
    admin_socket: PathBuf,
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
    /// Show it again whenever it changes
    #[arg(short, long)]
    watch: bool,
}

/// What is asked about.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Topic {
    Node,
    Vips,
    Bgp,
    Ospf,
    Bfd,
    Backends,
}

/// Runs the program: 0 good, 1 something is wrong with what was asked about, 2 usage (by clap).
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(args) => run_led(args),
        Command::Standalone(args) => run_standalone(args),
        Command::Guard(args) => run_guard(args),
        Command::Status(args) => run_ask(Topic::Node, &args),
        Command::Vip(VipCommand::Status(args)) => run_ask(Topic::Vips, &args),
        Command::Bgp(StatusCommand::Status(args)) => run_ask(Topic::Bgp, &args),
        Command::Ospf(StatusCommand::Status(args)) => run_ask(Topic::Ospf, &args),
        Command::Bfd(StatusCommand::Status(args)) => run_ask(Topic::Bfd, &args),
        Command::Backend(StatusCommand::Status(args)) => run_ask(Topic::Backends, &args),
        Command::Snapshot(args) => block_on(async {
            let snapshot = ask::snapshot(&args.socket.admin_socket).await?;
            output::print(&output::encode(args.output, &snapshot)?);
            Ok(ExitCode::SUCCESS)
        }),
        Command::Drain(args) => block_on(drain::drain(&args.socket.admin_socket, args.wait)),
        Command::Undrain(args) => block_on(drain::undrain(&args.admin_socket)),
    };
    super::exit(outcome)
}

fn run_standalone(StandaloneArgs { manifests, node }: StandaloneArgs) -> anyhow::Result<ExitCode> {
    telemetry::init(node.log_format);
    // Nobody leads a standalone agent: it waits for nobody.
    let config = config(node, TERMINATION_GRACE_PERIOD)?;
    run(|leave| async move { Ok(standalone::run(&manifests, config, leave).await?) })
}

fn run_led(args: RunArgs) -> anyhow::Result<ExitCode> {
    let RunArgs { controller, credentials, termination_grace_period, node } = args;
    telemetry::init(node.log_format);
    let config = config(node, Duration::from_secs(termination_grace_period))?;
    run(|leave| async move { Ok(obey::run(controller, credentials.into_security(), config, leave).await?) })
}

/// Runs an agent until a signal has asked it to leave and it has left; a second signal ends it at once.
fn run<F>(agent: impl FnOnce(CancellationToken) -> F) -> anyhow::Result<ExitCode>
where
    F: Future<Output = anyhow::Result<()>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let ended = runtime.block_on(async {
        let shutdown = Shutdown::catch().context("cannot catch signals")?;
        let leave = CancellationToken::new();
        tokio::select! {
            ended = agent(leave.clone()) => ended,
            () = shutdown.insist(leave.clone()) => Err(anyhow!("ended at once by a second signal, before the node had left")),
        }
    });
    runtime.shutdown_background();
    ended.map(|()| ExitCode::SUCCESS)
}

fn run_guard(GuardArgs { gobgp, while_needed, log_format }: GuardArgs) -> anyhow::Result<ExitCode> {
    telemetry::init(log_format);
    let config = guard::Config { endpoint: gobgp.endpoint(), socket: gobgp.guard_socket, while_needed };
    run(|leave| async move { Ok(guard::run(config, leave).await?) })
}

fn config(args: NodeArgs, termination_grace_period: Duration) -> anyhow::Result<Config> {
    let node = match args.node {
        Some(node) => node,
        None => host_name()?,
    };
    let all_cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    Ok(Config {
        node,
        state_dir: args.state_dir,
        admin_socket: args.admin_socket,
        metrics_address: args.metrics_address,
        daemon: args.daemon.choice(),
        proxy_cores: args.proxy_cores.unwrap_or_else(all_cores),
        termination_grace_period,
    })
}

fn host_name() -> anyhow::Result<Name> {
    let host = rustix::system::uname().nodename().to_string_lossy().to_lowercase();
    Name::parse(host).context("the host's name cannot be a node's name; say --node NAME")
}

fn block_on(answer: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(answer)
}

fn run_ask(topic: Topic, args: &AskArgs) -> anyhow::Result<ExitCode> {
    block_on(async {
        if args.watch {
            return follow(topic, args).await;
        }
        let status = ask::status(&args.admin_socket).await?;
        output::print(&render(topic, args.output, &status)?);
        Ok(verdict(topic, &status))
    })
}

/// Shows the answer again whenever it differs, until interrupted. An agent that is away for a moment is
/// waited for.
async fn follow(topic: Topic, args: &AskArgs) -> anyhow::Result<ExitCode> {
    let mut shown = String::new();
    loop {
        let text = match ask::status(&args.admin_socket).await {
            Ok(status) => render(topic, args.output, &status)?,
            Err(error) => format!("{error:#}\n"),
        };
        if text != shown {
            output::print(&text);
            shown = text;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn render(topic: Topic, format: Format, status: &NodeStatus) -> anyhow::Result<String> {
    if let Format::Table = format {
        let now = output::unix_now();
        return Ok(match topic {
            Topic::Node => show::status(status, now),
            Topic::Vips => show::vip_status(status, now),
            Topic::Bgp => show::bgp_status(status),
            Topic::Ospf => show::ospf_status(status),
            Topic::Bfd => show::bfd_status(status),
            Topic::Backends => show::backend_status(status),
        });
    }
    match topic {
        Topic::Node => output::encode(format, status),
        Topic::Vips => output::encode(format, &status.vips),
        Topic::Bgp => output::encode(format, &status.routing.peers),
        Topic::Ospf => output::encode(format, &status.routing.neighbors),
        Topic::Bfd => output::encode(format, &status.routing.bfd),
        Topic::Backends => output::encode(format, &status.served.backends),
    }
}

/// Exit code 1 where what was asked about is not as it should be.
fn verdict(topic: Topic, status: &NodeStatus) -> ExitCode {
    let vips = || status.vips.values().all(|vip| vip.phase == Phase::Announced);
    let bgp = || status.routing.peers.values().all(|peer| peer.state == PeerState::Established);
    let ospf = || show::neighbors_are_well(status);
    let bfd = || status.routing.bfd.values().all(|session| session.state == BfdState::Up);
    let backends = || status.served.backends.values().all(|backend| backend.healthy() > 0);
    let good = match topic {
        Topic::Node => {
            status.rejected.iter().all(|problem| problem.notice) && vips() && bgp() && ospf() && bfd()
        }
        Topic::Vips => vips(),
        Topic::Bgp => bgp(),
        Topic::Ospf => ospf(),
        Topic::Bfd => bfd(),
        Topic::Backends => backends(),
    };
    if good { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

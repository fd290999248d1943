//! `novaedgectl`: the words people say about a whole estate.

use super::estate::{self, Topic};
use super::output::Format;
use super::{output, validate};
use crate::model::name::Name;
use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use std::path::PathBuf;
use std::process::ExitCode;

/// Looks at an estate of NovaEdge nodes.
#[derive(Debug, Parser)]
#[command(name = "novaedgectl", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole estate at a glance: controller, nodes, VIPs, and what is wrong (exit code 1: something is)
    Status(AskArgs),
    /// One virtual IP
    #[command(subcommand)]
    Vip(VipCommand),
    /// The snapshot that the controller has for a node, without passwords
    Snapshot {
        #[arg(value_name = "NODE")]
        node: Name,
        #[arg(long, value_name = "PATH", default_value = estate::SOCKET)]
        admin_socket: PathBuf,
        #[arg(short, long, value_enum, default_value_t = Format::Yaml)]
        output: Format,
    },
    /// Compile manifests as a controller would, and say what is wrong with them (exit code 1: something is)
    Validate {
        /// Files, or directories of them; all together are one world
        #[arg(required = true, value_name = "FILE")]
        paths: Vec<PathBuf>,
        #[arg(short, long, value_enum, default_value_t = Format::Table)]
        output: Format,
    },
    /// Print what a shell needs to complete these words, like `source <(novaedgectl completion bash)`
    Completion {
        #[arg(value_enum)]
        shell: Shell,
    },
}

#[derive(Debug, Subcommand)]
enum VipCommand {
    /// Its addresses, conditions, and every node's part in it (exit code 1: it is not ready, or degraded)
    Show(VipArgs),
    /// Why each node announces it or does not, link by link, and what to do about the first broken one
    /// (exit code 1: no node announces it)
    Explain(VipArgs),
}

#[derive(Debug, Args)]
struct VipArgs {
    #[arg(value_name = "NAME")]
    name: Name,
    #[command(flatten)]
    ask: AskArgs,
}

#[derive(Debug, Args)]
struct AskArgs {
    #[arg(long, value_name = "PATH", default_value = estate::SOCKET)]
    admin_socket: PathBuf,
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
    /// Show it again whenever it changes
    #[arg(short, long)]
    watch: bool,
}

impl AskArgs {
    fn about(self, topic: Topic) -> estate::Question {
        let Self { admin_socket, output, watch } = self;
        estate::Question { topic, admin_socket, output, watch }
    }
}

/// Runs the program: 0 good, 1 something is wrong with what was asked about, 2 usage (by clap).
pub fn main() -> ExitCode {
    super::exit(match Cli::parse().command {
        Command::Status(ask) => estate::ask(&ask.about(Topic::Estate)),
        Command::Vip(VipCommand::Show(VipArgs { name, ask })) => estate::ask(&ask.about(Topic::Vip(name))),
        Command::Vip(VipCommand::Explain(VipArgs { name, ask })) => {
            estate::ask(&ask.about(Topic::Explanation(name)))
        }
        Command::Snapshot { node, admin_socket, output } => {
            let topic = Topic::Snapshot(node);
            estate::ask(&estate::Question { topic, admin_socket, output, watch: false })
        }
        Command::Validate { paths, output } => validate::validate(&paths, output),
        Command::Completion { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command(), "novaedgectl", &mut script);
            output::print(&String::from_utf8_lossy(&script));
            Ok(ExitCode::SUCCESS)
        }
    })
}

/// The program's words, for its reference and for completion.
pub fn command() -> clap::Command {
    Cli::command()
}

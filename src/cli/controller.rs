//! `novaedge-controller`: so far it prints the custom resource definitions, and issues certificates.

use super::certificates;
use crate::api;
use anyhow::Context;
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Computes what each node of an estate should do.
#[derive(Debug, Parser)]
#[command(name = "novaedge-controller", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the custom resource definitions, for `kubectl apply -f -`
    Crds {
        /// Write one file per kind into this directory instead
        #[arg(long, value_name = "DIR")]
        directory: Option<PathBuf>,
    },
    /// Issue certificates for controllers and nodes, by an authority of the estate's own
    Certificates(certificates::Arguments),
}

pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Crds { directory } => crds(directory.as_deref()),
        Command::Certificates(arguments) => certificates::run(arguments),
    };
    super::exit(outcome.map(|()| ExitCode::SUCCESS))
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

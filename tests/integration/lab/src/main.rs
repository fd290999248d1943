//! The program `lab`.

use clap::Parser;
use novaedge_lab::cli::Cli;

fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    Cli::parse().run()
}

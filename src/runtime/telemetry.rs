//! Where log lines go.

use clap::ValueEnum;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// The environment variable that says what is logged: `info`, or `info,novaedge::routing=debug`.
pub const FILTER: &str = "NOVAEDGE_LOG";

/// How a log line looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people, coloured on a terminal
    #[default]
    Text,
    /// One object a line
    Json,
}

/// Sends the process's log lines to stderr, for the rest of its life: from level `info` on, unless
/// [`FILTER`] says otherwise. What cannot be read of the filter is told on stderr and left out.
///
/// # Panics
/// When called twice.
pub fn init(format: LogFormat) {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .parse_lossy(std::env::var(FILTER).unwrap_or_default());
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
}

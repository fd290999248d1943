//! Printing in the format that was asked for.

use clap::ValueEnum;
use serde::Serialize;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// The values of `-o`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    Json,
    Yaml,
}

/// The value as JSON or, for every other format, as YAML; with a line's end.
///
/// # Errors
/// The value cannot be written in that format.
pub fn encode<T: Serialize>(format: Format, value: &T) -> anyhow::Result<String> {
    let text = match format {
        Format::Json => serde_json::to_string_pretty(value)?,
        Format::Table | Format::Yaml => serde_saphyr::to_string(value)?,
    };
    Ok(format!("{}\n", text.trim_end()))
}

/// Prints to stdout. That the reader has gone away, as `head` does, is nobody's error.
pub fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Seconds since 1970, as timestamps in a status are.
pub fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

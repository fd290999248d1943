//! People's words in, configuration out; and who feeds whom.
//!
//! One file per program ([`agent`], [`controller`], [`ctl`]); [`ask`] talks to a running agent, [`show`]
//! turns its answer into tables, [`drain`] says a wish and follows it, [`output`] prints in the format that was
//! asked for, [`certificates`] is a command of the controller's.
//!
//! Exit codes of every command: 0 good, 1 something is wrong with what was asked about, 2 usage.

pub mod agent;
pub mod ask;
pub mod certificates;
pub mod controller;
pub mod ctl;
pub mod drain;
pub mod output;
pub mod show;
pub mod standalone;
pub mod table;

use std::process::ExitCode;

/// Ends a program: an error goes to stderr as one sentence with its causes.
fn exit(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(1)
    })
}

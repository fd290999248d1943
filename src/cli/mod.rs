//! People's words in, configuration out; and who feeds whom.
//!
//! One file per program ([`agent`], [`controller`], [`ctl`]); [`ask`] talks to a running agent or controller,
//! [`show`] turns its answer into tables, [`output`] prints in the format that was asked for. [`drain`] says a
//! wish and follows it, [`daemon`] says which routing daemon, [`certificates`] is a command of the controller's; [`estate`] is what `novaedgectl` asks
//! a controller, [`validate`] what it asks the compiler.
//!
//! Exit codes of every command: 0 good, 1 something is wrong with what was asked about, 2 usage.

pub mod agent;
pub mod ask;
pub mod certificates;
pub mod controller;
pub mod ctl;
pub mod daemon;
pub mod drain;
pub mod estate;
pub mod lead;
pub mod obey;
pub mod origin;
pub mod output;
pub mod serving;
pub mod show;
pub mod standalone;
pub mod table;
pub mod validate;

use std::process::ExitCode;

/// Ends a program: an error goes to stderr as one sentence with its causes.
fn exit(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(1)
    })
}

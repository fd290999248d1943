//! `novaedge-controller certificates`: an authority, and what it issues.

use super::output;
use crate::model::name::Name;
use crate::wire::certificates::{Wanted, issue};
use clap::Args;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Where the authority is, or is to be made; what is issued is written beside it
    #[arg(long, value_name = "DIR")]
    directory: PathBuf,
    /// A DNS name or address by which agents reach the controllers; repeat it for several
    #[arg(long, value_name = "NAME")]
    controller_san: Vec<String>,
    /// A node that gets a certificate, or a new one; repeat it for several
    #[arg(long, value_name = "NODE")]
    node: Vec<Name>,
    /// How many days the certificates are good for; the authority is for ten years
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3650))]
    valid_for: u32,
}

pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { directory, controller_san, node, valid_for } = arguments;
    let wanted = Wanted {
        controller: controller_san,
        nodes: node,
        valid_for: Duration::from_secs(u64::from(valid_for) * 24 * 3600),
        now: SystemTime::now(),
    };
    for written in issue(&directory, &wanted)? {
        output::print(&format!("{}\n", written.display()));
    }
    Ok(())
}

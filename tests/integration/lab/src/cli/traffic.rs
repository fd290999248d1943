//! `probe`, `silence`, `unsilence`.

use super::{AtNode, Probe};
use crate::probe::Traffic;
use crate::{Netns, state, switch};
use anyhow::{Result, ensure};
use std::time::Duration;

pub(super) fn probe(options: Probe) -> Result<()> {
    let client = Netns::open(&state::read(&options.lab.name)?.topology.netns("client"))?;
    let traffic = match (options.kept, options.udp) {
        (_, true) => Traffic::Datagrams,
        (Some(connections), false) => Traffic::Kept(connections),
        (None, false) => Traffic::New,
    };
    let host = options.host.unwrap_or_else(|| options.target.to_string());
    let probe = crate::Probe::new(&client, options.target).traffic(traffic).rate(options.rate);
    let report = probe.host(&host).path(&options.path).run_for(Duration::from_secs(options.duration))?;
    println!("{report}");
    ensure!(report.failed() == 0, "{} requests failed", report.failed());
    Ok(())
}

pub(super) fn silence(at: &AtNode) -> Result<()> {
    switch::silence(&switch_of(&at.lab.name)?, at.node)?;
    println!("{} is silent: its links are up, and nothing comes through", at.node);
    Ok(())
}

pub(super) fn unsilence(at: &AtNode) -> Result<()> {
    switch::unsilence(&switch_of(&at.lab.name)?, at.node)?;
    println!("{} can be heard again", at.node);
    Ok(())
}

fn switch_of(lab: &str) -> Result<Netns> {
    Netns::open(&state::read(lab)?.topology.netns("sw"))
}

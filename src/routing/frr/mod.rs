//! FRR as a [`Daemon`]: bgpd announces, bfdd watches the peers, zebra tells bgpd which addresses the kernel
//! still holds.
//!
//! Owns our objects inside bgpd and bfdd, and nothing else there: what the operator has in the same daemons
//! is not touched, line by line. Called by [`crate::routing::drive`] alone.
//!
//! The invariant: the daemons' own running configuration is the only record of what is applied. Every
//! `apply` reads it (0.3 ms for 1000 VIPs), compares it with what the plan should look like and sends the
//! difference; so a restart of a daemon, of the agent, or a hand edit of our objects is healed by the same
//! few lines, and an equal plan sends nothing.
//!
//! The address of a VIP is on the node with a finite lifetime and bgpd's `network` statement follows the
//! kernel (`bgp network import-check`): a dead agent's routes go without anybody's help.
//!
//! | file | what | |
//! |---|---|---|
//! | [`view`] | plan → flat values: classes, maps, names | pure |
//! | [`render`] | flat values → FRR's language, by `templates/frr/` | pure |
//! | [`parse`] | FRR's language → what of it is ours | pure |
//! | [`respect`] | what would touch the operator's | pure |
//! | [`diff`] | have, want → lines to send, in order | pure |
//! | [`batch`] | lines → one configuration session; refusals | pure |
//! | [`vty`] | the daemons' sockets | IO |
//! | [`apply`] | all of the above in order, taking back what half went in | IO |
//! | [`observe`], [`json`] | `show … json` → [`Observed`] | IO, pure |
//! | [`sight`] | bgpd asks zebra again about prefixes that it is told nothing of | IO |
//! | [`startup`] | the file FRR starts from | IO |
//! | [`digest`] | names for content | pure |

mod apply;
mod batch;
mod diff;
mod digest;
mod json;
mod observe;
mod parse;
mod render;
mod respect;
mod sight;
mod startup;
#[cfg(test)]
mod tests;
mod view;
mod vty;

use super::{Applied, ApplyError, Daemon, ObserveError};
use crate::model::net::HostRoute;
use crate::model::observed::Observed;
use crate::plan::RoutingPlan;
use observe::Originated;
use render::Renderer;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use vty::Vty;

/// Where FRR is.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory of the daemons' `.vty` sockets, e.g. `/var/run/frr`, or `/var/run/frr/NAME` for daemons
    /// that were started with `-N NAME`.
    pub vty_dir: PathBuf,
    /// The file FRR starts from, kept equal to what is applied; `None`: not ours to keep.
    pub startup_config: Option<PathBuf>,
}

/// One FRR on this node.
#[derive(Debug)]
pub struct Frr {
    options: Options,
    renderer: Renderer,
    zebra: Vty,
    bgpd: Vty,
    bfdd: Vty,
    staticd: Vty,
    /// The last plan's prefixes; before the first plan, those that bgpd has under our mark.
    routes: Option<BTreeSet<HostRoute>>,
    /// Whether the last plan wants BFD.
    bfd_wanted: bool,
    originated: Originated,
    /// Prefixes that did not go in when the last plan did, with the reasons.
    refused: BTreeMap<HostRoute, String>,
    startup_trouble: Option<String>,
    unchecked_networks: bool,
    in_sight: sight::AsOf,
}

impl Frr {
    /// Connects when it is first used.
    pub fn new(options: Options) -> Self {
        let vty = |daemon| Vty::new(&options.vty_dir, daemon);
        Self {
            zebra: vty("zebra"),
            bgpd: vty("bgpd"),
            bfdd: vty("bfdd"),
            staticd: vty("staticd"),
            renderer: Renderer::new(),
            routes: None,
            bfd_wanted: false,
            originated: Originated::default(),
            refused: BTreeMap::new(),
            startup_trouble: None,
            unchecked_networks: false,
            in_sight: None,
            options,
        }
    }

    fn restarts(&self) -> u64 {
        [&self.zebra, &self.bgpd, &self.bfdd, &self.staticd].into_iter().map(Vty::restarts).sum()
    }
}

impl Daemon for Frr {
    async fn apply(&mut self, plan: &RoutingPlan) -> Result<Applied, ApplyError> {
        self.bring_to(plan).await
    }

    async fn observe(&mut self) -> Result<Observed, ObserveError> {
        self.look().await
    }
}

//! FRR as a [`Daemon`]: bgpd, ospfd and ospf6d announce, bfdd watches the peers, zebra tells them which addresses
//! the kernel still holds.
//!
//! Owns our objects inside these daemons, and nothing else there: what the operator has in the same daemons
//! is not touched, line by line. Called by [`crate::routing::drive`] alone.
//!
//! The invariant: the daemons' own running configuration is the only record of what is applied. Every
//! `apply` reads it (0.3 ms for 1000 VIPs), compares it with what the plan should look like and sends the
//! difference; so a restart of a daemon, of the agent, or a hand edit of our objects is healed by the same
//! few lines, and an equal plan sends nothing.
//!
//! The address of a VIP is on the node with a finite lifetime. bgpd's `network` statement follows the kernel
//! (`bgp network import-check`), and so do the addresses of `lo` that OSPF takes: a dead agent's routes go without
//! anybody's help.
//!
//! | file | what | |
//! |---|---|---|
//! | [`view`] | plan → flat values: classes, maps, names | pure |
//! | [`render`] | flat values → FRR's language, by `templates/frr/` | pure |
//! | [`parse`] | FRR's language → what of it is ours | pure |
//! | [`home`] | which daemon an object lives in | pure |
//! | [`respect`] | what would touch the operator's | pure |
//! | [`diff`] | have, want → lines to send, in order | pure |
//! | [`batch`] | lines → one configuration session; refusals | pure |
//! | [`vty`] | the daemons' sockets | IO |
//! | [`apply`] | all of the above in order, taking back what half went in | IO |
//! | [`observe`], [`json`] | `show … json` → [`Observed`] | IO, pure |
//! | [`ospf`] | the same of OSPF; what ospf6d has to be reminded of | IO |
//! | [`sight`] | bgpd asks zebra again about prefixes that it is told nothing of | IO |
//! | [`startup`] | the file FRR starts from | IO |

mod apply;
mod batch;
mod diff;
mod home;
mod json;
mod observe;
mod ospf;
mod parse;
mod render;
mod respect;
mod sight;
mod startup;
#[cfg(test)]
mod tests;
mod view;
pub(in crate::routing) mod vty;

use super::{Applied, ApplyError, Daemon, ObserveError};
use crate::model::net::HostRoute;
use crate::model::observed::Observed;
use crate::plan::RoutingPlan;
use home::Home;
pub(in crate::routing) use json::BfdSession;
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
    ospfd: Vty,
    ospf6d: Vty,
    /// The daemons that the last plan needs; `None`: there has been none.
    needed: Option<BTreeSet<Home>>,
    /// The last plan's prefixes; before the first plan, those that the daemons have under our mark.
    routes: Option<BTreeSet<HostRoute>>,
    originated: Originated,
    links: ospf::Links,
    /// Host routes that ospf6d advertises.
    hosts: BTreeSet<HostRoute>,
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
            ospfd: vty("ospfd"),
            ospf6d: vty("ospf6d"),
            renderer: Renderer::new(),
            needed: None,
            routes: None,
            originated: Originated::default(),
            links: ospf::Links::default(),
            hosts: BTreeSet::new(),
            refused: BTreeMap::new(),
            startup_trouble: None,
            unchecked_networks: false,
            in_sight: None,
            options,
        }
    }

    fn restarts(&self) -> u64 {
        let all = [&self.zebra, &self.bgpd, &self.bfdd, &self.staticd, &self.ospfd, &self.ospf6d];
        all.into_iter().map(Vty::restarts).sum()
    }

    fn daemon(&mut self, home: Home) -> &mut Vty {
        match home {
            Home::Bfdd => &mut self.bfdd,
            Home::Zebra => &mut self.zebra,
            Home::Ospfd => &mut self.ospfd,
            Home::Ospf6d => &mut self.ospf6d,
            Home::Bgpd => &mut self.bgpd,
        }
    }

    /// Whether the last plan has something for this daemon. bgpd is needed where no other speaks; before the
    /// first plan, whoever has a socket is.
    fn needs(&mut self, home: Home) -> bool {
        let speakers = [Home::Ospfd, Home::Ospf6d];
        match (&self.needed, home) {
            (Some(needed), Home::Bgpd) => {
                needed.contains(&home) || !speakers.iter().any(|speaker| needed.contains(speaker))
            }
            (Some(needed), _) => needed.contains(&home),
            (None, Home::Bgpd) => {
                self.bgpd.exists() || !speakers.into_iter().any(|speaker| self.daemon(speaker).exists())
            }
            (None, Home::Ospfd | Home::Ospf6d) => self.daemon(home).exists(),
            (None, Home::Bfdd | Home::Zebra) => false,
        }
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

//! BIRD as a [`Daemon`]: one include file that is ours, and BIRD's control socket.
//!
//! Owns the file and what it defines, all of it named `novaedge…`, and nothing else in that BIRD. Called by
//! [`crate::routing::drive`] alone.
//!
//! The invariant: the file says what is wanted, and BIRD says which file it runs, by the digest that the file
//! defines. Every `apply` compares both with what the plan should look like; so an older file at a restart, an
//! `include` that was removed, a hand edit, and an agent that comes back are healed by the same few lines, and an
//! equal plan sends no `configure`.
//!
//! The address of a VIP is on the node with a finite lifetime, and BIRD announces what its `direct` protocol finds
//! there: a dead agent's routes go without anybody's help.
//!
//! | file | what | |
//! |---|---|---|
//! | [`view`] | plan → flat values | pure |
//! | [`render`] | flat values → BIRD's language, by `templates/bird/` | pure |
//! | [`respect`] | what would touch the operator's | pure |
//! | [`control`] | the control socket | IO |
//! | [`protocols`] | `show protocols all` → what each protocol is and does | pure |
//! | [`neighbors`] | `show ospf neighbors` → who is there | pure |
//! | [`apply`] | write, check, load, read back, confirm; the old file again if any of it fails | IO |
//! | [`bfd`] | BIRD's sessions with watched peers, and what is said about them | pure |
//! | [`observe`] | what BIRD has and does → [`Observed`] | IO |
//! | [`sessions`] | how long sessions have been up, how often they were lost | pure |

mod apply;
mod bfd;
mod control;
mod neighbors;
mod observe;
mod protocols;
mod render;
mod respect;
mod sessions;
#[cfg(test)]
mod tests;
mod view;

use super::bfdd::Watched;
use super::{Applied, ApplyError, Daemon, ObserveError};
use crate::model::observed::Observed;
use crate::plan::RoutingPlan;
use control::Control;
use neighbors::Known;
use observe::Exported;
use render::Renderer;
use sessions::Sessions;
use std::path::PathBuf;

/// Where BIRD is.
#[derive(Debug, Clone)]
pub struct Options {
    /// BIRD's control socket, e.g. `/run/bird/bird.ctl`.
    pub socket: PathBuf,
    /// The file that is ours, which the operator's configuration includes.
    pub include: PathBuf,
    /// The directory of the vty socket of FRR's bfdd, which watches the peers of VIPs with BFD.
    pub bfdd_dir: PathBuf,
}

/// One BIRD on this node.
#[derive(Debug)]
pub struct Bird {
    options: Options,
    renderer: Renderer,
    control: Control,
    /// The last plan that BIRD took.
    taken: Option<RoutingPlan>,
    exported: Exported,
    sessions: Sessions,
    watched: Watched,
    known: Known,
}

impl Bird {
    /// Connects when it is first used.
    pub fn new(options: Options) -> Self {
        Self {
            control: Control::new(&options.socket),
            renderer: Renderer::new(),
            taken: None,
            exported: Exported::default(),
            sessions: Sessions::default(),
            watched: Watched::new(&options.bfdd_dir),
            known: Known::default(),
            options,
        }
    }
}

impl Daemon for Bird {
    async fn apply(&mut self, plan: &RoutingPlan) -> Result<Applied, ApplyError> {
        self.bring_to(plan).await
    }

    async fn observe(&mut self) -> Result<Observed, ObserveError> {
        self.look().await
    }
}

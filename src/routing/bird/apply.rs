//! From plan to BIRD: write the file, let BIRD check it, load it, ask which file runs, confirm.
//!
//! A file is loaded whole or not at all. What BIRD refuses is taken back from the disk at once, so that a BIRD
//! that restarts finds what ran before; and where the refused file would have withdrawn something, that is
//! withdrawn without the rest. `configure` reads all of the operator's configuration again, saved edits that
//! nobody has loaded yet included: so nothing is said when nothing changes.

use super::bfd;
use super::protocols::{Link, Protocol, links, protocols};
use super::render::{DIGEST, Rendered};
use super::respect::respect;
use super::view::view;
use super::{Bird, Options};
use crate::host::file;
use crate::model::bgp::{Community, GracefulRestart};
use crate::model::net::HostRoute;
use crate::plan::{RoutingPlan, SpeakerPlan};
use crate::routing::{Applied, ApplyError};
use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Without a word from us BIRD goes back to what it had before: an agent that dies half-way leaves nothing half
/// done.
const UNDO_AFTER_SECONDS: u32 = 10;

impl Bird {
    pub(super) async fn bring_to(&mut self, plan: &RoutingPlan) -> Result<Applied, ApplyError> {
        let seen = self.protocols().await.map_err(ApplyError::NotAnswering)?;
        let disk = on_disk(&self.options, read).await.map_err(|error| self.file_trouble(&error))?;
        let mut wanted = plan.clone();
        keep_restarting(&mut wanted, &disk);
        let statics = self.static_host_routes().await.map_err(ApplyError::NotAnswering)?;
        let conflicts = respect(&mut wanted, &seen, &statics);
        let links = self.links_for(&wanted).await.map_err(ApplyError::NotAnswering)?;
        let changes = self.bring_file_to(&wanted, &links, disk).await?;
        // A bfdd that does not answer keeps nothing but its own sessions from going in.
        let watched = self.watched.keep(&wanted, |peer| bfd::own(peer, &seen, &links)).await;
        match conflicts.structure {
            Some((line, answer)) => Err(ApplyError::Refused { line, answer }),
            None => Ok(Applied { changes: changes + watched?, refused: conflicts.networks }),
        }
    }

    async fn bring_file_to(
        &mut self,
        plan: &RoutingPlan,
        links: &[Link],
        disk: String,
    ) -> Result<usize, ApplyError> {
        let view = view(plan, links);
        let wanted = self.renderer.render(&view);
        let loaded = self.loaded().await.map_err(ApplyError::NotAnswering)?;
        // Who wants nothing needs no file and no line in the operator's.
        let nothing = view.speaker.is_none() && view.ospf.is_none() && loaded.is_none() && disk.is_empty();
        if nothing || (disk == wanted.text && loaded == Some(wanted.digest)) {
            self.taken = Some(plan.clone());
            return Ok(0);
        }
        match self.load(&wanted, &disk).await {
            Ok(()) => {
                self.taken = Some(plan.clone());
                Ok(differences(&disk, &wanted.text))
            }
            Err(refused @ ApplyError::Refused { .. }) => {
                self.withdraw_at_least(plan, links, &disk).await;
                Err(refused)
            }
            Err(error) => Err(error),
        }
    }

    async fn load(&mut self, wanted: &Rendered, before: &str) -> Result<(), ApplyError> {
        self.write(wanted.text.clone()).await?;
        let load = format!("configure timeout {UNDO_AFTER_SECONDS}");
        for command in ["configure check", &load] {
            let reply = self.control.say(command).await.map_err(ApplyError::NotAnswering)?;
            if reply.refused() {
                self.write(before.to_owned()).await?;
                return Err(self.refused(reply.last()));
            }
        }
        if self.loaded().await.map_err(ApplyError::NotAnswering)? != Some(wanted.digest) {
            self.control.say("configure undo").await.map_err(ApplyError::NotAnswering)?;
            self.write(before.to_owned()).await?;
            let include = self.options.include.display();
            let answer =
                format!("BIRD's configuration does not include it; add the line: include \"{include}\";");
            return Err(ApplyError::Refused { line: include.to_string(), answer });
        }
        self.control.say("configure confirm").await.map(drop).map_err(ApplyError::NotAnswering)
    }

    /// Takes out of what runs the prefixes that are not wanted any more. That this may fail too is told by the
    /// error that led here.
    async fn withdraw_at_least(&mut self, plan: &RoutingPlan, links: &[Link], disk: &str) {
        let Some(mut less) = self.taken.clone() else { return };
        less.announcements.retain(|route, _| plan.announcements.contains_key(route));
        if let Some(ospf) = &mut less.ospf {
            ospf.routes
                .retain(|route, _| plan.ospf.as_ref().is_some_and(|plan| plan.routes.contains_key(route)));
        }
        let wanted = self.renderer.render(&view(&less, links));
        if wanted.text != disk && self.load(&wanted, disk).await.is_ok() {
            self.taken = Some(less);
        }
    }

    pub(super) async fn protocols(&mut self) -> io::Result<Vec<Protocol>> {
        Ok(protocols(&self.control.say("show protocols all").await?.lines))
    }

    /// The digest of the file that BIRD runs; `None`: it runs none of ours.
    async fn loaded(&mut self) -> io::Result<Option<u32>> {
        let reply = self.control.say(&format!("eval {DIGEST}")).await?;
        Ok(reply.last().trim().parse().ok().filter(|_| !reply.refused()))
    }

    /// The operator's, in the tables that every BIRD has unless somebody renamed them.
    async fn static_host_routes(&mut self) -> io::Result<BTreeSet<HostRoute>> {
        let mut routes = BTreeSet::new();
        for (digit, length) in [(4, 32), (6, 128)] {
            let which = format!("source = RTS_STATIC && proto !~ \"novaedge_*\" && net.len = {length}");
            let reply = self.control.say(&format!("show route table master{digit} where {which}")).await?;
            routes.extend(reply.texts().filter_map(|line| HostRoute::parse(line.split(' ').next()?).ok()));
        }
        Ok(routes)
    }

    /// For peers of our own AS it matters whether they are near, for watched ones which address faces them.
    async fn links_for(&mut self, plan: &RoutingPlan) -> io::Result<Vec<Link>> {
        let matters = |speaker: &SpeakerPlan| {
            speaker.peers.values().any(|peer| peer.asn == speaker.asn || peer.bfd.is_some())
        };
        if !plan.speaker.as_ref().is_some_and(matters) {
            return Ok(Vec::new());
        }
        Ok(links(self.control.say("show interfaces").await?.texts()))
    }

    async fn write(&self, text: String) -> Result<(), ApplyError> {
        let written = on_disk(&self.options, move |path| write(path, &text)).await;
        written.map_err(|error| self.file_trouble(&error))
    }

    fn refused(&self, answer: &str) -> ApplyError {
        ApplyError::Refused { line: self.options.include.display().to_string(), answer: answer.to_owned() }
    }

    fn file_trouble(&self, error: &io::Error) -> ApplyError {
        self.refused(&format!("the agent cannot keep this file: {error}"))
    }
}

/// A session bounces when graceful restart is switched, and one over which a departure goes must not. By the
/// time that it ends, everything has been withdrawn over it explicitly, which counts whatever was negotiated
/// (RFC 4724 §4.2).
fn keep_restarting(plan: &mut RoutingPlan, disk: &str) {
    let leaves = |communities: &BTreeSet<Community>| communities.contains(&Community::GRACEFUL_SHUTDOWN);
    if !plan.announcements.values().all(|announcement| leaves(&announcement.attributes.communities)) {
        return;
    }
    if let Some(speaker) = plan.speaker.as_mut().filter(|speaker| speaker.graceful_restart.is_none()) {
        speaker.graceful_restart =
            restart_seconds(disk).map(|restart_seconds| GracefulRestart { restart_seconds });
    }
}

fn restart_seconds(text: &str) -> Option<u16> {
    let value =
        |line: &str| line.trim().strip_prefix("graceful restart time ")?.strip_suffix(';')?.parse().ok();
    text.lines().find_map(value)
}

async fn on_disk<T: Send + 'static>(
    options: &Options,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let path = options.include.clone();
    tokio::task::spawn_blocking(move || work(&path)).await.map_err(io::Error::other)?
}

fn read(path: &Path) -> io::Result<String> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        other => other,
    }
}

/// The file belongs to whom its directory belongs to, which is BIRD's user.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let directory = path.parent().map(std::fs::metadata).transpose()?;
    let owner = directory.map(|directory| (directory.uid(), directory.gid()));
    file::replace_for(path, text.as_bytes(), 0o640, owner)
}

/// Lines that came or went; the digest's own is no change.
fn differences(before: &str, after: &str) -> usize {
    let lines = |text: &str| -> BTreeSet<String> {
        text.lines().filter(|line| !line.contains(DIGEST)).map(str::to_owned).collect()
    };
    lines(before).symmetric_difference(&lines(after)).count().max(1)
}

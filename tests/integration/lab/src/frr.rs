//! One real FRR: its daemons in a namespace, under the pathspace of the same name.

use crate::{Netns, Process, Program, Vty, eventually};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const STARTED_WITHIN: Duration = Duration::from_secs(10);

/// The daemons of one pathspace, and (by `Deref`) the [`Vty`] to talk to them.
#[derive(Debug)]
pub struct Frr {
    vty: Vty,
    daemons: BTreeMap<String, Process>,
}

impl Frr {
    /// Starts the daemons named in `configs` with those configurations, zebra first (who finds no zebra
    /// waits seconds before trying again), and returns when all answer. Their logs go to `logs`.
    ///
    /// # Errors
    /// FRR is not installed, or a daemon does not answer in time (the message names its log).
    pub fn start(netns: &Netns, configs: &BTreeMap<&str, String>, logs: &Path) -> Result<Self> {
        let mut frr = Self { vty: Vty::new(netns.name()), daemons: BTreeMap::new() };
        frr.make_directories()?;
        // Without this file vtysh complains before every answer.
        std::fs::write(frr.config_dir().join("vtysh.conf"), "service integrated-vtysh-config\n")?;
        for (name, config) in configs {
            std::fs::write(frr.config_dir().join(format!("{name}.conf")), config)?;
        }
        frr.launch(netns, "zebra", logs)?;
        frr.wait_for("zebra")?;
        let others = configs.keys().filter(|name| **name != "zebra");
        others.clone().try_for_each(|name| frr.launch(netns, name, logs))?;
        others.clone().try_for_each(|name| frr.wait_for(name))?;
        Ok(frr)
    }

    /// One daemon's process: `bgpd`. A daemon that was restarted has forgotten what was configured by hand;
    /// [`Self::wait_for`] it.
    ///
    /// # Panics
    /// When the instance was started without that daemon.
    pub fn daemon(&self, name: &str) -> &Process {
        self.daemons.get(name).unwrap_or_else(|| panic!("this FRR was started without {name}"))
    }

    /// Waits until the daemon answers on its socket.
    ///
    /// # Errors
    /// It does not within 10 s; the message names its log.
    pub fn wait_for(&self, name: &str) -> Result<()> {
        eventually(&format!("{name} answers"), STARTED_WITHIN, || self.answers(name))
            .with_context(|| format!("see {}", self.daemon(name).log_path().display()))
    }

    /// Removes what a pathspace leaves on the disk.
    ///
    /// # Errors
    /// A directory is there and cannot be removed.
    pub fn remove_directories(pathspace: &str) -> Result<()> {
        let vty = Vty::new(pathspace);
        for dir in [vty.dir(), vty.config_dir()].iter().filter(|dir| dir.exists()) {
            std::fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", dir.display()))?;
        }
        Ok(())
    }

    fn make_directories(&self) -> Result<()> {
        let mut install = Command::new("install");
        install.args(["-d", "-o", "frr", "-g", "frr", "-m", "755"]);
        install.args([self.dir(), self.config_dir()]);
        crate::netns::run(&mut install, "")
            .context("FRR's directories, which belong to its user frr")
            .map(drop)
    }

    fn launch(&mut self, netns: &Netns, name: &str, logs: &Path) -> Result<()> {
        let program = Program::new(Path::new("/usr/lib/frr").join(name))
            .args(["-N", netns.name(), "-P", "0", "--log", "stdout", "-f"])
            .arg(self.config_dir().join(format!("{name}.conf")));
        // Replace an IPv6 route in one step, as IPv4's are: without it zebra deletes and adds.
        let program = if name == "zebra" { program.arg("--v6-rr-semantics") } else { program };
        let log = logs.join(format!("{}.{name}.log", netns.name()));
        self.daemons.insert(name.to_owned(), Process::start(netns, program, &log)?);
        Ok(())
    }
}

impl Deref for Frr {
    type Target = Vty;
    fn deref(&self) -> &Vty {
        &self.vty
    }
}

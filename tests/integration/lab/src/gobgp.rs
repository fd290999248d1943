//! One real gobgpd: its process, and its own command line.

use crate::topology::NodeId;
use crate::{Netns, Process, Program, eventually};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const STARTED_WITHIN: Duration = Duration::from_secs(10);

/// Which GoBGP: the distribution's, or the one that the project's set-up builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    V3,
    V4,
}

impl Version {
    /// Where a program of this version is.
    pub fn program(self, name: &str) -> PathBuf {
        match self {
            Self::V3 => Path::new("/usr/bin").join(name),
            Self::V4 => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/tools/gobgp4").join(name),
        }
    }
}

#[derive(Debug)]
pub struct Gobgp {
    version: Version,
    dir: PathBuf,
    process: Process,
}

impl Gobgp {
    /// Starts gobgpd without any configuration. Returns when it answers.
    ///
    /// # Errors
    /// It is not installed, or does not answer in time (the message names its log).
    pub fn start(netns: &Netns, version: Version, dir: &Path, log: &Path) -> Result<Self> {
        let program = version.program("gobgpd");
        ensure!(program.exists(), "there is no {}; `make setup` installs it", program.display());
        std::fs::create_dir_all(dir)?;
        let program = Program::new(program)
            .args(["--pprof-disable", "--log-level", "info", "--api-hosts"])
            .arg(format!("unix://{}", socket(dir).display()));
        let gobgp = Self { version, dir: dir.to_owned(), process: Process::start(netns, program, log)? };
        gobgp.wait()?;
        Ok(gobgp)
    }

    pub fn process(&self) -> &Process {
        &self.process
    }

    /// As an agent is told: `unix:///…`.
    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        socket(&self.dir)
    }

    /// Ends it without warning and starts it again. Returns when it answers.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn restart(&self) -> Result<()> {
        self.process.kill9();
        // A killed one leaves its socket, and another one does not start over it.
        std::fs::remove_file(self.socket())?;
        self.process.restart()?;
        self.wait()
    }

    /// Waits until it answers.
    ///
    /// # Errors
    /// It does not within 10 s; the message names its log.
    pub fn wait(&self) -> Result<()> {
        eventually("gobgpd answers", STARTED_WITHIN, || self.ask(&["global"]).map(drop))
            .with_context(|| format!("see {}", self.process.log_path().display()))
    }

    /// What `gobgp ARGUMENTS` prints.
    ///
    /// # Errors
    /// It fails (the message has its words).
    pub fn ask(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(self.version.program("gobgp"));
        let output = command.arg("--target").arg(self.endpoint()).args(arguments).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            bail!("gobgp {arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(text)
    }

    /// The same as JSON.
    ///
    /// # Errors
    /// It fails, or prints no JSON.
    pub fn ask_json(&self, arguments: &[&str]) -> Result<Value> {
        let text = self.ask(&[arguments, &["--json"]].concat())?;
        serde_json::from_str(&text).with_context(|| format!("gobgp {arguments:?}: {text:?}"))
    }

    /// Starts BGP as an operator does.
    ///
    /// # Errors
    /// gobgpd refuses.
    pub fn start_bgp(&self, asn: u32, node: NodeId) -> Result<()> {
        let (asn, id) = (asn.to_string(), node.address4().to_string());
        self.ask(&["global", "as", &asn, "router-id", &id]).map(drop)
    }
}

fn socket(dir: &Path) -> PathBuf {
    dir.join("api.sock")
}

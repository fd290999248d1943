//! Talking to FRR over its daemons' own vty sockets, and by `vtysh` as people do.
//!
//! The protocol: a command and a NUL; the answer ends with three NULs and the return code.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Where one FRR instance (a pathspace) can be talked to. Works while its daemons run.
#[derive(Debug, Clone)]
pub struct Vty {
    pathspace: String,
}

impl Vty {
    pub fn new(pathspace: &str) -> Self {
        Self { pathspace: pathspace.to_owned() }
    }

    /// The directory of the sockets: `bgpd.vty`, `bfdd.vty`, …
    pub fn dir(&self) -> PathBuf {
        Path::new("/var/run/frr").join(&self.pathspace)
    }

    /// The directory that FRR reads its configuration from.
    pub fn config_dir(&self) -> PathBuf {
        Path::new("/etc/frr").join(&self.pathspace)
    }

    /// The answer of one daemon to one command in enable mode: `("bgpd", "show bgp summary")`.
    ///
    /// # Errors
    /// The daemon does not answer, or refuses (the message has its words).
    pub fn ask(&self, daemon: &str, command: &str) -> Result<String> {
        let mut session = Session::open(&self.dir(), daemon)?;
        session.command("enable")?;
        session.command(command)
    }

    /// The answer to a command that ends in `json`.
    ///
    /// # Errors
    /// As [`Self::ask`], or the answer is not JSON.
    pub fn ask_json(&self, daemon: &str, command: &str) -> Result<Value> {
        let answer = self.ask(daemon, command)?;
        serde_json::from_str(&answer).with_context(|| format!("{daemon}: {command}: {answer:?}"))
    }

    /// Enters these lines in configuration mode of one daemon, in milliseconds.
    ///
    /// # Errors
    /// The daemon does not answer, or refuses a line; the lines before it are in force.
    pub fn configure(&self, daemon: &str, lines: &[impl AsRef<str>]) -> Result<()> {
        let mut session = Session::open(&self.dir(), daemon)?;
        session.command("enable")?;
        session.command("configure terminal")?;
        for line in lines {
            session.command(line.as_ref())?;
        }
        session.command("end").map(drop)
    }

    /// What `vtysh -c COMMAND…` prints.
    ///
    /// # Errors
    /// `vtysh` ends with another status than 0.
    pub fn vtysh(&self, commands: &[&str]) -> Result<String> {
        let mut vtysh = Command::new("vtysh");
        vtysh.args(["-N", &self.pathspace]);
        vtysh.args(commands.iter().flat_map(|command| ["-c", command]));
        crate::netns::run(&mut vtysh, "")
    }

    /// Whether the daemon answers on its socket.
    ///
    /// # Errors
    /// It does not.
    pub fn answers(&self, daemon: &str) -> Result<()> {
        Session::open(&self.dir(), daemon)?.command("show version").map(drop)
    }
}

struct Session {
    stream: UnixStream,
    daemon: String,
}

impl Session {
    fn open(dir: &Path, daemon: &str) -> Result<Self> {
        let path = dir.join(format!("{daemon}.vty"));
        let stream = UnixStream::connect(&path).with_context(|| format!("{}", path.display()))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(Self { stream, daemon: daemon.to_owned() })
    }

    fn command(&mut self, line: &str) -> Result<String> {
        let daemon = &self.daemon;
        ensure!(!line.contains(['\0', '\n']), "one line at a time: {line:?}");
        self.stream.write_all(format!("{line}\0").as_bytes())?;
        let mut answer = Vec::new();
        let mut chunk = [0; 16384];
        while ending(&answer).is_none() {
            let read = crate::patient::read(&mut self.stream, &mut chunk)
                .with_context(|| format!("{daemon}: {line}"))?;
            ensure!(read > 0, "{daemon} hung up after {line:?}");
            answer.extend_from_slice(&chunk[..read]);
        }
        let code = ending(&answer).unwrap_or_default();
        let text = String::from_utf8_lossy(&answer[..answer.len() - 4]).into_owned();
        if code != 0 {
            bail!("{daemon} refuses {line:?} ({code}): {}", text.trim());
        }
        Ok(text)
    }
}

/// The return code of a complete answer.
fn ending(answer: &[u8]) -> Option<u8> {
    match answer {
        [.., 0, 0, 0, code] => Some(*code),
        _ => None,
    }
}

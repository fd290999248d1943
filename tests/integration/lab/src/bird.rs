//! One real BIRD: its process, its configuration, and questions to it by its control socket, as `birdc` asks.

use crate::topology::NodeId;
use crate::{Netns, Process, Program, eventually};
use anyhow::{Context, Result, bail, ensure};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

const STARTED_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct Bird {
    dir: PathBuf,
    process: Process,
}

impl Bird {
    /// Starts BIRD with `config` as the operator's part, which also gets an empty file included that an agent may
    /// fill ([`Self::include`]). Returns when it answers.
    ///
    /// # Errors
    /// BIRD is not installed, refuses the configuration, or does not answer in time (the message names its log).
    pub fn start(netns: &Netns, config: &str, dir: &Path, log: &Path) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        std::fs::write(dir.join("novaedge.conf"), "")?;
        write_config(dir, config)?;
        let program = Program::new("/usr/sbin/bird").arg("-f");
        let program = [("-c", "bird.conf"), ("-s", "bird.ctl"), ("-P", "bird.pid")]
            .into_iter()
            .fold(program, |program, (option, file)| program.arg(option).arg(dir.join(file)));
        let bird = Self { dir: dir.to_owned(), process: Process::start(netns, program, log)? };
        bird.wait()?;
        Ok(bird)
    }

    pub fn process(&self) -> &Process {
        &self.process
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.join("bird.ctl")
    }

    /// The file that the configuration includes.
    pub fn include(&self) -> PathBuf {
        self.dir.join("novaedge.conf")
    }

    /// Waits until it answers.
    ///
    /// # Errors
    /// It does not within 10 s; the message names its log.
    pub fn wait(&self) -> Result<()> {
        eventually("BIRD answers", STARTED_WITHIN, || self.ask("show status").map(drop))
            .with_context(|| format!("see {}", self.process.log_path().display()))
    }

    /// Makes `config` the operator's part, and loads it.
    ///
    /// # Errors
    /// BIRD refuses it.
    pub fn configure(&self, config: &str) -> Result<()> {
        write_config(&self.dir, config)?;
        self.ask("configure").map(drop)
    }

    /// The whole answer to one command, a line each.
    ///
    /// # Errors
    /// BIRD does not answer, or refuses (the message has its words).
    pub fn ask(&self, command: &str) -> Result<String> {
        let stream = UnixStream::connect(self.socket())?;
        stream.set_read_timeout(Some(STARTED_WITHIN))?;
        let mut lines = BufReader::new(stream);
        reply(&mut lines)?;
        lines.get_mut().write_all(format!("{command}\n").as_bytes())?;
        let (code, text) = reply(&mut lines)?;
        if code >= 8000 {
            bail!("BIRD refuses {command:?} ({code}): {}", text.trim());
        }
        Ok(text)
    }
}

/// The least that a node's BIRD needs. A burst of new addresses may be more than the kernel's messages can say
/// in time: the buffer makes that rare, the scan makes it short.
pub fn operators(node: NodeId) -> String {
    format!(
        "log stderr all;\nrouter id {};\nprotocol device {{ scan time 2; }}\n\
         protocol kernel {{ netlink rx buffer 16777216; ipv4 {{ import none; export none; }}; }}\n",
        node.address4()
    )
}

fn write_config(dir: &Path, config: &str) -> Result<()> {
    let include = dir.join("novaedge.conf");
    Ok(std::fs::write(dir.join("bird.conf"), format!("{config}\ninclude \"{}\";\n", include.display()))?)
}

/// Lines up to the one whose code is followed by a blank.
fn reply(lines: &mut impl BufRead) -> Result<(u16, String)> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        ensure!(lines.read_line(&mut line)? > 0, "BIRD hung up after {text:?}");
        match line.split_at_checked(4).and_then(|(code, rest)| Some((code.parse::<u16>().ok()?, rest))) {
            Some((code, rest)) => {
                text.push_str(rest.get(1..).unwrap_or_default());
                if rest.starts_with(' ') {
                    return Ok((code, text));
                }
            }
            None => text.push_str(line.strip_prefix(' ').unwrap_or(&line)),
        }
    }
}

//! A network namespace by name: run a closure, a program, `ip`, `nft` in it; end what runs in it.

use crate::eventually;
use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::io::Write;
use std::ops::Deref;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// A handle on a namespace that `ip netns` knows by the same name. Cheap to clone; owns nothing.
#[derive(Debug, Clone)]
pub struct Netns {
    name: String,
    file: Arc<File>,
}

/// A namespace that lives as long as this value: dropping it ends every process in it and deletes it.
#[derive(Debug)]
pub struct OwnedNetns(Netns);

impl Netns {
    /// Makes an empty namespace with its loopback up. One that an earlier run left behind under this name
    /// is deleted first, with whatever runs in it.
    ///
    /// # Errors
    /// `ip` is missing or refuses, which it does without root.
    pub fn create(name: &str) -> Result<OwnedNetns> {
        Self::remove(name)?;
        run(Command::new("ip").args(["netns", "add", name]), "")?;
        let owned = OwnedNetns(Self::open(name)?);
        owned.ip("link set lo up")?;
        Ok(owned)
    }

    /// A handle on a namespace that exists.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn open(name: &str) -> Result<Self> {
        let path = Path::new("/run/netns").join(name);
        let file = File::open(&path).with_context(|| format!("there is no network namespace {name:?}"))?;
        Ok(Self { name: name.to_owned(), file: Arc::new(file) })
    }

    /// Ends every process in the namespace `name` and deletes it; nothing to do when there is none.
    ///
    /// # Errors
    /// A process survives SIGKILL, or `ip` refuses.
    pub fn remove(name: &str) -> Result<()> {
        let Ok(netns) = Self::open(name) else { return Ok(()) };
        netns.end_processes()?;
        run(Command::new("ip").args(["netns", "delete", name]), "").map(drop)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Calls `act` on a thread of its own inside the namespace, and returns what it returned. Sockets opened
    /// there belong to the namespace for ever, wherever they are used afterwards.
    ///
    /// # Panics
    /// With `act`'s own panic, or when the namespace cannot be entered (not root).
    pub fn run<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let inside = scope.spawn(|| {
                self.enter().expect("entering a network namespace needs root");
                act()
            });
            inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Moves the calling thread, and what it starts from now on, into the namespace.
    ///
    /// # Errors
    /// The kernel refuses, which it does without root.
    pub fn enter(&self) -> std::io::Result<()> {
        Ok(move_into_link_name_space(self.file.as_fd(), Some(LinkNameSpaceType::Network))?)
    }

    /// A command that will run inside the namespace.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        let netns = self.clone();
        // SAFETY: between fork and exec only the setns system call is made, on a descriptor that is open.
        unsafe { command.pre_exec(move || netns.enter()) };
        command
    }

    /// A command that will run inside the namespace as the leader of a session of its own.
    pub(crate) fn command_in_new_session(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = self.command(program);
        // SAFETY: between fork and exec only the setsid system call is made.
        unsafe { command.pre_exec(|| Ok(rustix::process::setsid().map(drop)?)) };
        command
    }

    /// Runs `ip` with these words (split at blanks) in the namespace.
    ///
    /// # Errors
    /// `ip` refuses; the message is its own.
    pub fn ip(&self, words: &str) -> Result<String> {
        run(self.command("ip").args(words.split_whitespace()), "")
    }

    /// Runs many `ip` commands, one a line, with one process.
    ///
    /// # Errors
    /// `ip` refuses a line; the message is its own. Lines before it are done.
    pub fn ip_batch(&self, lines: &str) -> Result<()> {
        run(self.command("ip").args(["-batch", "-"]), lines).map(drop)
    }

    /// Runs an nft script in the namespace, as one transaction.
    ///
    /// # Errors
    /// `nft` refuses, and then nothing changed.
    pub fn nft(&self, script: &str) -> Result<String> {
        run(self.command("nft").args(["-f", "-"]), script)
    }

    /// Runs a program to its end in the namespace and returns what it printed.
    ///
    /// # Errors
    /// It cannot start, or ends with another status than 0 (the message has its stderr).
    pub fn exec(&self, program: &str, args: &[&str]) -> Result<String> {
        run(self.command(program).args(args), "")
    }

    /// Sets the namespace's own `net` variables: `("ipv4.ip_forward", "1")` without the leading `net.`.
    ///
    /// # Errors
    /// The kernel does not know one of them, or refuses the value.
    pub fn sysctl(&self, settings: &[(&str, &str)]) -> Result<()> {
        self.run(|| {
            settings.iter().try_for_each(|(name, value)| {
                let path = Path::new("/proc/sys/net").join(name.replace('.', "/"));
                std::fs::write(&path, value).with_context(|| format!("net.{name} = {value}"))
            })
        })
    }

    /// The processes whose main thread is in the namespace, this one left out.
    pub fn processes(&self) -> Result<Vec<Pid>> {
        let inside = self.file.metadata()?;
        let here = |pid: i32| {
            std::fs::metadata(format!("/proc/{pid}/ns/net"))
                .is_ok_and(|ns| (ns.dev(), ns.ino()) == (inside.dev(), inside.ino()))
        };
        let own = std::process::id() as i32;
        let numbers =
            std::fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        Ok(numbers.filter(|&pid| pid != own && here(pid)).filter_map(Pid::from_raw).collect())
    }

    fn end_processes(&self) -> Result<()> {
        let what = format!("the processes in {} end", self.name);
        eventually(&what, Duration::from_secs(5), || {
            let left = self.processes()?;
            for &pid in &left {
                // One that ended meanwhile is what we want.
                let _ = kill_process(pid, Signal::KILL);
            }
            ensure!(left.is_empty(), "{left:?} still run");
            Ok::<_, anyhow::Error>(())
        })
    }
}

impl Deref for OwnedNetns {
    type Target = Netns;
    fn deref(&self) -> &Netns {
        &self.0
    }
}

impl Drop for OwnedNetns {
    fn drop(&mut self) {
        if let Err(error) = Netns::remove(self.name()) {
            tracing::error!(netns = self.name(), %error, "cannot remove a network namespace");
        }
    }
}

/// Runs a command to its end with `input` on its stdin; what it printed, or an error with its stderr.
pub(crate) fn run(command: &mut Command, input: &str) -> Result<String> {
    let text = format!("{command:?}");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start {text}"))?;
    let mut stdin = child.stdin.take().context("a piped stdin")?;
    // A program that stops reading says why on stderr.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().with_context(|| format!("cannot wait for {text}"))?;
    if !output.status.success() {
        bail!("{text}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::Netns;
    use std::net::TcpListener;
    use std::os::unix::process::CommandExt;

    #[test]
    fn what_happens_inside_stays_inside_and_goes_with_it() {
        let netns = Netns::create("lab-t-netns").unwrap();
        netns.ip("addr add 192.0.2.7/32 dev lo").unwrap();
        assert!(netns.run(|| TcpListener::bind("192.0.2.7:80")).is_ok());
        assert!(TcpListener::bind("192.0.2.7:80").is_err(), "the address is the namespace's alone");

        let mut sleeper = netns.command("sleep").arg("1000").process_group(0).spawn().unwrap();
        assert_eq!(netns.processes().unwrap().len(), 1);
        drop(netns);
        assert!(!sleeper.wait().unwrap().success(), "dropping ended it");
        assert!(Netns::open("lab-t-netns").is_err());
    }

    #[test]
    fn a_refused_command_says_why() {
        let netns = Netns::create("lab-t-netns-err").unwrap();
        let error = netns.ip("addr add 192.0.2.999/32 dev lo").unwrap_err().to_string();
        assert!(error.contains("192.0.2.999"), "{error}");
    }
}

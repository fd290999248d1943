//! A program that runs in a namespace until it is told otherwise: an agent, a routing daemon, a backend.

use crate::{Netns, eventually};
use anyhow::{Context, Result};
use rustix::process::{Pid, Resource, Signal, getrlimit, kill_process_group, setrlimit};
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::Duration;

/// What to run: program, arguments, environment.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
}

impl Program {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), args: Vec::new(), env: Vec::new() }
    }

    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }
}

/// A running program with a session of its own, so that signals reach all its children and no terminal's
/// reach it. Dropping it ends it with SIGKILL.
#[derive(Debug)]
pub struct Process {
    program: Program,
    netns: Netns,
    log: PathBuf,
    child: Mutex<Child>,
}

impl Process {
    /// Starts `program` inside `netns`; what it prints is appended to `log`.
    ///
    /// # Errors
    /// It cannot be started, or the log cannot be opened.
    pub fn start(netns: &Netns, program: Program, log: &Path) -> Result<Self> {
        let child = Mutex::new(spawn(netns, &program, log)?);
        Ok(Self { program, netns: netns.clone(), log: log.to_owned(), child })
    }

    pub fn pid(&self) -> u32 {
        self.child().id()
    }

    /// Whether it has not ended yet (a stopped one has not).
    pub fn alive(&self) -> bool {
        matches!(self.child().try_wait(), Ok(None))
    }

    /// Ends it at once, as the kernel does for want of memory, and returns when it is gone.
    pub fn kill9(&self) {
        self.signal(Signal::KILL);
        // Nothing survives SIGKILL; an error means that it was reaped before.
        let _ = self.child().wait();
    }

    /// Asks it to end (SIGTERM). See [`Self::wait`].
    pub fn term(&self) {
        self.signal(Signal::TERM);
    }

    /// Freezes it (SIGSTOP): its sockets stay open and nothing answers.
    pub fn stop(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets a frozen one go on (SIGCONT).
    pub fn cont(&self) {
        self.signal(Signal::CONT);
    }

    /// Sends a signal to it and its children; nothing happens when it has ended.
    pub fn signal(&self, signal: Signal) {
        let mut child = self.child();
        // Not reaped yet, so the number is still its own.
        if let (Ok(None), Some(pid)) = (child.try_wait(), Pid::from_raw(child.id() as i32)) {
            // It may be ending at this moment, which is no error.
            let _ = kill_process_group(pid, signal);
        }
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// It still runs at the deadline.
    pub fn wait(&self, deadline: Duration) -> Result<ExitStatus> {
        eventually(&format!("{} ends", self.program.path.display()), deadline, || {
            self.child().try_wait().map_err(|error| error.to_string())?.ok_or("it still runs".to_owned())
        })
    }

    /// Starts the same program again, ending what still runs. The log goes on.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn restart(&self) -> Result<()> {
        self.kill9();
        *self.child() = spawn(&self.netns, &self.program, &self.log)?;
        Ok(())
    }

    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// All that it printed so far, over restarts too.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill9();
    }
}

/// Lifts this process's limit of open files to what it may have: a kept connection is a file.
pub(crate) fn allow_many_descriptors() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Refused: the old limit holds, and whoever needs more will say so.
    let _ = setrlimit(Resource::Nofile, limit);
}

fn spawn(netns: &Netns, program: &Program, log: &Path) -> Result<Child> {
    let output = OpenOptions::new().create(true).append(true).open(log);
    let output = output.with_context(|| format!("cannot open the log {}", log.display()))?;
    let errors = output.try_clone()?;
    let mut command = netns.command_in_new_session(&program.path);
    command.args(&program.args).envs(program.env.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(output).stderr(errors);
    command.spawn().with_context(|| format!("cannot start {}", program.path.display()))
}

#[cfg(test)]
mod tests {
    use super::{Process, Program};
    use crate::Netns;
    use std::time::Duration;

    const SOON: Duration = Duration::from_secs(5);

    #[test]
    fn starts_in_its_namespace_writes_its_log_and_starts_again() {
        let netns = Netns::create("lab-t-process").unwrap();
        let log = std::env::temp_dir().join("lab-t-process.log");
        let _ = std::fs::remove_file(&log);
        let script = "ip -br link; echo $WORD; exec sleep 1000";
        let program = Program::new("sh").args(["-c", script]).env("WORD", "hello");
        let process = Process::start(&netns, program, &log).unwrap();
        let says = |times: usize| {
            crate::eventually("the log", SOON, || {
                let text = process.log();
                if text.matches("hello").count() == times { Ok(text) } else { Err(text) }
            })
        };
        assert_eq!(says(1).unwrap().lines().count(), 2, "a new namespace has a loopback and nothing else");

        process.kill9();
        assert!(!process.alive());
        process.restart().unwrap();
        assert!(process.alive());
        says(2).unwrap();
        process.term();
        assert!(!process.wait(SOON).unwrap().success());
        std::fs::remove_file(&log).unwrap();
    }
}

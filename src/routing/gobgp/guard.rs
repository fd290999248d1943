//! The agent's end of its guard: nothing is announced that nobody would withdraw for a dead agent.

use crate::routing::ApplyError;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::time::timeout;

/// What a guard says when it is at work.
pub const GUARD_READY: &[u8] = b"ready\n";

const PATIENCE: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Where the guard is, and how to start one.
#[derive(Debug, Clone)]
pub struct GuardOptions {
    pub socket: PathBuf,
    /// The program and its arguments; `None`: somebody else sees to it that there is one.
    pub command: Option<Vec<OsString>>,
}

#[derive(Debug)]
pub struct Guard {
    options: GuardOptions,
    connection: Option<UnixStream>,
}

impl Guard {
    pub fn new(options: GuardOptions) -> Self {
        Self { options, connection: None }
    }

    /// Makes sure that a guard is at work.
    pub async fn ensure(&mut self) -> Result<(), ApplyError> {
        if self.connection.as_ref().is_some_and(is_open) {
            return Ok(());
        }
        self.connection = None;
        if let Ok(connection) = self.connect().await {
            self.connection = Some(connection);
            return Ok(());
        }
        let Some(command) = &self.options.command else {
            return Err(self.refused("run `novaedge-agent guard` beside gobgpd"));
        };
        start(command)
            .map_err(|error| self.refused(&format!("{} cannot be started: {error}", command[0].display())))?;
        let connecting = async {
            loop {
                match self.connect().await {
                    Ok(connection) => return connection,
                    Err(_) => tokio::time::sleep(LOOK_AGAIN).await,
                }
            }
        };
        let connected = timeout(PATIENCE, connecting).await;
        self.connection =
            Some(connected.map_err(|_| self.refused("the one that was started does not answer"))?);
        Ok(())
    }

    async fn connect(&self) -> io::Result<UnixStream> {
        let connecting = async {
            let mut connection = UnixStream::connect(&self.options.socket).await?;
            let mut word = [0; GUARD_READY.len()];
            connection.read_exact(&mut word).await?;
            if word == GUARD_READY { Ok(connection) } else { Err(io::ErrorKind::InvalidData.into()) }
        };
        timeout(PATIENCE, connecting).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    fn refused(&self, what: &str) -> ApplyError {
        let answer = format!(
            "nothing is announced without a guard, which withdraws for an agent that has died; no guard answers at {}: \
             {what}",
            self.options.socket.display()
        );
        ApplyError::Refused { line: "guard".to_owned(), answer }
    }
}

fn is_open(connection: &UnixStream) -> bool {
    matches!(connection.try_read(&mut [0; 8]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

/// In a process group of its own: what is done to the agent's is not done to it.
fn start(command: &[OsString]) -> io::Result<()> {
    let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut starting = tokio::process::Command::new(program);
    let child = starting.args(arguments).stdin(Stdio::null()).process_group(0).spawn()?;
    // Reaped by the runtime when it ends.
    drop(child);
    Ok(())
}

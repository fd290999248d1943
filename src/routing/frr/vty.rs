//! A client of an FRR daemon's vty socket, the one `vtysh` uses.
//!
//! A command goes out as its text and a NUL; the answer is text, three NULs and a return code. A kept
//! connection costs 0.1 ms a command where a `vtysh` process costs 40 ms. Many commands go out in one write
//! and are still answered one by one.
//!
//! The connection is made when it is needed and kept. While a command is under way the connection belongs to
//! that call alone: a call that is dropped takes the connection with it, so no answer is ever taken for
//! another command's.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::ReadHalf;

/// A daemon that says nothing for so long does not answer. FRR's main loop may be busy with a large table
/// for a second; a stopped process is silent for ever.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a daemon said to one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// FRR's `CMD_*` code; 0: done. Text beside a 0 is advice.
    pub code: u8,
    pub text: String,
}

impl Answer {
    pub fn refused(&self) -> bool {
        self.code != 0
    }
}

/// One daemon's socket.
#[derive(Debug)]
pub struct Vty {
    path: PathBuf,
    stream: Option<UnixStream>,
    /// The daemon closed the last connection: the next one is to a new process.
    lost: bool,
    restarts: u64,
}

impl Vty {
    /// The socket of `daemon` (`zebra`, `bgpd`, …) in FRR's run directory.
    pub fn new(directory: &Path, daemon: &str) -> Self {
        Self { path: directory.join(format!("{daemon}.vty")), stream: None, lost: false, restarts: 0 }
    }

    /// How often the daemon was found to be another process than before.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// Whether a socket is there at all; a daemon that is not used may be absent.
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Asks a question that changes nothing. When the kept connection turns out to be closed, asks the new
    /// process behind the socket.
    ///
    /// # Errors
    /// Nobody listens, or no answer comes in time.
    pub async fn ask(&mut self, question: &str) -> io::Result<Answer> {
        let commands = [question.to_owned()];
        let kept = self.stream.is_some();
        let answers = match self.send(&commands).await {
            Err(_) if kept && self.lost => self.send(&commands).await?,
            other => other?,
        };
        Ok(answers.into_iter().next().unwrap_or(Answer { code: 0, text: String::new() }))
    }

    /// Sends `commands` in one go and returns one answer for each, refusals included.
    ///
    /// # Errors
    /// Nobody listens, or an answer does not come in time; some of the commands may have been obeyed.
    pub async fn send(&mut self, commands: &[String]) -> io::Result<Vec<Answer>> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        match exchange(&mut stream, commands).await {
            Ok(answers) => {
                self.stream = Some(stream);
                Ok(answers)
            }
            Err(error) => {
                self.lost = error.kind() != io::ErrorKind::TimedOut;
                Err(self.explain(&error))
            }
        }
    }

    async fn connect(&mut self) -> io::Result<UnixStream> {
        let mut stream = UnixStream::connect(&self.path).await.map_err(|error| self.explain(&error))?;
        exchange(&mut stream, &["enable".to_owned()]).await.map_err(|error| self.explain(&error))?;
        if std::mem::take(&mut self.lost) {
            self.restarts += 1;
        }
        Ok(stream)
    }

    fn explain(&self, error: &io::Error) -> io::Error {
        let path = self.path.display();
        let remedy = match error.kind() {
            io::ErrorKind::PermissionDenied => "; the agent must be in the group frrvty",
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => "; is the daemon running?",
            _ => "",
        };
        io::Error::new(error.kind(), format!("{path}: {error}{remedy}"))
    }
}

/// Writes and reads at the same time, so that neither side's buffer can fill up and stop both.
async fn exchange(stream: &mut UnixStream, commands: &[String]) -> io::Result<Vec<Answer>> {
    let mut request = Vec::with_capacity(commands.iter().map(|command| command.len() + 1).sum());
    for command in commands {
        request.extend_from_slice(command.as_bytes());
        request.push(0);
    }
    let (mut reader, mut writer) = stream.split();
    let write = async { writer.write_all(&request).await };
    let (_, answers) = tokio::try_join!(write, read_answers(&mut reader, commands.len()))?;
    Ok(answers)
}

async fn read_answers(reader: &mut ReadHalf<'_>, count: usize) -> io::Result<Vec<Answer>> {
    let mut answers = Vec::with_capacity(count);
    let mut pending = Vec::with_capacity(64 * 1024);
    let mut scanned = 0;
    while answers.len() < count {
        match split_answer(&pending, scanned) {
            Ok((answer, used)) => {
                answers.push(answer);
                pending.drain(..used);
                scanned = 0;
            }
            Err(clean) => {
                scanned = clean;
                read_more(reader, &mut pending).await?;
            }
        }
    }
    Ok(answers)
}

async fn read_more(reader: &mut ReadHalf<'_>, pending: &mut Vec<u8>) -> io::Result<()> {
    let silent = || io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {PATIENCE:?}"));
    match tokio::time::timeout(PATIENCE, reader.read_buf(pending)).await.map_err(|_| silent())?? {
        0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the daemon closed the connection")),
        _ => Ok(()),
    }
}

/// The first whole answer in `bytes` and its length, or how many bytes are known to hold no end of one.
fn split_answer(bytes: &[u8], scanned: usize) -> Result<(Answer, usize), usize> {
    let end = bytes[scanned..].iter().position(|byte| *byte == 0).map(|at| scanned + at);
    match end {
        None => Err(bytes.len()),
        Some(end) => match bytes.get(end + 3) {
            None => Err(end),
            Some(code) => {
                let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
                Ok((Answer { code: *code, text }, end + 4))
            }
        },
    }
}

//! A client of BIRD's control socket, the one `birdc` uses.
//!
//! A command is a line. The answer is lines: `NNNN-text` and ` text` (of the code before it) go on, `NNNN text`
//! ends it, `+text` belongs to nobody. Codes of 8000 and above are refusals (BIRD's `doc/reply_codes`).
//!
//! The connection is made when it is needed and kept. While a command is under way the connection belongs to
//! that call alone: a call that is dropped takes the connection with it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

/// A daemon that says nothing for so long does not answer. BIRD's loop may be busy with a large table for a
/// moment; a stopped process is silent for ever.
const PATIENCE: Duration = Duration::from_secs(3);

/// From here on, a code says that the command was not carried out.
const FIRST_REFUSAL: u16 = 8000;

/// What BIRD said to one command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// The code of the last line.
    pub code: u16,
    /// All lines with their codes, the last one included.
    pub lines: Vec<(u16, String)>,
}

impl Reply {
    pub fn refused(&self) -> bool {
        self.code >= FIRST_REFUSAL
    }

    /// The last line, in BIRD's words.
    pub fn last(&self) -> &str {
        self.lines.last().map_or("", |(_, text)| text.as_str())
    }

    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|(_, text)| text.as_str())
    }
}

#[derive(Debug)]
pub struct Control {
    path: PathBuf,
    stream: Option<BufReader<UnixStream>>,
    /// As the daemon greeted: `BIRD 2.0.12 ready.`
    greeting: String,
    /// The daemon closed the last connection: the next one is to a new process.
    lost: bool,
    restarts: u64,
}

impl Control {
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), stream: None, greeting: String::new(), lost: false, restarts: 0 }
    }

    /// How often BIRD was found to be another process than before.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// `2.0.12`
    pub fn version(&self) -> &str {
        self.greeting.split_whitespace().nth(1).unwrap_or("unknown")
    }

    /// Says one command. When the kept connection turns out to be closed, says it to the new process behind the
    /// socket: every command here may be said twice.
    ///
    /// # Errors
    /// Nobody listens, or no answer comes in time.
    pub async fn say(&mut self, command: &str) -> io::Result<Reply> {
        let kept = self.stream.is_some();
        match self.say_once(command).await {
            Err(_) if kept && self.lost => self.say_once(command).await,
            other => other,
        }
    }

    async fn say_once(&mut self, command: &str) -> io::Result<Reply> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        match exchange(&mut stream, command).await {
            Ok(reply) => {
                self.stream = Some(stream);
                Ok(reply)
            }
            Err(error) => {
                self.lost = error.kind() != io::ErrorKind::TimedOut;
                Err(self.explain(&error))
            }
        }
    }

    async fn connect(&mut self) -> io::Result<BufReader<UnixStream>> {
        let stream = UnixStream::connect(&self.path).await.map_err(|error| self.explain(&error))?;
        let mut stream = BufReader::with_capacity(64 * 1024, stream);
        let greeting = read_reply(&mut stream).await.map_err(|error| self.explain(&error))?;
        self.greeting = greeting.last().to_owned();
        if std::mem::take(&mut self.lost) {
            self.restarts += 1;
        }
        Ok(stream)
    }

    fn explain(&self, error: &io::Error) -> io::Error {
        let path = self.path.display();
        let remedy = match error.kind() {
            io::ErrorKind::PermissionDenied => "; the agent must be root or in BIRD's group",
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => "; is BIRD running?",
            _ => "",
        };
        io::Error::new(error.kind(), format!("{path}: {error}{remedy}"))
    }
}

async fn exchange(stream: &mut BufReader<UnixStream>, command: &str) -> io::Result<Reply> {
    let line = format!("{command}\n");
    let written = tokio::time::timeout(PATIENCE, stream.write_all(line.as_bytes()));
    written.await.map_err(|_| silent())??;
    read_reply(stream).await
}

async fn read_reply(stream: &mut BufReader<UnixStream>) -> io::Result<Reply> {
    let mut reply = Reply::default();
    loop {
        let mut line = String::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_line(&mut line));
        if read.await.map_err(|_| silent())?? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the daemon closed the connection"));
        }
        if take_line(&mut reply, line.trim_end_matches('\n')) {
            return Ok(reply);
        }
    }
}

fn silent() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {PATIENCE:?}"))
}

/// Adds a line, and says whether it was the last.
fn take_line(reply: &mut Reply, line: &str) -> bool {
    if let Some(more) = line.strip_prefix(' ') {
        reply.lines.push((reply.code, more.to_owned()));
        return false;
    }
    let coded = line.split_at_checked(4).and_then(|(code, rest)| Some((code.parse().ok()?, rest)));
    let Some((code, rest)) = coded else { return false };
    reply.code = code;
    let text = rest.get(1..).unwrap_or_default();
    reply.lines.push((code, text.to_owned()));
    !rest.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_on_until_one_ends_the_reply() {
        let mut reply = Reply::default();
        let told = [
            "1000-BIRD 2.0.12",
            "1011-Router ID is 10.0.0.1",
            " Hostname is vm",
            "+log",
            "0013 Daemon is up",
        ];
        let ends: Vec<bool> = told.iter().map(|line| take_line(&mut reply, line)).collect();
        assert_eq!(ends, [false, false, false, false, true]);
        assert_eq!(reply.lines[2], (1011, "Hostname is vm".to_owned()));
        assert_eq!((reply.code, reply.last(), reply.refused()), (13, "Daemon is up", false));
    }

    #[test]
    fn a_refusal_is_told_from_an_answer() {
        let mut reply = Reply::default();
        assert!(take_line(&mut reply, "8002 /etc/bird/novaedge.conf:3:1 syntax error"));
        assert!(reply.refused());
    }
}

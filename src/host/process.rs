//! Running a program to its end.

use rustix::process::{Resource, getrlimit, setrlimit};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("cannot start {program}: {source}")]
    Start { program: String, source: std::io::Error },
    #[error("{program} did not end within {limit:?}")]
    TimedOut { program: String, limit: Duration },
    #[error("{program}: {message}")]
    Failed { program: String, message: String },
}

/// Lets this process have as many descriptors open as its hard limit allows. The soft limit that services
/// start with is for programs that use select(2).
pub fn allow_many_descriptors() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Up to the hard limit nobody can refuse.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Runs `program args…`, feeds it `input`, and returns what it printed.
/// Dropping the future, or `limit`, kills it.
///
/// # Errors
/// It could not start, did not end in time, or ended with another status than 0 (with its stderr).
pub async fn run(program: &str, args: &[&str], input: &[u8], limit: Duration) -> Result<Vec<u8>, RunError> {
    let start = |source| RunError::Start { program: program.to_owned(), source };
    let mut child = tokio::process::Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(start)?;
    let mut stdin = child.stdin.take();
    let feed = async {
        if let Some(mut stdin) = stdin.take() {
            // A program that stops reading says why on stderr.
            let _ = stdin.write_all(input).await;
        }
    };
    let end = async { tokio::join!(feed, child.wait_with_output()).1 };
    let output = tokio::time::timeout(limit, end)
        .await
        .map_err(|_| RunError::TimedOut { program: program.to_owned(), limit })?
        .map_err(start)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let message = if said.trim().is_empty() { output.status.to_string() } else { said.trim().to_owned() };
    Err(RunError::Failed { program: program.to_owned(), message })
}

//! `novaedge-agent drain` and `undrain`: saying what the node wishes, and what becomes of it.

use super::{ask, output, show};
use crate::model::leaving::Cause;
use crate::model::status::NodeStatus;
use anyhow::{Context, ensure};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between two looks at the agent.
const LOOK: Duration = Duration::from_millis(100);
/// An agent acts on a wish at once, and its controller answers within a second or two.
const ANSWER: Duration = Duration::from_secs(5);

/// Wishes that the node leaves all its VIPs, and shows what becomes of each. Exit code 1: not every VIP leaves
/// now; with `wait`, the wish was taken back before every VIP had left.
///
/// # Errors
/// The agent does not answer, or cannot keep the wish.
pub async fn drain(socket: &Path, wait: bool) -> anyhow::Result<ExitCode> {
    ask::wish(socket, "/drain").await?;
    let mut status = heard(socket, |status| status.wish.is_some()).await?;
    let deadline = Instant::now() + ANSWER;
    while !show::is_answered(&status) && Instant::now() < deadline {
        sleep(LOOK).await;
        status = ask::status(socket).await?;
    }
    let mut shown = show::departure(&status);
    output::print(&shown);
    if !wait {
        return Ok(code(show::is_leaving_all(&status)));
    }
    loop {
        if show::has_left_all(&status) {
            return Ok(ExitCode::SUCCESS);
        }
        ensure!(status.wish.is_some(), "the wish was taken back by novaedge-agent undrain");
        sleep(LOOK).await;
        status = ask::status(socket).await.context("the agent went away before every VIP had left")?;
        let text = show::departure(&status);
        if text != shown {
            output::print(&format!("\n{text}"));
            shown = text;
        }
    }
}

/// Takes the wish back, and shows where each VIP is.
///
/// # Errors
/// The agent does not answer, or cannot forget the wish.
pub async fn undrain(socket: &Path) -> anyhow::Result<ExitCode> {
    ask::wish(socket, "/undrain").await?;
    let status = heard(socket, |status| status.wish != Some(Cause::Drain)).await?;
    output::print(&show::departure(&status));
    Ok(ExitCode::SUCCESS)
}

/// The first status that shows that the agent has taken the wish up.
async fn heard(socket: &Path, is_it: impl Fn(&NodeStatus) -> bool) -> anyhow::Result<NodeStatus> {
    let deadline = Instant::now() + ANSWER;
    loop {
        match ask::status(socket).await {
            Ok(status) if is_it(&status) => return Ok(status),
            Err(error) if Instant::now() >= deadline => return Err(error),
            _ => {}
        }
        ensure!(
            Instant::now() < deadline,
            "the agent has kept the wish, but does not act on it; see its log"
        );
        sleep(LOOK).await;
    }
}

fn code(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

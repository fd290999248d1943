//! What `novaedgectl` asks the controller: fetch, show, judge; again on every change with `--watch`.

use super::output::{self, Format};
use super::{ask, show};
use crate::compile::status::{EstateStatus, Explanation, VipSummary};
use crate::model::name::Name;
use crate::model::snapshot::Snapshot;
use anyhow::bail;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Where a controller listens if nobody says otherwise.
pub const SOCKET: &str = "/run/novaedge/controller.sock";

/// Between two looks with `--watch`.
const LOOK: Duration = Duration::from_millis(500);

/// What is asked about.
#[derive(Debug, Clone)]
pub enum Topic {
    Estate,
    Vip(Name),
    Explanation(Name),
    Snapshot(Name),
}

#[derive(Debug, Clone)]
pub struct Question {
    pub topic: Topic,
    pub admin_socket: PathBuf,
    pub output: Format,
    pub watch: bool,
}

/// An answer as it is printed, and whether all is well with what was asked about.
struct Told {
    text: String,
    good: bool,
}

/// # Errors
/// No controller answers, or it does not know what was asked about.
pub fn ask(question: &Question) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        if question.watch {
            return follow(question).await;
        }
        let Told { text, good } = tell(question).await?;
        output::print(&text);
        Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(1) })
    })
}

/// Shows the answer again whenever it differs, until interrupted. A controller that is away for a moment is
/// waited for.
async fn follow(question: &Question) -> anyhow::Result<ExitCode> {
    let mut shown = String::new();
    loop {
        let text = match tell(question).await {
            Ok(told) => told.text,
            Err(error) => format!("{error:#}\n"),
        };
        if text != shown {
            output::print(&text);
            shown = text;
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn tell(question: &Question) -> anyhow::Result<Told> {
    let Question { topic, admin_socket: socket, output: format, watch: _ } = question;
    let now = output::unix_now();
    match topic {
        Topic::Estate => {
            let estate: EstateStatus = ask::controller(socket, "/status").await?;
            let good = show::estate_problems(&estate).is_empty();
            told(*format, &estate, good, |estate| show::estate(estate, now))
        }
        Topic::Vip(name) => {
            let mut estate: EstateStatus = ask::controller(socket, "/status").await?;
            let Some(vip) = estate.vips.remove(name) else { bail!("there is no ProxyVIP {name}") };
            let good = is_well(&vip);
            told(*format, &vip, good, |vip| show::estate_vip(name, vip, now))
        }
        Topic::Explanation(name) => {
            let path = format!("/explain/{name}");
            let explanation: Explanation = ask::controller(socket, &path).await?;
            let good = !explanation.summary.status.announcing_nodes.is_empty();
            told(*format, &explanation, good, show::explanation)
        }
        Topic::Snapshot(node) => {
            let snapshot: Snapshot = ask::controller(socket, &format!("/snapshot/{node}")).await?;
            Ok(Told { text: output::encode(*format, &snapshot)?, good: true })
        }
    }
}

fn told<T: serde::Serialize>(
    format: Format,
    answer: &T,
    good: bool,
    table: impl FnOnce(&T) -> String,
) -> anyhow::Result<Told> {
    let text = match format {
        Format::Table => table(answer),
        Format::Json | Format::Yaml => output::encode(format, answer)?,
    };
    Ok(Told { text, good })
}

fn is_well(vip: &VipSummary) -> bool {
    show::is(vip, "Ready", "True") && show::is(vip, "Degraded", "False")
}

//! What a VIP exposes: its served ports and ICMP, nothing else (spec §2.12).
//!
//! Owns: the nftables table `inet novaedge`, whole. Called by: the agent's loop, through two `watch`
//! channels. What it keeps true:
//!
//! * **A daemon of the host that listens on the wildcard address is not reachable through a VIP.** Packets
//!   to a VIP pass when they belong to one of its services, are an echo request, or are the ICMP errors
//!   that connections live on (path MTU discovery above all). Others are dropped.
//! * **The host's own addresses are not looked at.** Each packet to them passes two set lookups.
//! * **There is no gap.** Changes are one transaction, and a table found at start is changed in place: its
//!   chains are flushed and filled, and elements that stay are not touched. A base chain that is exchanged
//!   takes its hook out and puts another in, which is two steps to a packet.
//! * **What others do to the table is undone** within about a second.
//! * **The table outlives the agent.** So there is no gap either when the agent is restarted; the
//!   addresses that it speaks of expire by themselves. Only a plan without addresses removes it.
//!
//! The hook is `input`, not `prerouting`: only what is delivered here matters; IPv4 fragments are
//! whole again there, so each packet shows its ports; what kube-proxy or another translates to pods has
//! left for `forward`; and packets of the host to its own VIP pass it too. Nothing here needs connection
//! tracking, or turns it on.
//!
//! | file | what it says |
//! |---|---|
//! | [`table`] | the transactions: the table from nothing or in place, a difference, its removal (pure) |
//! | [`listing`] | the table as `nft -j` prints it, read back (pure) |
//! | [`generation`] | whether anybody changed any rule since (one netlink question, microseconds) |
//! | [`nft`] | the driver: asks, compares, acts |

mod generation;
mod listing;
mod nft;
mod table;

pub use nft::Nft;

use crate::host::process::RunError;
use crate::model::observed::Guarded;
use crate::plan::ExposurePlan;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often the table is compared with the plan, when nothing happens.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The table is not, or not surely, as the plan says. What it did before, it does still.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    #[error("nft is not installed; install the package nftables")]
    NoNft(#[source] io::Error),
    #[error("nft may not change packet filters here: the agent needs CAP_NET_ADMIN ({0})")]
    NotPermitted(#[source] RunError),
    #[error("{0}")]
    Refused(#[source] RunError),
    #[error("nft printed a table that cannot be read: {0}")]
    Unreadable(#[source] listing::Unreadable),
    #[error("the kernel does not tell the generation of its packet filters: {0}")]
    Generation(#[source] io::Error),
    #[error("the table inet novaedge reads back as something else than was written")]
    ReadBack,
    #[error("others change packet filters all the time; the table inet novaedge could not be read back")]
    Contended,
}

impl From<RunError> for GuardError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Start { source, .. } if source.kind() == io::ErrorKind::NotFound => Self::NoNft(source),
            RunError::Failed { ref message, .. } if message.contains("Operation not permitted") => {
                Self::NotPermitted(error)
            }
            _ => Self::Refused(error),
        }
    }
}

/// Keeps the table as the newest plan says, until the plans' sender is gone. Nothing is touched before
/// the first plan.
pub async fn drive(
    mut nft: Nft,
    mut plans: watch::Receiver<Arc<ExposurePlan>>,
    seen: watch::Sender<Guarded>,
) {
    if plans.changed().await.is_err() {
        return;
    }
    loop {
        let plan = Arc::clone(&plans.borrow_and_update());
        let outcome = nft.guard(&plan).await;
        let trouble = outcome.err().map(|error| error.to_string());
        tell(&seen, Guarded { addresses: nft.guarded(), trouble });
        if let Ok(Err(_gone)) = tokio::time::timeout(LOOK_AGAIN, plans.changed()).await {
            return;
        }
    }
}

/// Publishes a report that says something new, and logs trouble when it comes and goes.
fn tell(seen: &watch::Sender<Guarded>, now: Guarded) {
    seen.send_if_modified(|before| {
        match (&before.trouble, &now.trouble) {
            (old, Some(error)) if old.as_ref() != Some(error) => {
                tracing::warn!(error, "exposure rules are not in force");
            }
            (Some(_), None) => tracing::info!("exposure rules are in force again"),
            _ => {}
        }
        let news = *before != now;
        *before = now;
        news
    });
}

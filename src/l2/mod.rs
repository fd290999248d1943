//! The addresses that this node holds for us, and how the kernel lets go of them when we cannot.
//!
//! Owns: the addresses with our mark on the loopback device. Called by: the agent's loop, through two
//! `watch` channels; nobody else. What it keeps true:
//!
//! * **An address outlives its agent by its lifetime at most** (spec §2.12). The kernel expires what is not
//!   refreshed, and the routing daemon announces only what the kernel still has. Every plan that arrives
//!   is one refresh, and nothing else is: there is no timer here. So the loop that decides is the loop
//!   that keeps alive, and when it hangs, is stopped or dies, its addresses go.
//! * **Only what carries our mark is ours.** An operator's address is neither changed nor removed, also
//!   when a plan asks for the same one; the report says what to do about it.
//! * **The report is the kernel's word**, read back, not our memory of what we asked for. When the kernel
//!   cannot be asked, it is its last word, with the trouble beside it: one broken socket withdraws
//!   nothing, and what lasts longer than a lifetime the kernel ends by itself.
//! * **One address's failure stops no other.**
//!
//! | file | what it says |
//! |---|---|
//! | [`address`] | one address as the kernel tells and takes it; the mark (pure) |
//! | [`steps`] | what to do to get from what is there to the plan (pure) |
//! | [`netlink`] | the conversation with the kernel (rtnetlink(7)) |
//! | [`presence`] | what addresses the node has, and when that changes |
//! | [`identity`] | the IPv4 address by which the node names itself in BGP and OSPF |

mod address;
pub mod identity;
pub mod netlink;
pub mod presence;
mod steps;

pub use address::{IFA_PROTO_NOVAEDGE, LOOPBACK};
pub use netlink::Netlink;

use crate::model::observed::Held;
use crate::plan::LinkPlan;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Without a plan for this long, what is held is looked at, and told, without being refreshed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Where addresses are held.
pub trait Link: Send {
    /// Brings the link to the plan: addresses of ours that it does not name go, missing ones are added,
    /// and each gets its full lifetime again. Addresses that could not be had are in the report.
    /// Dropping the future is safe; the next call looks and goes on from there.
    fn hold(&mut self, plan: &LinkPlan) -> impl Future<Output = Result<Held, LinkError>> + Send;

    /// What is held now. Changes and refreshes nothing.
    fn held(&mut self) -> impl Future<Output = Result<Held, LinkError>> + Send;
}

/// The kernel could not be spoken to at all. What is held stays until its lifetime ends.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("cannot open a netlink socket: {0}")]
    Open(#[source] io::Error),
    #[error("the netlink socket broke: {0}")]
    Broken(#[source] rtnetlink::proto::NetlinkProtoError),
    #[error("the kernel refused to list its addresses: {0}")]
    List(#[source] io::Error),
    #[error("the kernel did not answer within {0:?}")]
    Silent(Duration),
    #[error("this kernel does not keep the mark of who added an address; Linux 5.18 or later is needed")]
    MarkLost,
}

/// Holds what the newest plan says, once for each plan that arrives, until the plans' sender is gone.
///
/// What is there is told at once. Nothing is touched before the first plan: what an earlier run left is
/// adopted or removed with it.
pub async fn drive(
    mut link: impl Link,
    mut plans: watch::Receiver<Arc<LinkPlan>>,
    seen: watch::Sender<Held>,
) {
    seen.send_replace(told(link.held().await, Held::default()));
    loop {
        let outcome = match tokio::time::timeout(LOOK_AGAIN, plans.changed()).await {
            Ok(Err(_gone)) => return,
            Ok(Ok(())) => {
                let plan = Arc::clone(&plans.borrow_and_update());
                link.hold(&plan).await
            }
            Err(_quiet) => link.held().await,
        };
        let now = told(outcome, seen.borrow().clone());
        tell(&seen, now);
    }
}

/// The kernel's word, or its last one with what went wrong.
fn told(outcome: Result<Held, LinkError>, last: Held) -> Held {
    outcome.unwrap_or_else(|error| Held { trouble: Some(error.to_string()), ..last })
}

/// Publishes a report that says something new, and logs what became different.
fn tell(seen: &watch::Sender<Held>, now: Held) {
    seen.send_if_modified(|before| {
        if *before == now {
            return false;
        }
        let added = now.addresses.difference(&before.addresses).count();
        let removed = before.addresses.difference(&now.addresses).count();
        if added + removed > 0 {
            tracing::info!(added, removed, held = now.addresses.len(), "addresses held");
        }
        for (address, error) in
            now.refused.iter().filter(|(address, _)| !before.refused.contains_key(address))
        {
            tracing::warn!(%address, error, "address refused");
        }
        if let Some(error) = now.trouble.as_ref().filter(|_| now.trouble != before.trouble) {
            tracing::warn!(error, "addresses cannot be held");
        }
        *before = now;
        true
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::net::HostRoute;
    use std::collections::BTreeSet;

    /// Holds whatever it is asked to, until it breaks.
    struct Memory {
        addresses: BTreeSet<HostRoute>,
        broken: watch::Receiver<bool>,
    }

    impl Link for Memory {
        async fn hold(&mut self, plan: &LinkPlan) -> Result<Held, LinkError> {
            self.addresses.clone_from(&plan.addresses);
            self.held().await
        }

        async fn held(&mut self) -> Result<Held, LinkError> {
            match *self.broken.borrow() {
                true => Err(LinkError::Silent(LOOK_AGAIN)),
                false => Ok(Held { addresses: self.addresses.clone(), ..Held::default() }),
            }
        }
    }

    #[tokio::test]
    async fn a_kernel_that_cannot_be_asked_withdraws_nothing() {
        let addresses = BTreeSet::from([HostRoute::parse("10.200.0.20").unwrap()]);
        let plan = Arc::new(LinkPlan { addresses: addresses.clone(), lifetime: crate::plan::LIFETIME });
        let (breaking, broken) = watch::channel(false);
        let (plans, planned) = watch::channel(Arc::clone(&plan));
        let (seen, mut held) = watch::channel(Held::default());
        let driver = tokio::spawn(drive(Memory { addresses: BTreeSet::new(), broken }, planned, seen));

        plans.send(Arc::clone(&plan)).unwrap();
        held.wait_for(|held| held.addresses == addresses && held.trouble.is_none()).await.unwrap();
        breaking.send(true).unwrap();
        plans.send(Arc::clone(&plan)).unwrap();
        let told = held.wait_for(|held| held.trouble.is_some()).await.unwrap().clone();
        assert_eq!(told.addresses, addresses);
        breaking.send(false).unwrap();
        plans.send(plan).unwrap();
        held.wait_for(|held| held.trouble.is_none()).await.unwrap();
        drop(plans);
        driver.await.unwrap();
    }
}

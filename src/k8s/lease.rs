//! Who leads, of several controllers: the one that holds the Lease.
//!
//! ```text
//!              nobody holds it, or its holder is silent for LASTS
//!  follows ───────────────────────────────────────────────────────▶ leads
//!     ▲                                                                │
//!     └── not renewed for DEADLINE, taken by another one, or ended ◀───┘
//! ```
//!
//! Time is this process's own monotonic clock: a holder is silent when *we* have seen no change for so long.
//! The term is the Lease's creation and its transitions, so a Lease that was deleted and made anew begins a
//! higher one.

use crate::model::term::Term;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// A holder that has not renewed for so long has lost it (client-go's defaults, here and below).
const LASTS: Duration = Duration::from_secs(15);
/// A holder that could not renew for so long does not lead any more, before anybody else does.
const DEADLINE: Duration = Duration::from_secs(10);
/// Between two attempts.
const PERIOD: Duration = Duration::from_secs(2);
/// For one answer of the server.
const PATIENCE: Duration = Duration::from_secs(3);

/// Which Lease, and as whom.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub namespace: String,
    pub lease: String,
    /// Of this process alone: one that is restarted is somebody else.
    pub identity: String,
}

#[derive(Debug, thiserror::Error)]
enum LeaseError {
    #[error("the API server does not answer")]
    Silent,
    #[error("{0}")]
    Server(#[from] kube::Error),
    /// Somebody else was faster; nothing is wrong.
    #[error("another controller has just written it")]
    Raced,
    #[error("the Lease has no creation time")]
    Undated,
}

/// What was seen of the Lease, and when it was first seen so.
#[derive(Debug)]
struct Seen {
    version: Option<String>,
    since: Instant,
}

/// Takes part until `end` is cancelled; then hands over at once, says `over`, and does nothing more. `term` is
/// `None` while another one leads.
pub async fn run(
    client: Client,
    candidate: Candidate,
    term: watch::Sender<Option<Term>>,
    (end, over): (CancellationToken, CancellationToken),
) {
    let leases = Api::namespaced(client, &candidate.namespace);
    let mut runner = Runner {
        leases,
        candidate,
        seen: Seen { version: None, since: Instant::now() },
        renewed: None,
        complaint: String::new(),
    };
    loop {
        let leads = runner.step().await;
        set(&term, leads);
        tokio::select! {
            () = end.cancelled() => break,
            () = runner.pause(&term) => {}
        }
    }
    if term.send_replace(None).is_some() {
        runner.release().await;
    }
    over.cancel();
    std::future::pending::<()>().await;
}

struct Runner {
    leases: Api<Lease>,
    candidate: Candidate,
    seen: Seen,
    /// When the last renewal that succeeded was sent, and its term.
    renewed: Option<(Instant, Term)>,
    complaint: String,
}

impl Runner {
    /// Until the next attempt. A right that ends in between ends at its time.
    async fn pause(&self, term: &watch::Sender<Option<Term>>) {
        let Some((renewed, _)) = self.renewed else { return sleep(PERIOD).await };
        tokio::select! {
            () = sleep(PERIOD) => {}
            () = tokio::time::sleep_until(renewed + DEADLINE) => set(term, None),
        }
    }

    /// Tries once. The term in which this process leads now.
    async fn step(&mut self) -> Option<Term> {
        let begun = Instant::now();
        match self.attempt().await {
            Ok(Some(term)) => {
                self.complaint.clear();
                self.renewed = Some((begun, term));
            }
            Ok(None) => {
                self.complaint.clear();
                self.renewed = None;
            }
            Err(LeaseError::Raced) => self.renewed = None,
            Err(error) => {
                let words = error.to_string();
                if words != self.complaint {
                    tracing::warn!(lease = self.candidate.lease, error = %words, "the Lease cannot be kept");
                    self.complaint = words;
                }
            }
        }
        self.renewed.filter(|(renewed, _)| renewed.elapsed() < DEADLINE).map(|(_, term)| term)
    }

    /// `None`: another one holds it.
    async fn attempt(&mut self) -> Result<Option<Term>, LeaseError> {
        let name = self.candidate.lease.clone();
        let found = answered(self.leases.get_opt(&name)).await?;
        let Some(lease) = found else {
            let made = Lease {
                metadata: ObjectMeta { name: Some(name), ..ObjectMeta::default() },
                spec: Some(self.spec(Timestamp::now(), None)),
            };
            return self.keep(answered(self.leases.create(&PostParams::default(), &made)).await?);
        };
        let version = lease.metadata.resource_version.clone();
        if version != self.seen.version {
            self.seen = Seen { version, since: Instant::now() };
        }
        let before = lease.spec.clone().unwrap_or_default();
        let holder = before.holder_identity.as_deref().unwrap_or_default();
        let is_ours = holder == self.candidate.identity;
        let lasts = before.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let lasts = lasts.map_or(LASTS, Duration::from_secs);
        if !is_ours && !holder.is_empty() && self.seen.since.elapsed() < lasts {
            return Ok(None);
        }
        let spec = self.spec(Timestamp::now(), Some((&before, is_ours)));
        let next = Lease { spec: Some(spec), ..lease };
        self.keep(answered(self.leases.replace(&name, &PostParams::default(), &next)).await?)
    }

    fn keep(&mut self, lease: Lease) -> Result<Option<Term>, LeaseError> {
        self.seen = Seen { version: lease.metadata.resource_version, since: Instant::now() };
        let created = lease.metadata.creation_timestamp.ok_or(LeaseError::Undated)?.0.as_second();
        let transitions = lease.spec.and_then(|spec| spec.lease_transitions).unwrap_or_default();
        let number = |number: i64| u64::try_from(number).unwrap_or_default();
        Ok(Some(Term { created: number(created), transitions: number(transitions.into()) }))
    }

    fn spec(&self, now: Timestamp, before: Option<(&LeaseSpec, bool)>) -> LeaseSpec {
        let fresh = LeaseSpec {
            holder_identity: Some(self.candidate.identity.clone()),
            lease_duration_seconds: i32::try_from(LASTS.as_secs()).ok(),
            renew_time: Some(MicroTime(now)),
            ..LeaseSpec::default()
        };
        match before {
            None => LeaseSpec { acquire_time: Some(MicroTime(now)), lease_transitions: Some(0), ..fresh },
            Some((before, true)) => LeaseSpec {
                acquire_time: before.acquire_time.clone(),
                lease_transitions: before.lease_transitions,
                ..fresh
            },
            Some((before, false)) => LeaseSpec {
                acquire_time: Some(MicroTime(now)),
                lease_transitions: Some(before.lease_transitions.unwrap_or_default() + 1),
                ..fresh
            },
        }
    }

    /// Nobody need wait for us to be silent.
    async fn release(&self) {
        let name = &self.candidate.lease;
        let Ok(Some(lease)) = answered(self.leases.get_opt(name)).await else { return };
        let Some(spec) = lease.spec.clone() else { return };
        if spec.holder_identity.as_deref() != Some(self.candidate.identity.as_str()) {
            return;
        }
        let spec = LeaseSpec {
            holder_identity: Some(String::new()),
            lease_duration_seconds: Some(1),
            renew_time: Some(MicroTime(Timestamp::now())),
            ..spec
        };
        let released = Lease { spec: Some(spec), ..lease };
        if let Err(error) = answered(self.leases.replace(name, &PostParams::default(), &released)).await {
            tracing::warn!(%error, "the Lease cannot be handed over; the next leader waits until it has run out");
        }
    }
}

async fn answered<T>(asked: impl Future<Output = kube::Result<T>>) -> Result<T, LeaseError> {
    match timeout(PATIENCE, asked).await {
        Err(_) => Err(LeaseError::Silent),
        Ok(Err(kube::Error::Api(status))) if status.code == 409 => Err(LeaseError::Raced),
        Ok(answer) => Ok(answer?),
    }
}

fn set(term: &watch::Sender<Option<Term>>, now: Option<Term>) {
    term.send_if_modified(|term| {
        let differs = *term != now;
        if differs {
            match now {
                Some(now) => tracing::info!(term = %now, "this controller leads"),
                None => tracing::info!("this controller does not lead"),
            }
        }
        *term = now;
        differs
    });
}

//! Where the ledger of addresses is kept: in the state directory, or in a cluster's pools.

use super::ledger::{LedgerError, LedgerFile};
use crate::compile::ipam::Ledger;
use crate::compile::resources::Resources;
use crate::k8s::ledger::{PoolError, PoolLedger};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// A server that has just failed is not asked again sooner: a round waits for its answer.
const RECOVER: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub enum Books {
    File(LedgerFile),
    Cluster(Box<ClusterBooks>),
}

#[derive(Debug, thiserror::Error)]
pub enum BooksError {
    #[error(transparent)]
    File(#[from] LedgerError),
    #[error(transparent)]
    Cluster(#[from] PoolError),
    #[error("the API server has just failed; it is asked again in a moment")]
    Recovering,
}

impl From<LedgerFile> for Books {
    fn from(file: LedgerFile) -> Self {
        Self::File(file)
    }
}

/// The ledger in the pools' statuses, as far as this controller has read or written it.
#[derive(Debug)]
pub struct ClusterBooks {
    pools: PoolLedger,
    runtime: Handle,
    /// `None`: it has to be read first.
    kept: Option<Ledger>,
    nothing: Ledger,
    failed: Option<Instant>,
}

impl ClusterBooks {
    /// Waits for the server on `runtime`, on whichever thread asks; never one of the runtime's own.
    pub fn new(pools: PoolLedger, runtime: Handle) -> Self {
        Self { pools, runtime, kept: None, nothing: Ledger::default(), failed: None }
    }

    fn attempt<T>(
        &mut self,
        act: impl AsyncFnOnce(&mut PoolLedger) -> Result<T, PoolError>,
    ) -> Result<T, BooksError> {
        if self.failed.is_some_and(|failed| failed.elapsed() < RECOVER) {
            return Err(BooksError::Recovering);
        }
        let outcome = self.runtime.block_on(act(&mut self.pools));
        match &outcome {
            Ok(_) => self.failed = None,
            // Nothing was asked of the server.
            Err(PoolError::Full { .. }) => {}
            Err(PoolError::Stale { .. }) => self.kept = None,
            // A write without an answer may have been carried out: what is stored has to be read again.
            Err(_) => (self.kept, self.failed) = (None, Some(Instant::now())),
        }
        Ok(outcome?)
    }
}

impl Books {
    /// To be called in every round in which this controller leads, before anything else: what another leader may
    /// have written in the meantime is read.
    ///
    /// # Errors
    /// The ledger cannot be read; without it nothing may be led.
    pub fn open(&mut self, world: &Resources, now: u64) -> Result<(), BooksError> {
        match self {
            Self::Cluster(books) if books.kept.is_none() => {
                let ledger = books.attempt(async |pools| pools.load(world, now).await)?;
                books.kept = Some(ledger);
                Ok(())
            }
            Self::Cluster(_) | Self::File(_) => Ok(()),
        }
    }

    /// What is stored is known. If it is not, nothing may be told to anybody, not even that there are no addresses.
    pub fn is_open(&self) -> bool {
        match self {
            Self::File(_) => true,
            Self::Cluster(books) => books.kept.is_some(),
        }
    }

    /// This controller leads no more.
    pub fn close(&mut self) {
        if let Self::Cluster(books) = self {
            books.kept = None;
        }
    }

    /// What another leader has recorded, as far as it was heard; `None`: nobody else keeps these books.
    pub fn recorded(&self, world: &Resources, now: u64) -> Option<Ledger> {
        match self {
            Self::File(_) => None,
            Self::Cluster(books) => Some(books.pools.heard(world, now)),
        }
    }

    /// The ledger as it is stored.
    pub fn kept(&self) -> &Ledger {
        match self {
            Self::File(file) => file.kept(),
            Self::Cluster(books) => books.kept.as_ref().unwrap_or(&books.nothing),
        }
    }

    /// Returns once the ledger is stored, whatever happens then to this process.
    ///
    /// # Errors
    /// It could not be; the ledger kept before stays, and no snapshot may carry what the new one gives.
    pub fn keep(&mut self, ledger: &Ledger, world: &Resources) -> Result<(), BooksError> {
        match self {
            Self::File(file) => Ok(file.keep(ledger)?),
            Self::Cluster(books) => {
                books.attempt(async |pools| pools.keep(ledger, world).await)?;
                books.kept = Some(ledger.clone());
                Ok(())
            }
        }
    }
}

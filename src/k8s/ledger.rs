//! The ledger of addresses in the statuses of the pools: the pool object is the lock.
//!
//! A record is written by the version that it was read at, so of two controllers that both believe to lead
//! one is refused (409), reads again, and settles anew. What was not written is never used.

use super::board::Board;
use super::follow::resource;
use crate::api::pool::PoolStatus;
use crate::api::vip_status::VipStatus;
use crate::compile::ipam::Ledger;
use crate::compile::ipam::record::{self, same};
use crate::compile::kind::{Id, Kind};
use crate::compile::resources::Resources;
use crate::model::name::Name;
use kube::api::{ListParams, Patch, PatchParams};
use kube::core::DynamicObject;
use kube::{Api, Client};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::timeout;

/// A round waits no longer for the server.
const PATIENCE: Duration = Duration::from_secs(3);

/// The server refuses larger objects (etcd's `--max-request-bytes`, 1.5 MiB by default).
const LARGEST: usize = 1_400_000;

#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    #[error("the pools cannot be read: {0}")]
    List(#[source] Box<kube::Error>),
    #[error("the API server does not answer")]
    Silent,
    #[error("the record of ProxyIPPool {pool} cannot be written: {source}")]
    Write { pool: Name, source: Box<kube::Error> },
    #[error("another controller has given out addresses of ProxyIPPool {pool}; its record is read again")]
    Stale { pool: Name },
    #[error(
        "the record of ProxyIPPool {pool} is too large for one object ({addresses} addresses): let further VIPs take \
         theirs from another pool"
    )]
    Full { pool: Name, addresses: usize },
}

/// A pool's record as the server has it.
#[derive(Debug, Clone, Default)]
struct Written {
    version: String,
    record: PoolStatus,
}

/// The records of all pools, as they were last read or written.
pub struct PoolLedger {
    client: Client,
    board: Board,
    written: BTreeMap<Name, Written>,
}

impl std::fmt::Debug for PoolLedger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PoolLedger").field("written", &self.written.keys()).finish_non_exhaustive()
    }
}

impl PoolLedger {
    pub fn new(client: Client, board: Board) -> Self {
        Self { client, board, written: BTreeMap::new() }
    }

    fn pools(&self) -> Api<DynamicObject> {
        Api::all_with(self.client.clone(), &resource(Kind::Pool))
    }

    /// Reads all records from the server itself: a watch may not have heard yet of what a leader before this
    /// one gave out. `now` is in Unix seconds.
    ///
    /// # Errors
    /// The server does not answer, or refuses.
    pub async fn load(&mut self, world: &Resources, now: u64) -> Result<Ledger, PoolError> {
        let pools = self.pools();
        let parameters = ListParams::default();
        let listed = timeout(PATIENCE, pools.list(&parameters)).await.map_err(|_| PoolError::Silent)?;
        let listed = listed.map_err(|error| PoolError::List(Box::new(error)))?;
        self.written = listed.items.iter().filter_map(written).collect();
        let records =
            self.written.iter().map(|(name, written)| (name.clone(), written.record.clone())).collect();
        let (ledger, odd) = record::ledger(&records, &self.vips(), world, now);
        for odd in odd {
            tracing::warn!("{odd}");
        }
        Ok(ledger)
    }

    /// The ledger as the watches have brought it, perhaps a moment old: to follow, not to give out from.
    pub fn heard(&self, world: &Resources, now: u64) -> Ledger {
        let pools = self.board.all(|id| id.kind == Kind::Pool);
        let record = |status: &Value| serde_json::from_value(status.clone()).unwrap_or_default();
        let records = pools.into_iter().map(|(id, known)| (id.name, record(&known.status))).collect();
        record::ledger(&records, &self.vips(), world, now).0
    }

    fn vips(&self) -> BTreeMap<Name, VipStatus> {
        let vips = self.board.all(|id| id.kind == Kind::Vip);
        let status = |value: &Value| serde_json::from_value(value.clone()).unwrap_or_default();
        vips.into_iter().map(|(id, known)| (id.name, status(&known.status))).collect()
    }

    /// Returns once the server has stored what differs from what it had.
    ///
    /// # Errors
    /// Something could not be stored, or nobody knows whether it was. After any of them but [`PoolError::Full`] all must
    /// be [loaded](Self::load) again before anything is used.
    pub async fn keep(&mut self, ledger: &Ledger, world: &Resources) -> Result<(), PoolError> {
        let mut records = record::records(ledger);
        for pool in world.pools.keys() {
            let record = records.remove(pool).unwrap_or_default();
            self.look(pool)?;
            let known = self.written.entry(pool.clone()).or_default();
            if !same(&known.record, &record) {
                self.write(pool, record).await?;
            }
        }
        self.written.retain(|pool, _| world.pools.contains_key(pool));
        Ok(())
    }

    /// What a watch has brought since: a record that was lost is written again, one that has more in it than we
    /// know of was written by somebody else.
    fn look(&mut self, pool: &Name) -> Result<(), PoolError> {
        let Some(seen) = self.board.get(&id(pool)) else { return Ok(()) };
        let known = self.written.entry(pool.clone()).or_default();
        if !is_newer(&seen.resource_version, &known.version) {
            return Ok(());
        }
        let record: PoolStatus = serde_json::from_value(seen.status.clone()).unwrap_or_default();
        let knows = |address| known.record.allocations.iter().any(|known| known == address);
        if !same(&record, &known.record) && !record.allocations.iter().all(knows) {
            return Err(PoolError::Stale { pool: pool.clone() });
        }
        *known = Written { version: seen.resource_version.clone(), record };
        Ok(())
    }

    async fn write(&mut self, pool: &Name, record: PoolStatus) -> Result<(), PoolError> {
        let failed = |source| PoolError::Write { pool: pool.clone(), source: Box::new(source) };
        let known = self.written.get(pool).cloned().unwrap_or_default();
        let body = body(&known.version, &record);
        if body.to_string().len() > LARGEST {
            return Err(PoolError::Full { pool: pool.clone(), addresses: record.allocations.len() });
        }
        let pools = self.pools();
        let parameters =
            PatchParams { field_manager: Some(super::MANAGER.to_owned()), ..PatchParams::default() };
        let patch = Patch::Merge(&body);
        let patched = pools.patch_status(pool.as_str(), &parameters, &patch);
        match timeout(PATIENCE, patched).await.map_err(|_| PoolError::Silent)? {
            Ok(object) => {
                self.written.extend(written(&object));
                Ok(())
            }
            Err(kube::Error::Api(status)) if status.code == 409 => {
                self.write_again(pool, known, record).await
            }
            // Deleted: what its VIPs have stands in their own status.
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// The object has another version; unless its record is another one too, that is no reason not to write.
    async fn write_again(
        &mut self,
        pool: &Name,
        known: Written,
        record: PoolStatus,
    ) -> Result<(), PoolError> {
        let failed = |source| PoolError::Write { pool: pool.clone(), source: Box::new(source) };
        let pools = self.pools();
        let got = timeout(PATIENCE, pools.get(pool.as_str())).await.map_err(|_| PoolError::Silent)?;
        let newest = written(&got.map_err(failed)?).map(|(_, written)| written).unwrap_or_default();
        if same(&newest.record, &record) {
            self.written.insert(pool.clone(), newest);
            return Ok(());
        }
        if !same(&newest.record, &known.record) {
            return Err(PoolError::Stale { pool: pool.clone() });
        }
        self.written.insert(pool.clone(), newest);
        Box::pin(self.write(pool, record)).await
    }
}

fn id(pool: &Name) -> Id {
    Id {
        kind: Kind::Pool,
        namespace: Name::parse("default").unwrap_or_else(|_| pool.clone()),
        name: pool.clone(),
    }
}

fn written(object: &DynamicObject) -> Option<(Name, Written)> {
    let name = Name::parse(object.metadata.name.clone()?).ok()?;
    let record = object.data.get("status").cloned().unwrap_or_default();
    let record = serde_json::from_value(record).unwrap_or_default();
    Some((name, Written { version: object.metadata.resource_version.clone()?, record }))
}

fn body(version: &str, record: &PoolStatus) -> Value {
    json!({
        "metadata": { "resourceVersion": version },
        "status": {
            "allocations": record.allocations,
            "released": record.released,
            "allocated": record.allocations.len(),
        },
    })
}

/// Versions of one server are comparable as numbers (KEP-5504).
fn is_newer(version: &str, than: &str) -> bool {
    match (version.parse::<u128>(), than.parse::<u128>()) {
        (Ok(version), Ok(than)) => version > than,
        _ => version != than && than.is_empty(),
    }
}

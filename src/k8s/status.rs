//! What the estate says of its objects, written into their status by server-side apply; and what an earlier leader
//! wrote there, read back.

use super::MANAGER;
use super::board::{Board, Known};
use super::follow::resource;
use crate::compile::kind::{Id, Kind};
use crate::compile::status::{EstateStatus, VipSummary};
use crate::model::name::{Key, Name};
use futures_util::{StreamExt, stream};
use kube::api::{Patch, PatchParams};
use kube::core::DynamicObject;
use kube::{Api, Client};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::timeout;

/// So many statuses are on their way to the server at once.
const AT_ONCE: usize = 16;

/// For one of them.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a pool's status records is the ledger's to write ([`super::ledger`]).
const LEDGERS: [&str; 3] = ["allocations", "released", "allocated"];

/// Writes statuses, each only when the server has another one.
#[derive(Clone)]
pub struct StatusWriter {
    client: Client,
    board: Board,
}

impl std::fmt::Debug for StatusWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StatusWriter")
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Told {
    pub written: usize,
    /// In the server's words.
    pub failures: Vec<(Id, String)>,
}

/// A status that an object should have.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    pub id: Id,
    /// Of the object that it is about; one that was made anew under its name is left alone.
    pub uid: Option<String>,
    pub status: Value,
}

impl StatusWriter {
    pub fn new(client: Client, board: Board) -> Self {
        Self { client, board }
    }

    /// Of `all`, what the server does not have. Objects that it does not know (any more) are left out.
    pub fn differing(&self, all: impl IntoIterator<Item = Wanted>) -> Vec<Wanted> {
        let differs = |wanted: Wanted| {
            let known = self.board.get(&wanted.id)?;
            let wanted = Wanted { status: ours(wanted.id.kind, wanted.status), ..wanted };
            (ours(wanted.id.kind, known.status.clone()) != wanted.status).then_some(wanted)
        };
        all.into_iter().filter_map(differs).collect()
    }

    /// Writes them, several at once. An object that is gone needs none.
    pub async fn write(&self, all: Vec<Wanted>) -> Told {
        let mut told = Told::default();
        let written = stream::iter(all).map(|wanted| self.one(wanted)).buffer_unordered(AT_ONCE);
        let outcomes: Vec<(Id, Result<(), String>)> = written.collect().await;
        for (id, outcome) in outcomes {
            match outcome {
                Ok(()) => told.written += 1,
                Err(words) => told.failures.push((id, words)),
            }
        }
        told
    }

    async fn one(&self, Wanted { id, uid, status }: Wanted) -> (Id, Result<(), String>) {
        let mut metadata = json!({ "name": id.name.as_str() });
        if let Some(uid) = uid {
            metadata["uid"] = uid.into();
        }
        let body = json!({
            "apiVersion": id.kind.api_version(),
            "kind": id.kind.name(),
            "metadata": metadata,
            "status": status,
        });
        let parameters = PatchParams::apply(MANAGER).force();
        let api = self.api(&id);
        let patch = Patch::Apply(&body);
        let patched = timeout(PATIENCE, api.patch_status(id.name.as_str(), &parameters, &patch)).await;
        let outcome = match patched {
            Ok(Ok(object)) => {
                self.note(&id, object);
                Ok(())
            }
            // It is gone, or another one has its name; the next round is about that.
            Ok(Err(kube::Error::Api(status))) if matches!(status.code, 404 | 409) => Ok(()),
            Ok(Err(kube::Error::Api(status))) => Err(status.message.clone()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the API server does not answer".to_owned()),
        };
        (id, outcome)
    }

    fn api(&self, id: &Id) -> Api<DynamicObject> {
        let resource = resource(id.kind);
        match id.kind.is_namespaced() {
            true => Api::namespaced_with(self.client.clone(), id.namespace.as_str(), &resource),
            false => Api::all_with(self.client.clone(), &resource),
        }
    }

    /// The watch will bring the same a moment later.
    fn note(&self, id: &Id, mut object: DynamicObject) {
        let known = Known {
            uid: object.metadata.uid.unwrap_or_default(),
            resource_version: object.metadata.resource_version.unwrap_or_default(),
            status: object.data.get_mut("status").map(Value::take).unwrap_or_default(),
        };
        self.board.put(id.clone(), known);
    }
}

fn ours(kind: Kind, mut status: Value) -> Value {
    if let (Kind::Pool, Value::Object(fields)) = (kind, &mut status) {
        for field in LEDGERS {
            fields.remove(field);
        }
    }
    status
}

/// The estate as the objects' statuses tell it: what a leader goes on from. `None`: nothing has been told yet.
pub fn told(board: &Board) -> Option<EstateStatus> {
    let mut estate = EstateStatus::default();
    let known = board.all(|id| id.kind.is_ours());
    if known.iter().all(|(_, known)| known.status.is_null()) {
        return None;
    }
    for (id, known) in &known {
        let status = &known.status;
        match id.kind {
            Kind::Vip => {
                let status = serde_json::from_value(status.clone()).unwrap_or_default();
                estate.vips.insert(id.name.clone(), VipSummary { status, ..VipSummary::default() });
            }
            Kind::Pool => cluster(&mut estate.pools, id, status),
            Kind::Template => cluster(&mut estate.templates, id, status),
            Kind::Gateway => namespaced(&mut estate.gateways, id, status),
            Kind::Route => namespaced(&mut estate.routes, id, status),
            Kind::Backend => namespaced(&mut estate.backends, id, status),
            Kind::Policy => namespaced(&mut estate.policies, id, status),
            Kind::Node | Kind::Secret | Kind::Service | Kind::EndpointSlice => {}
        }
    }
    Some(estate)
}

fn cluster<T: DeserializeOwned + Default>(all: &mut BTreeMap<Name, T>, id: &Id, status: &Value) {
    all.insert(id.name.clone(), serde_json::from_value(status.clone()).unwrap_or_default());
}

fn namespaced<T: DeserializeOwned + Default>(all: &mut BTreeMap<Key, T>, id: &Id, status: &Value) {
    all.insert(id.into(), serde_json::from_value(status.clone()).unwrap_or_default());
}

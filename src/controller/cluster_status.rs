//! The estate's status in the objects of a cluster: each written when the server has another one, by the
//! controller that leads.

use super::documents::documents;
use super::election::Election;
use crate::compile::kind::Id;
use crate::compile::status::EstateStatus;
use crate::k8s::status::{StatusWriter, Wanted};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// After so many writes it is looked whether there is something newer to say.
const TOGETHER: usize = 500;

/// Changes within this time are written together.
const PACE: Duration = Duration::from_millis(50);

/// A server that refuses is asked again after this.
const RECOVER: Duration = Duration::from_secs(2);

/// Makes the objects say what the newest status says, for as long as anybody publishes one.
pub async fn follow(
    writer: StatusWriter,
    mut newest: watch::Receiver<Option<Arc<EstateStatus>>>,
    election: Election,
) {
    let mut told: Option<Arc<EstateStatus>> = None;
    let mut complaints = BTreeMap::new();
    loop {
        let status = newest.borrow_and_update().clone();
        let leads = election.borrow().is_some();
        let all_told = match status.filter(|_| leads) {
            Some(status) => {
                let wanted = differing(&writer, told.take(), &status).await;
                let all = wanted.len() <= TOGETHER;
                let some: Vec<Wanted> = wanted.into_iter().take(TOGETHER).collect();
                let failed = tell(&writer, some, &mut complaints).await;
                told = (all && !failed).then_some(status);
                if failed {
                    sleep(RECOVER).await;
                }
                told.is_some()
            }
            None => {
                told = None;
                true
            }
        };
        sleep(PACE).await;
        if all_told && newest.changed().await.is_err() {
            return;
        }
    }
}

/// What the server does not have of it. Of what was told before, only the changes are looked at.
async fn differing(
    writer: &StatusWriter,
    told: Option<Arc<EstateStatus>>,
    status: &Arc<EstateStatus>,
) -> Vec<Wanted> {
    let (writer, status) = (writer.clone(), Arc::clone(status));
    let compare = move || {
        let told = told.as_deref().map(documents).unwrap_or_default();
        let all = documents(&status);
        let changed = all.iter().filter(|(place, document)| told.get(*place) != Some(*document));
        writer.differing(changed.filter_map(|(_, document)| document.wanted()))
    };
    tokio::task::spawn_blocking(compare).await.unwrap_or_default()
}

/// Whether something could not be written.
async fn tell(writer: &StatusWriter, wanted: Vec<Wanted>, complaints: &mut BTreeMap<Id, String>) -> bool {
    let told = writer.write(wanted).await;
    let failures: BTreeMap<Id, String> = told.failures.into_iter().collect();
    for (id, error) in failures.iter().filter(|(id, words)| complaints.get(*id) != Some(*words)) {
        tracing::warn!(object = %id, error, "a status cannot be written; it is tried again");
    }
    *complaints = failures;
    !complaints.is_empty()
}

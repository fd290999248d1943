//! Transitions told as Events (events.k8s.io/v1) of their objects; one that repeats becomes a series.

use super::MANAGER;
use super::board::Board;
use crate::compile::kind::{Id, Kind};
use crate::compile::status::Event;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{EventType, Recorder, Reporter};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// For one of them; whatever is not told then is in the log and in the conditions.
const PATIENCE: Duration = Duration::from_secs(10);

/// The API's limit for the text of an Event, in bytes.
const LONGEST: usize = 1024;

/// Tells what comes, for as long as somebody has something to tell. `instance` is this controller's own name.
pub async fn run(client: Client, instance: String, board: Board, mut events: mpsc::Receiver<Event>) {
    let reporter = Reporter { controller: MANAGER.to_owned(), instance: Some(instance) };
    let recorder = Recorder::new(client, reporter);
    let mut complaint = String::new();
    while let Some(event) = events.recv().await {
        let Some(about) = reference(&event.object, &board) else { continue };
        let told = timeout(PATIENCE, recorder.publish(&published(&event), &about)).await;
        let words = match told {
            Ok(Ok(())) => String::new(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the API server does not answer".to_owned(),
        };
        if !words.is_empty() && words != complaint {
            tracing::warn!(error = %words, "an Event cannot be published; its condition says the same");
        }
        complaint = words;
    }
}

fn published(event: &Event) -> kube::runtime::events::Event {
    let Event { object: _, reason, message, warning } = event;
    kube::runtime::events::Event {
        type_: if *warning { EventType::Warning } else { EventType::Normal },
        reason: reason.clone(),
        note: Some(cut(message).to_owned()),
        action: "Reconcile".to_owned(),
        secondary: None,
    }
}

fn cut(message: &str) -> &str {
    let mut end = message.len().min(LONGEST);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    &message[..end]
}

/// The object that `ProxyVIP web` or `ProxyGateway prod/web` is about, as it is now.
fn reference(object: &str, board: &Board) -> Option<ObjectReference> {
    let id = id(object)?;
    let known = board.get(&id)?;
    Some(ObjectReference {
        api_version: Some(id.kind.api_version().to_owned()),
        kind: Some(id.kind.name().to_owned()),
        name: Some(id.name.to_string()),
        namespace: id.kind.is_namespaced().then(|| id.namespace.to_string()),
        uid: Some(known.uid.clone()),
        ..ObjectReference::default()
    })
}

fn id(object: &str) -> Option<Id> {
    let (kind, key) = object.split_once(' ')?;
    let kind = Kind::ALL.iter().copied().find(|known| known.name() == kind)?;
    match key.split_once('/') {
        Some((namespace, name)) => Id::new(kind, Some(namespace), name),
        None => Id::new(kind, None, key),
    }
}

//! One watch: lists, then hears every change; lists again when the server has forgotten where it was.

use super::stores::Scope;
use crate::compile::kind::Kind;
use crate::runtime::backoff::Backoff;
use futures_util::{StreamExt, pin_mut};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::watcher::{self, Config, Event, InitialListStrategy, watcher};
use kube::{Api, Client};
use tokio::sync::mpsc;

/// What a watch has brought.
pub type Brought = (Scope, Event<DynamicObject>);

/// The first minor version of 1.x that streams lists without being asked to (`WatchList`).
const STREAMS_LISTS: u32 = 34;

/// How a list is had: as a stream, where the server does that by default. Otherwise it is fetched in pages.
pub async fn strategy(client: &Client) -> InitialListStrategy {
    let version = client.apiserver_version().await.ok();
    let digits = |text: String| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    let minor = version.and_then(|version| digits(version.minor).parse::<u32>().ok());
    match minor {
        Some(minor) if minor >= STREAMS_LISTS => InitialListStrategy::StreamingList,
        _ => InitialListStrategy::ListWatch,
    }
}

/// How the server names the objects of the kind.
pub fn resource(kind: Kind) -> ApiResource {
    let (group, version) = kind.api_version().split_once('/').unwrap_or(("", kind.api_version()));
    let gvk = GroupVersionKind::gvk(group, version, kind.name());
    // The plurals that the rules of English would get wrong.
    match kind {
        Kind::Policy => ApiResource::from_gvk_with_plural(&gvk, "proxypolicies"),
        _ => ApiResource::from_gvk(&gvk),
    }
}

/// Follows for ever; whatever goes wrong is tried again, and said once.
pub async fn follow(
    client: Client,
    scope: Scope,
    strategy: InitialListStrategy,
    brought: mpsc::Sender<Brought>,
) {
    let resource = resource(scope.kind());
    let config = Config { initial_list_strategy: strategy, ..Config::default() };
    let (api, config): (Api<DynamicObject>, _) = match &scope {
        Scope::All(_) => (Api::all_with(client, &resource), config),
        Scope::Secret(key) => {
            let one = format!("metadata.name={}", key.name);
            (Api::namespaced_with(client, key.namespace.as_str(), &resource), config.fields(&one))
        }
    };
    let events = watcher(api, config);
    pin_mut!(events);
    let mut backoff = Backoff::default();
    let mut complaint = String::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                if !complaint.is_empty() {
                    tracing::info!(kind = scope.kind().name(), "the API server answers again");
                    complaint.clear();
                }
                backoff.reset();
                if brought.send((scope.clone(), event)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                let words = describe(scope.kind(), &error);
                if words != complaint {
                    tracing::warn!(kind = scope.kind().name(), "{words}; what is known stays in force");
                    complaint = words;
                }
                tokio::time::sleep(backoff.after_failure(fastrand::f64())).await;
            }
        }
    }
}

fn describe(kind: Kind, error: &watcher::Error) -> String {
    use kube::Error::Api;
    use watcher::Error::{InitialListFailed, WatchFailed, WatchStartFailed};
    match error {
        InitialListFailed(Api(status)) | WatchStartFailed(Api(status)) | WatchFailed(Api(status)) => {
            match status.code {
                404 if kind.is_ours() => format!(
                    "the API server does not know {}: install the CRDs (novaedge-controller crds | kubectl apply -f -)",
                    kind.name()
                ),
                403 => format!("{}; give the controller's service account that right", status.message),
                _ => format!("the API server says: {}", status.message),
            }
        }
        other => format!("the API server cannot be watched: {}", chain(other)),
    }
}

/// An error with all that caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !words.contains(&more) {
            words.push_str(": ");
            words.push_str(&more);
        }
        cause = error.source();
    }
    words
}

//! The gRPC connection to one gobgpd, of whichever version.
//!
//! A connection that ends is a daemon that ended: the next call connects again, finds out the version anew, and
//! counts a restart. A daemon that is merely late keeps its connection.

use super::Endpoint;
use super::connect::{self, Connected};
use super::proto::api::go_bgp_service_client::GoBgpServiceClient;
use super::proto::apipb::gobgp_api_client::GobgpApiClient;
use super::proto::*;
use crate::routing::ApplyError;
use crate::runtime::channel::Channel;
use std::error::Error as _;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tonic::{Code, Status, Streaming};

/// For one answer; a working gobgpd takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);
/// For a list or a stream of ten thousand routes, which a working gobgpd takes 1.6 s to accept.
const PATIENCE_FOR_MANY: Duration = Duration::from_secs(10);

/// What a call came to.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("{0}")]
    NotAnswering(#[source] io::Error),
    /// The call, and the daemon's own words.
    #[error("{call}: {answer}")]
    Refused { call: &'static str, answer: String },
}

impl From<CallError> for ApplyError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NotAnswering(error) => Self::NotAnswering(error),
            CallError::Refused { call, answer } => Self::Refused { line: call.to_owned(), answer },
        }
    }
}

/// Which of GoBGP's APIs the daemon has; it tells no more about its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    V3,
    V4,
}

impl Version {
    /// A number of an enumeration that version 3 counts from 0 and version 4 from 1.
    pub fn number(self, of_v3: u32) -> u32 {
        match self {
            Self::V3 => of_v3,
            Self::V4 => of_v3 + 1,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::V3 => "3",
            Self::V4 => "4",
        }
    }
}

#[derive(Debug, Clone)]
enum Service {
    V3(GobgpApiClient<Channel>),
    V4(GoBgpServiceClient<Channel>),
}

/// A connection while it lasts.
#[derive(Debug)]
struct Session {
    service: Service,
    /// Ends when the connection does.
    connection: JoinHandle<()>,
    /// Counts what happened to BGP sessions.
    events: Arc<AtomicU64>,
    watching: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.watching.abort();
        self.connection.abort();
    }
}

#[derive(Debug)]
pub struct Client {
    endpoint: Endpoint,
    session: Option<Session>,
    restarts: u64,
}

impl Client {
    /// Connects when it is first used.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, session: None, restarts: 0 }
    }

    /// How often the daemon was found to be another process than before.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// Makes sure that there is a connection, and says what is at its other end.
    pub async fn version(&mut self) -> Result<Version, CallError> {
        let service = self.service().await?;
        Ok(match service {
            Service::V3(_) => Version::V3,
            Service::V4(_) => Version::V4,
        })
    }

    /// Differs from what it was when a BGP session has changed its state since.
    pub fn events(&self) -> u64 {
        self.session.as_ref().map_or(0, |session| session.events.load(Relaxed))
    }

    async fn service(&mut self) -> Result<Service, CallError> {
        if self.session.as_ref().is_some_and(|session| session.connection.is_finished()) {
            self.session = None;
            self.restarts += 1;
        }
        let session = match self.session.take() {
            Some(session) => session,
            None => Session::open(&self.endpoint).await?,
        };
        Ok(self.session.insert(session).service.clone())
    }
}

impl Session {
    async fn open(endpoint: &Endpoint) -> Result<Self, CallError> {
        let Connected { channel, driver } =
            connect::connect(endpoint).await.map_err(CallError::NotAnswering)?;
        let connection = tokio::spawn(driver);
        let mut v4 = GoBgpServiceClient::with_origin(channel.clone(), endpoint.origin());
        let asked = in_time(PATIENCE, "GetBgp", v4.get_bgp(GetBgpRequest {})).await;
        let service = match asked {
            Ok(_) => Service::V4(v4),
            Err(Answer::Status(status)) if status.code() == Code::Unimplemented => {
                Service::V3(GobgpApiClient::with_origin(channel, endpoint.origin()))
            }
            Err(answer) => {
                connection.abort();
                return Err(answer.told("GetBgp"));
            }
        };
        let events = Arc::new(AtomicU64::new(0));
        let watching = tokio::spawn(watch(service.clone(), Arc::clone(&events)));
        Ok(Self { service, connection, events, watching })
    }
}

/// Counts until the connection ends. The first answer comes with the first event.
async fn watch(mut service: Service, events: Arc<AtomicU64>) {
    let request = WatchEventRequest { peer: Some(watch_event_request::Peer {}) };
    let stream = match &mut service {
        Service::V3(client) => client.watch_event(request).await,
        Service::V4(client) => client.watch_event(request).await,
    };
    let Ok(stream) = stream else { return };
    let mut stream = stream.into_inner();
    while let Ok(Some(_)) = stream.message().await {
        events.fetch_add(1, Relaxed);
    }
}

#[derive(Debug)]
enum Answer {
    Late,
    Status(Status),
}

impl Answer {
    fn told(self, call: &'static str) -> CallError {
        match self {
            Self::Late => CallError::NotAnswering(io::ErrorKind::TimedOut.into()),
            // What never came from the daemon has a cause on this side.
            Self::Status(status) if status.source().is_some() || status.code() == Code::Unavailable => {
                CallError::NotAnswering(io::Error::other(status.to_string()))
            }
            Self::Status(status) => CallError::Refused { call, answer: status.message().to_owned() },
        }
    }
}

async fn in_time<T>(
    patience: Duration,
    call: &'static str,
    answer: impl Future<Output = Result<tonic::Response<T>, Status>>,
) -> Result<T, Answer> {
    match timeout(patience, answer).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(Answer::Status(status)),
        Err(_) => {
            tracing::debug!(call, "gobgpd is late");
            Err(Answer::Late)
        }
    }
}

/// All that a stream says.
async fn all<T>(mut stream: Streaming<T>) -> Result<Vec<T>, Status> {
    let mut found = Vec::new();
    while let Some(one) = stream.message().await? {
        found.push(one);
    }
    Ok(found)
}

macro_rules! calls {
    ($($call:ident $name:literal ($request:ty) -> $answer:ty;)+) => {
        impl Client {
            $(pub async fn $call(&mut self, request: $request) -> Result<$answer, CallError> {
                let answer = match self.service().await? {
                    Service::V3(mut client) => in_time(PATIENCE, $name, client.$call(request)).await,
                    Service::V4(mut client) => in_time(PATIENCE, $name, client.$call(request)).await,
                };
                answer.map_err(|answer| answer.told($name))
            })+
        }
    };
}

calls! {
    start_bgp "StartBgp" (StartBgpRequest) -> Done;
    stop_bgp "StopBgp" (StopBgpRequest) -> Done;
    get_bgp "GetBgp" (GetBgpRequest) -> GetBgpResponse;
    add_peer "AddPeer" (AddPeerRequest) -> Done;
    update_peer "UpdatePeer" (UpdatePeerRequest) -> Done;
    delete_peer "DeletePeer" (DeletePeerRequest) -> Done;
    reset_peer "ResetPeer" (ResetPeerRequest) -> Done;
    enable_peer "EnablePeer" (EnablePeerRequest) -> Done;
    disable_peer "DisablePeer" (DisablePeerRequest) -> Done;
    get_table "GetTable" (GetTableRequest) -> GetTableResponse;
    add_defined_set "AddDefinedSet" (AddDefinedSetRequest) -> Done;
    delete_defined_set "DeleteDefinedSet" (DeleteDefinedSetRequest) -> Done;
    add_policy "AddPolicy" (AddPolicyRequest) -> Done;
    delete_policy "DeletePolicy" (DeletePolicyRequest) -> Done;
    set_policy_assignment "SetPolicyAssignment" (SetPolicyAssignmentRequest) -> Done;
}

macro_rules! lists {
    ($($call:ident $name:literal ($request:ty) -> $answer:ty;)+) => {
        impl Client {
            $(pub async fn $call(&mut self, request: $request) -> Result<Vec<$answer>, CallError> {
                let service = self.service().await?;
                let listing = async move {
                    let stream = match service {
                        Service::V3(mut client) => client.$call(request).await?,
                        Service::V4(mut client) => client.$call(request).await?,
                    };
                    all(stream.into_inner()).await.map(tonic::Response::new)
                };
                in_time(PATIENCE_FOR_MANY, $name, listing).await.map_err(|answer| answer.told($name))
            })+
        }
    };
}

lists! {
    list_peer "ListPeer" (ListPeerRequest) -> ListPeerResponse;
    list_path "ListPath" (ListPathRequest) -> ListPathResponse;
    list_defined_set "ListDefinedSet" (ListDefinedSetRequest) -> ListDefinedSetResponse;
    list_policy "ListPolicy" (ListPolicyRequest) -> ListPolicyResponse;
    list_policy_assignment "ListPolicyAssignment" (ListPolicyAssignmentRequest) -> ListPolicyAssignmentResponse;
}

impl Client {
    /// Adds and withdraws paths, some hundreds a message.
    pub async fn add_path_stream(&mut self, messages: Vec<AddPathStreamRequest>) -> Result<(), CallError> {
        let call = "AddPathStream";
        let messages = futures_util::stream::iter(messages);
        let answer = match self.service().await? {
            Service::V3(mut client) => {
                in_time(PATIENCE_FOR_MANY, call, client.add_path_stream(messages)).await
            }
            Service::V4(mut client) => {
                in_time(PATIENCE_FOR_MANY, call, client.add_path_stream(messages)).await
            }
        };
        answer.map(drop).map_err(|answer| answer.told(call))
    }
}

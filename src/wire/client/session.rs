//! One connection's two streams, from Hello to whatever ends them.

use super::connect::{ConnectError, connect};
use super::endpoint::Endpoint;
use super::{Memory, Told};
use crate::model::name::Name;
use crate::model::status::NodeStatus;
use crate::model::term::Term;
use crate::runtime::channel::Channel;
use crate::wire::deliver::{Ended, STALL, deliver, hello};
use crate::wire::diffs::Diffs;
use crate::wire::inbox::Step;
use crate::wire::outbox::{Message, Outgoing};
use crate::wire::proto::estate_client::EstateClient;
use crate::wire::proto::{Answer, Part, Rejected};
use crate::wire::report::Written;
use crate::wire::tls::Security;
use crate::wire::{MESSAGE, NODE_HEADER, answer, schema};
use futures_util::stream::poll_fn;
use http::header::AUTHORIZATION;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Request, Status};

#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("cannot read the token {path}: {source}")]
    Token { path: String, source: std::io::Error },
    #[error("{path} holds no token")]
    NoToken { path: String },
    #[error("the connection broke: {0}")]
    Broken(#[source] hyper::Error),
    #[error("nothing is heard from the controller any more")]
    Silent,
    #[error("the controller closed the connection")]
    Closed,
    #[error("the controller does not let this agent in: {0}")]
    Refused(String),
    #[error(transparent)]
    Ended(#[from] Ended),
}

type Client = EstateClient<Channel>;

/// Connects, and lives until something ends.
pub(super) async fn run(
    controller: &Endpoint,
    security: &Security,
    node: &Name,
    memory: &mut Memory,
    told: &watch::Sender<Told>,
    reports: &watch::Receiver<Option<Arc<NodeStatus>>>,
) -> SessionError {
    let caller = match caller(node, security) {
        Ok(caller) => caller,
        Err(error) => return error,
    };
    let connected = match connect(controller, security).await {
        Ok(connected) => connected,
        Err(error) => return error.into(),
    };
    let origin = http::Uri::builder().scheme("https").authority("novaedge").path_and_query("/");
    let client = EstateClient::with_origin(connected.channel, origin.build().unwrap_or_default())
        .max_decoding_message_size(MESSAGE)
        .max_encoding_message_size(MESSAGE);
    tokio::select! {
        // What a stream has to say about its end comes before the connection's.
        biased;
        ended = listen(client.clone(), &caller, memory, told) => ended,
        ended = report(client, &caller, reports.clone()) => ended,
        closed = connected.driver => match closed {
            Ok(()) => SessionError::Closed,
            Err(error) => SessionError::Broken(error),
        },
        () = connected.pulse.stops() => SessionError::Silent,
    }
}

/// What every call of a connection says of its caller.
struct Caller {
    node: MetadataValue<Ascii>,
    token: Option<MetadataValue<Ascii>>,
}

fn caller(node: &Name, security: &Security) -> Result<Caller, SessionError> {
    let token = match security {
        Security::Token(_, file) => {
            let unreadable = |source| SessionError::Token { path: file.display().to_string(), source };
            let text = std::fs::read_to_string(file).map_err(unreadable)?;
            let value = format!("Bearer {}", text.trim()).parse();
            Some(value.map_err(|_| SessionError::NoToken { path: file.display().to_string() })?)
        }
        Security::Tls(_) | Security::Reviewing(..) | Security::Insecure => None,
    };
    // A name has no other characters than a header may have.
    let node = node.as_str().parse().unwrap_or_else(|_| MetadataValue::from_static(""));
    Ok(Caller { node, token })
}

fn request<T>(
    caller: &Caller,
    items: mpsc::Receiver<T>,
) -> Request<impl futures_util::Stream<Item = T> + Send + 'static>
where
    T: Send + 'static,
{
    let mut items = items;
    let mut request = Request::new(poll_fn(move |context| items.poll_recv(context)));
    request.metadata_mut().insert(NODE_HEADER, caller.node.clone());
    if let Some(token) = &caller.token {
        request.metadata_mut().insert(AUTHORIZATION.as_str(), token.clone());
    }
    request
}

fn refused(status: Status) -> SessionError {
    SessionError::Refused(format!("{} ({})", status.message(), status.code()))
}

/// Hears orders.
async fn listen(
    mut client: Client,
    caller: &Caller,
    memory: &mut Memory,
    told: &watch::Sender<Told>,
) -> SessionError {
    memory.inbox.restart();
    let (answers, outgoing) = mpsc::channel(2);
    let page = memory.inbox.page();
    let has = (!page.is_empty()).then(|| page.digest());
    let _ = answers.try_send(answer::hello(schema::hello(has)));
    let mut parts = match client.watch(request(caller, outgoing)).await {
        Ok(response) => response.into_inner(),
        Err(status) => return refused(status),
    };
    told.send_if_modified(|told| !std::mem::replace(&mut told.connected, true));
    loop {
        let part = match parts.message().await {
            Ok(Some(part)) => part,
            Ok(None) => return Ended::Closed.into(),
            Err(status) => return Ended::from(Box::new(status)).into(),
        };
        if let Err(ended) = take(part, memory, told, &answers).await {
            return ended.into();
        }
    }
}

async fn take(
    part: Part,
    memory: &mut Memory,
    told: &watch::Sender<Told>,
    answers: &mpsc::Sender<Answer>,
) -> Result<(), Ended> {
    let generation = part.generation;
    let Some(term) = part.term.map(|term| Term { created: term.created, transitions: term.transitions })
    else {
        memory.inbox.restart();
        told.send_if_modified(|told| told.term.take().is_some());
        return Ok(());
    };
    let Memory { inbox, orders } = memory;
    let step = inbox.take(part)?;
    if let Step::Complete(change) = &step {
        let snapshot = if change.is_empty() { None } else { orders.follow(change, generation) };
        let rejected = orders.rejected();
        told.send_if_modified(|told| {
            let before = (told.term, told.generation);
            told.term = Some(term);
            told.generation = generation;
            let is_new = snapshot.is_some() || told.rejected != rejected;
            told.rejected = rejected;
            told.snapshot = snapshot.or(told.snapshot.take());
            is_new || before != (told.term, told.generation)
        });
    }
    match answer::to(&step, generation, orders.rejections()) {
        None => Ok(()),
        Some(word) => match timeout(STALL, answers.send(word)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Ended::Closed),
            Err(_) => Err(Ended::Stalled),
        },
    }
}

/// Sends reports.
async fn report(
    mut client: Client,
    caller: &Caller,
    reports: watch::Receiver<Option<Arc<NodeStatus>>>,
) -> SessionError {
    let (parts, outgoing) = mpsc::channel(1);
    let mut answers = match client.report(request(caller, outgoing)).await {
        Ok(response) => response.into_inner(),
        Err(status) => return refused(status),
    };
    let hello = match hello(&mut answers).await {
        Ok(hello) => hello,
        Err(ended) => return ended.into(),
    };
    let (mut written, mut generation) = (None::<Written>, 0);
    let say = |newest: &Option<Arc<NodeStatus>>| {
        let Some(status) = newest else { return Outgoing::Nothing };
        let written = written.get_or_insert_with(|| Written::new(Arc::clone(status)));
        if written.update(Arc::clone(status)) || generation == 0 {
            generation += 1;
        }
        Outgoing::Page(Message { term: None, generation, page: written.page() })
    };
    let diffs = Diffs::default();
    deliver(&hello, &mut answers, &parts, reports, say, &diffs, complain).await.into()
}

fn complain(_: u64, rejected: Vec<Rejected>) {
    for Rejected { key, reason } in rejected {
        tracing::debug!(key, reason, "the controller does not understand a part of the report");
    }
}

//! The two calls of an agent.

use super::Shared;
use super::metrics::Refusal;
use super::register::{Seat, Stream};
use crate::model::name::Name;
use crate::wire::deliver::{Ended, STALL, deliver, hello};
use crate::wire::inbox::{Inbox, Step};
use crate::wire::page::Sheet;
use crate::wire::proto::estate_server::Estate;
use crate::wire::proto::{Answer, Part};
use crate::wire::report::{Report, Written};
use crate::wire::{REPORT, answer, schema};
use futures_util::Stream as Items;
use futures_util::stream::poll_fn;
use prost::Message;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status, Streaming};

/// Who asks, as the connection knows.
#[derive(Debug, Clone)]
pub struct Caller {
    pub node: Name,
    /// Closes the connection at once: a peer that takes nothing would not see its stream end.
    pub close: CancellationToken,
}

#[derive(Debug, Clone)]
pub struct Service(pub Arc<Shared>);

type Outgoing<T> = Pin<Box<dyn Items<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Estate for Service {
    type WatchStream = Outgoing<Part>;
    type ReportStream = Outgoing<Answer>;

    async fn watch(
        &self,
        request: Request<Streaming<Answer>>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let (caller, seat, answers) = self.seat(request, Stream::Watch)?;
        let (parts, outgoing) = mpsc::channel(1);
        let (end, ending) = mpsc::channel(1);
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move { conclude(watching(&shared, &seat, answers, &parts).await, &caller, &end) });
        let sent = self.0.metrics.sent_bytes.clone();
        Ok(Response::new(stream(outgoing, ending, move |part: &Part| {
            sent.inc_by(part.encoded_len() as u64);
        })))
    }

    async fn report(
        &self,
        request: Request<Streaming<Part>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        let (caller, seat, parts) = self.seat(request, Stream::Report)?;
        let (answers, outgoing) = mpsc::channel(2);
        let (end, ending) = mpsc::channel(1);
        let shared = Arc::clone(&self.0);
        tokio::spawn(
            async move { conclude(listening(&shared, &seat, parts, &answers).await, &caller, &end) },
        );
        Ok(Response::new(stream(outgoing, ending, |_| {})))
    }
}

impl Service {
    fn seat<T>(&self, request: Request<T>, stream: Stream) -> Result<(Caller, Seat, T), Status> {
        let caller = request.extensions().get::<Caller>().cloned();
        let caller = caller.ok_or_else(|| Status::unauthenticated("nobody knows who asks"))?;
        let seat = self.0.register.open(&caller.node, stream);
        let seat = seat.map_err(|error| {
            self.0.metrics.refuse(Refusal::Crowded);
            Status::resource_exhausted(error.to_string())
        })?;
        Ok((caller, seat, request.into_inner()))
    }
}

/// The items, each shown to `count`, and at last how it ended.
fn stream<T: Send + 'static>(
    mut items: mpsc::Receiver<T>,
    mut ending: mpsc::Receiver<Status>,
    count: impl Fn(&T) + Send + 'static,
) -> Outgoing<T> {
    Box::pin(poll_fn(move |context| {
        items.poll_recv(context).map(|item| match item {
            Some(item) => {
                count(&item);
                Some(Ok(item))
            }
            None => ending.try_recv().ok().map(Err),
        })
    }))
}

fn conclude(ended: Ended, caller: &Caller, end: &mpsc::Sender<Status>) {
    let code = match &ended {
        Ended::Closed => return,
        Ended::Broken(status) => status.code(),
        Ended::Stalled => {
            tracing::warn!(node = %caller.node, "an agent took nothing for {STALL:?}; it is disconnected");
            return caller.close.cancel();
        }
        Ended::Schema(_) => Code::FailedPrecondition,
        Ended::Replaced => Code::Aborted,
        Ended::NoHello | Ended::OutOfStep(_) | Ended::Page(_) => Code::InvalidArgument,
    };
    tracing::info!(node = %caller.node, error = %ended, "an agent's stream ends");
    let _ = end.try_send(Status::new(code, ended.to_string()));
}

/// Orders go out.
async fn watching(
    shared: &Shared,
    seat: &Seat,
    mut answers: Streaming<Answer>,
    parts: &mpsc::Sender<Part>,
) -> Ended {
    let delivery = async {
        let hello = match hello(&mut answers).await {
            Ok(hello) => hello,
            Err(ended) => return ended,
        };
        let say = |composed: &Arc<super::compose::Composed>| composed.outgoing(&seat.node);
        let taken = |generation, refused| seat.taken(generation, refused);
        deliver(&hello, &mut answers, parts, shared.composed.clone(), say, &shared.diffs, taken).await
    };
    tokio::select! {
        ended = delivery => ended,
        () = seat.replaced.cancelled() => Ended::Replaced,
    }
}

/// Reports come in.
async fn listening(
    shared: &Shared,
    seat: &Seat,
    mut parts: Streaming<Part>,
    answers: &mpsc::Sender<Answer>,
) -> Ended {
    let receiving = async {
        match receive(shared, seat, &mut parts, answers).await {
            Ok(()) => Ended::Closed,
            Err(ended) => ended,
        }
    };
    tokio::select! {
        ended = receiving => ended,
        () = seat.replaced.cancelled() => Ended::Replaced,
    }
}

async fn receive(
    shared: &Shared,
    seat: &Seat,
    parts: &mut Streaming<Part>,
    answers: &mpsc::Sender<Answer>,
) -> Result<(), Ended> {
    let (mut inbox, mut report) = match seat.last_report() {
        Some(last) => {
            let sheet = Written::new(Arc::clone(&last)).sheet().clone();
            (Inbox::new(sheet, REPORT), Report::new(Arc::unwrap_or_clone(last)))
        }
        None => (Inbox::new(Sheet::default(), REPORT), Report::none(seat.node.clone())),
    };
    let has = (!inbox.page().is_empty()).then(|| inbox.page().digest());
    say(answers, answer::hello(schema::hello(has))).await?;
    while let Some(part) = parts.message().await.map_err(Box::new)? {
        shared.metrics.received_bytes.inc_by(part.encoded_len() as u64);
        let generation = part.generation;
        let step = inbox.take(part)?;
        match &step {
            Step::Complete(change) => {
                if let Some(status) = report.follow(change) {
                    seat.report(status);
                }
            }
            Step::Mismatch => drop(shared.metrics.resends.inc()),
            Step::More => {}
        }
        if let Some(word) = answer::to(&step, generation, report.rejections()) {
            say(answers, word).await?;
        }
    }
    Ok(())
}

async fn say(answers: &mpsc::Sender<Answer>, word: Answer) -> Result<(), Ended> {
    match timeout(STALL, answers.send(word)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Ended::Closed),
        Err(_) => Err(Ended::Stalled),
    }
}

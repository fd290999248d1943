//! The sending end at work: keeps the other side at the newest page, for as long as the stream lives.

use super::diffs::Diffs;
use super::outbox::{Next, OutOfStep, Outbox, Outgoing};
use super::parts::{Head, Parts};
use super::proto::answer::Answer as Said;
use super::proto::{Answer, Hello, Part, Rejected};
use super::schema::{self, NoCommonSchema};
use std::future::pending;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tonic::{Status, Streaming};

/// Whoever takes nothing for so long, although there is something for it, is given up.
pub const STALL: Duration = Duration::from_secs(10);

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    #[error("the other side closed the stream")]
    Closed,
    #[error("the stream broke: {}", .0.message())]
    Broken(#[from] Box<Status>),
    #[error("the other side took nothing for {STALL:?}")]
    Stalled,
    #[error("the other side did not say which schemas it speaks")]
    NoHello,
    #[error(transparent)]
    Schema(#[from] NoCommonSchema),
    #[error(transparent)]
    OutOfStep(#[from] OutOfStep),
    #[error(transparent)]
    Page(#[from] super::inbox::Broken),
    #[error("a newer stream of this node took its place; do two agents use one certificate?")]
    Replaced,
}

/// Waits for the receiver's first word.
///
/// # Errors
/// It does not come, or is something else.
pub async fn hello(answers: &mut Streaming<Answer>) -> Result<Hello, Ended> {
    match timeout(STALL, answers.message()).await {
        Err(_) => Err(Ended::Stalled),
        Ok(Err(status)) => Err(Box::new(status).into()),
        Ok(Ok(None)) => Err(Ended::Closed),
        Ok(Ok(Some(Answer { answer: Some(Said::Hello(hello)) }))) => Ok(hello),
        Ok(Ok(Some(_))) => Err(Ended::NoHello),
    }
}

/// Sends what `say` makes of the newest value, whenever it is something else; `taken` hears of each page that
/// is in force on the other side, by generation, with the entries that are not used there. A page that is under
/// way is not interrupted; of the values that come meanwhile the newest is sent next. Returns with the
/// reason when the stream has ended or has to; dropping the future is safe.
pub async fn deliver<T>(
    hello: &Hello,
    answers: &mut Streaming<Answer>,
    parts: &mpsc::Sender<Part>,
    mut newest: watch::Receiver<T>,
    mut say: impl FnMut(&T) -> Outgoing,
    diffs: &Diffs,
    mut taken: impl FnMut(u64, Vec<Rejected>),
) -> Ended {
    let schema = match schema::common(hello) {
        Ok(schema) => schema,
        Err(error) => return error.into(),
    };
    let mut outbox = Outbox::new(hello);
    let mut patience = None;
    loop {
        if !outbox.is_waiting() {
            let outgoing = say(&newest.borrow_and_update());
            if let Some(next) = outbox.next(outgoing)
                && let Err(ended) = send(schema, &next, parts, diffs).await
            {
                return ended;
            }
            patience = outbox.is_waiting().then(|| Instant::now() + STALL);
        }
        tokio::select! {
            answer = answers.message() => match answer {
                Ok(Some(answer)) => if let Err(error) = heed(answer, &mut outbox, &mut taken) {
                    return error.into();
                },
                Ok(None) => return Ended::Closed,
                Err(status) => return Box::new(status).into(),
            },
            () = change(&mut newest), if !outbox.is_waiting() => {}
            () = run_out(patience) => return Ended::Stalled,
            () = parts.closed() => return Ended::Closed,
        }
    }
}

/// Never, when nobody is left who could change it.
async fn change<T>(newest: &mut watch::Receiver<T>) {
    if newest.changed().await.is_err() {
        pending::<()>().await;
    }
}

async fn run_out(patience: Option<Instant>) {
    match patience {
        Some(end) => sleep_until(end).await,
        None => pending().await,
    }
}

fn heed(
    answer: Answer,
    outbox: &mut Outbox,
    taken: &mut impl FnMut(u64, Vec<Rejected>),
) -> Result<(), OutOfStep> {
    match answer.answer {
        Some(Said::Taken(word)) => {
            outbox.taken(word.generation)?;
            taken(word.generation, word.rejected);
        }
        Some(Said::Resend(word)) => {
            outbox.resend()?;
            tracing::info!(generation = word.generation, "a page is asked for again, whole");
        }
        Some(Said::Hello(_)) | None => return Err(OutOfStep::Unasked),
    }
    Ok(())
}

async fn send(schema: u32, next: &Next, to: &mpsc::Sender<Part>, diffs: &Diffs) -> Result<(), Ended> {
    match next {
        Next::NoOrders => give(to, Head { schema, term: None, generation: 0 }.part()).await,
        Next::Whole(message) => {
            let head = Head { schema, term: message.term, generation: message.generation };
            give_all(to, Parts::whole(head, &message.page)).await
        }
        Next::Changes { from, to: message } => {
            let head = Head { schema, term: message.term, generation: message.generation };
            let changes = from.as_ref().map(|from| diffs.between(from, &message.page)).unwrap_or_default();
            give_all(to, Parts::changes(head, &changes, message.page.digest())).await
        }
    }
}

async fn give_all(to: &mpsc::Sender<Part>, parts: Parts<'_>) -> Result<(), Ended> {
    for part in parts {
        give(to, part).await?;
    }
    Ok(())
}

async fn give(to: &mpsc::Sender<Part>, part: Part) -> Result<(), Ended> {
    match timeout(STALL, to.send(part)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Ended::Closed),
        Err(_) => Err(Ended::Stalled),
    }
}

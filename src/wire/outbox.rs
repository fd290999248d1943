//! The sending end of a stream of pages: what to say next. One page is under way at a time, and nothing is
//! queued behind it but the newest.

use super::page::Page;
use super::proto::Hello;
use crate::model::term::Term;
use bytes::Bytes;

/// Whole pages in a row that did not arrive as they were sent.
const MISMATCHES: u32 = 3;

/// What there is to say.
#[derive(Debug, Clone, Default)]
pub enum Outgoing {
    /// Nothing yet.
    #[default]
    Nothing,
    /// That there are no orders from here: this controller does not lead, or does not know the node.
    NoOrders,
    Page(Message),
}

#[derive(Debug, Clone)]
pub struct Message {
    /// Reports have none.
    pub term: Option<Term>,
    pub generation: u64,
    pub page: Page,
}

/// What to send now.
#[derive(Debug)]
pub enum Next {
    /// An empty part without a term; it is not answered.
    NoOrders,
    /// All of it.
    Whole(Message),
    /// What leads from the page `from` to this one; nothing but a new head when `from` is `None`.
    Changes { from: Option<Page>, to: Message },
}

/// What the other side has.
#[derive(Debug)]
pub struct Outbox {
    hello: Bytes,
    /// The last page sent, its term and generation.
    sent: Option<Message>,
    under_way: bool,
    /// The other side said that it could not follow.
    lost: bool,
    mismatches: u32,
    silent: bool,
}

/// The other side does not keep to the protocol, or the network spoils what is sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutOfStep {
    #[error("an answer came to a page that was not sent")]
    Unasked,
    #[error("{MISMATCHES} pages in a row did not arrive as they were sent")]
    Spoiled,
}

impl Outbox {
    pub fn new(hello: &Hello) -> Self {
        let hello = hello.digest.clone();
        Self { hello, sent: None, under_way: false, lost: false, mismatches: 0, silent: false }
    }

    /// A page is under way, and no other may be begun before its answer.
    pub fn is_waiting(&self) -> bool {
        self.under_way
    }

    /// What to send, when no page is under way; `None`: the other side has it.
    pub fn next(&mut self, outgoing: Outgoing) -> Option<Next> {
        match outgoing {
            _ if self.under_way => None,
            Outgoing::Nothing => None,
            Outgoing::NoOrders if self.silent => None,
            Outgoing::NoOrders => {
                self.silent = true;
                Some(Next::NoOrders)
            }
            Outgoing::Page(message) => self.page(message),
        }
    }

    fn page(&mut self, message: Message) -> Option<Next> {
        let (term, generation, digest) = (message.term, message.generation, message.page.digest());
        let next = match self.sent.take() {
            _ if self.lost => Next::Whole(message.clone()),
            None if self.hello == digest.to_bytes() => Next::Changes { from: None, to: message.clone() },
            None => Next::Whole(message.clone()),
            Some(sent)
                if !self.silent
                    && (sent.term, sent.generation, sent.page.digest()) == (term, generation, digest) =>
            {
                // Equal sheets may be new ones: keep those that will be compared with the next.
                self.sent = Some(message);
                return None;
            }
            Some(sent) => Next::Changes { from: Some(sent.page), to: message.clone() },
        };
        self.sent = Some(message);
        self.under_way = true;
        self.lost = false;
        self.silent = false;
        Some(next)
    }

    /// # Errors
    /// This generation was not under way.
    pub fn taken(&mut self, generation: u64) -> Result<(), OutOfStep> {
        self.mismatches = 0;
        let sent = self.sent.as_ref().is_some_and(|sent| sent.generation == generation);
        if std::mem::take(&mut self.under_way) && sent { Ok(()) } else { Err(OutOfStep::Unasked) }
    }

    /// # Errors
    /// Nothing was under way, or it does not end.
    pub fn resend(&mut self) -> Result<(), OutOfStep> {
        self.lost = true;
        self.mismatches += 1;
        match std::mem::take(&mut self.under_way) {
            false => Err(OutOfStep::Unasked),
            true if self.mismatches >= MISMATCHES => Err(OutOfStep::Spoiled),
            true => Ok(()),
        }
    }
}

//! A line from a sender to a receiver, that does what a test tells it.

use super::name;
use crate::model::snapshot::Snapshot;
use crate::model::term::Term;
use crate::wire::inbox::{Broken, Inbox, Step};
use crate::wire::orders::{self, Orders};
use crate::wire::outbox::{Message, Next, Outbox, Outgoing};
use crate::wire::page::{Change, Sheet};
use crate::wire::parts::{Head, Parts};
use crate::wire::proto::Part;
use crate::wire::schema;
use std::sync::Arc;

pub struct Line {
    pub outbox: Outbox,
    pub inbox: Inbox,
    pub orders: Orders,
    /// What is in force at the receiver.
    pub snapshot: Option<Arc<Snapshot>>,
    /// How many bytes of entries and keys went over.
    pub carried: usize,
}

/// What became of one attempt to bring the receiver up to date.
#[derive(Debug, PartialEq, Eq)]
pub enum Carried {
    Nothing,
    Taken,
    Resend,
}

pub fn message(snapshot: &Snapshot, generation: u64) -> Message {
    let term = Some(Term { created: 7, transitions: 0 });
    Message { term, generation, page: orders::page(snapshot) }
}

pub fn parts(next: &Next) -> Vec<Part> {
    match next {
        Next::NoOrders => Vec::new(),
        Next::Whole(to) => Parts::whole(head(to), &to.page).collect(),
        Next::Changes { from, to } => {
            let pairs = from.iter().flat_map(|from| from.0.iter().zip(&to.page.0));
            let changes: Vec<Arc<Change>> = pairs.map(|(from, to)| Arc::new(from.change_to(to))).collect();
            Parts::changes(head(to), &changes, to.page.digest()).collect()
        }
    }
}

fn head(message: &Message) -> Head {
    Head { schema: schema::SCHEMA, term: message.term, generation: message.generation }
}

impl Line {
    /// The receiver has nothing yet.
    pub fn new() -> Self {
        Self::over(Inbox::new(Sheet::default(), 1 << 20), Orders::none(name("n1")), schema::hello(None))
    }

    fn over(inbox: Inbox, orders: Orders, hello: crate::wire::proto::Hello) -> Self {
        Self { outbox: Outbox::new(&hello), inbox, orders, snapshot: None, carried: 0 }
    }

    /// The stream breaks, and another begins: the receiver keeps what it has.
    pub fn reconnect(&mut self) {
        self.inbox.restart();
        self.outbox = Outbox::new(&schema::hello(Some(self.inbox.page().digest())));
    }

    /// Sends the message once; `spoil` sees each part before it arrives.
    pub fn carry(&mut self, message: Message, mut spoil: impl FnMut(&mut Part)) -> Result<Carried, Broken> {
        let Some(next) = self.outbox.next(Outgoing::Page(message)) else { return Ok(Carried::Nothing) };
        let (mut last, mut generation) = (Step::More, 0);
        for mut part in parts(&next) {
            assert_eq!(last, Step::More, "nothing follows the last part");
            self.carried +=
                part.entries.iter().map(|entry| entry.key.len() + entry.value.len()).sum::<usize>();
            self.carried += part.removed.iter().map(String::len).sum::<usize>();
            spoil(&mut part);
            generation = part.generation;
            last = self.inbox.take(part)?;
            if let Step::Complete(change) = &last {
                self.snapshot = self.orders.follow(change, generation);
            }
        }
        Ok(match last {
            Step::More => Carried::Nothing,
            Step::Complete(_) => self.outbox.taken(generation).map(|()| Carried::Taken).unwrap(),
            Step::Mismatch => self.outbox.resend().map(|()| Carried::Resend).unwrap(),
        })
    }
}

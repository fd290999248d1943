//! One client connection, as everything that serves it knows it.

use super::activity::{Activity, Clock, Limits, Verdict};
use super::preface::Protocol;
use crate::proxy::core::Core;
use crate::proxy::table::{Local, Site};
use crate::proxy::traffic::Tally;
use http::HeaderValue;
use std::cell::{Cell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};

pub struct Client {
    core: Rc<Core>,
    pub peer: IpAddr,
    /// The same, as `X-Forwarded-For` has it.
    pub peer_text: HeaderValue,
    /// The VIP's address and port that the client connected to.
    pub local: Local,
    pub activity: Arc<Activity>,
    /// What is open at that address.
    pub tally: Arc<Tally>,
    limits: Limits,
    protocol: Cell<Option<Protocol>>,
    /// What serves it, looked up in the table of this version. A site that has gone finishes what it has.
    site: RefCell<(u64, Rc<Site>)>,
    retiring: Cell<bool>,
    verdict: Cell<Verdict>,
    task: Cell<Option<Waker>>,
}

impl Client {
    /// Counted as open, and watched by the reaper, until it is dropped.
    pub fn new(core: &Rc<Core>, peer: SocketAddr, site: Rc<Site>, local: Local) -> Rc<Self> {
        let table = core.table();
        let activity = Arc::new(Activity::default());
        activity.idle.begin(core.clock.now());
        let client = Rc::new(Self {
            core: Rc::clone(core),
            peer: peer.ip(),
            peer_text: HeaderValue::try_from(peer.ip().to_string()).expect("an address is visible ASCII"),
            local,
            activity,
            tally: table.tally(local.0),
            limits: site.limits(),
            protocol: Cell::new(None),
            site: RefCell::new((table.version, site)),
            retiring: Cell::new(table.is_lame_duck(local.0)),
            verdict: Cell::new(Verdict::Keep),
            task: Cell::new(None),
        });
        client.tally.connections.add(1);
        core.clients.borrow_mut().admit(&client);
        client
    }

    pub fn core(&self) -> &Rc<Core> {
        &self.core
    }

    pub fn clock(&self) -> Arc<Clock> {
        Arc::clone(&self.core.clock)
    }

    pub fn speaks(&self, protocol: Protocol) {
        self.protocol.set(Some(protocol));
    }

    pub fn protocol(&self) -> Option<Protocol> {
        self.protocol.get()
    }

    /// The site by the newest table; the last one known when that has none for this address any more.
    pub fn site(&self) -> Rc<Site> {
        self.refresh();
        Rc::clone(&self.site.borrow().1)
    }

    /// Whether the connection should end with its next response.
    pub fn is_retiring(&self) -> bool {
        self.refresh();
        self.retiring.get()
    }

    fn refresh(&self) {
        let table = self.core.table();
        let mut known = self.site.borrow_mut();
        if known.0 != table.version {
            known.0 = table.version;
            let now = table.site(self.local);
            self.retiring.set(table.is_lame_duck(self.local.0) || now.is_none());
            if let Some(site) = now {
                known.1 = site;
            }
        }
    }

    /// Looks at the marks and, when they ask for something new, wakes the connection's task.
    pub fn judge(&self) {
        let retiring = self.is_retiring();
        let mut verdict = self.activity.verdict(self.core.clock.now(), &self.limits, retiring);
        if verdict == Verdict::Keep && retiring && self.protocol.get() == Some(Protocol::Http2) {
            // A GOAWAY hurts no request: streams that cross it on their way are served (RFC 9113 §6.8).
            verdict = Verdict::Finish;
        }
        let is_news = verdict != Verdict::Keep && verdict != self.verdict.replace(verdict);
        if is_news && let Some(task) = self.task.take() {
            task.wake();
        }
    }

    /// The newest verdict; the task is woken when it changes.
    pub fn poll_verdict(&self, cx: &mut Context<'_>) -> Verdict {
        let known = self.task.take().filter(|waker| waker.will_wake(cx.waker()));
        self.task.set(Some(known.unwrap_or_else(|| cx.waker().clone())));
        self.verdict.get()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.tally.connections.subtract(1);
        self.core.clients.borrow_mut().dismiss(self);
    }
}

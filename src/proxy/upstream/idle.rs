//! Kept connections to one endpoint, of one core.

use super::RequestBody;
use hyper::client::conn::{http1, http2};
use std::cell::RefCell;
use std::time::{Duration, Instant};

/// After a burst. Time lets go of those that are not needed; this is for an endpoint's and our own memory.
const KEPT_AT_MOST: usize = 1024;

pub type Http1 = http1::SendRequest<RequestBody>;
pub type Http2 = http2::SendRequest<RequestBody>;

#[derive(Default)]
pub struct Kept {
    /// Used last, taken first: the rest can grow old and go.
    http1: RefCell<Vec<(Http1, Instant)>>,
    /// One connection carries all streams.
    http2: RefCell<Option<(Http2, Instant)>>,
    /// Held by whoever opens that one.
    pub opening: tokio::sync::Mutex<()>,
}

impl Kept {
    /// A connection that can take a request now.
    pub fn take(&self) -> Option<Http1> {
        let mut kept = self.http1.borrow_mut();
        loop {
            match kept.pop() {
                Some((connection, _)) if connection.is_ready() => return Some(connection),
                // Closed by the endpoint meanwhile.
                Some(_) => {}
                None => return None,
            }
        }
    }

    /// Keeps a connection whose exchange is complete. One that is still busy, with a request body that the
    /// endpoint did not wait for, or that the endpoint wants closed, is let go of.
    pub fn give_back(&self, connection: Http1, now: Instant) {
        let mut kept = self.http1.borrow_mut();
        if connection.is_ready() && kept.len() < KEPT_AT_MOST {
            kept.push((connection, now));
        }
    }

    pub fn shared(&self, now: Instant) -> Option<Http2> {
        let mut kept = self.http2.borrow_mut();
        kept.take_if(|(connection, _)| connection.is_closed());
        kept.as_mut().map(|(connection, used)| {
            *used = now;
            connection.clone()
        })
    }

    pub fn share(&self, connection: Http2, now: Instant) {
        *self.http2.borrow_mut() = Some((connection, now));
    }

    /// Lets go of what is closed, or was not used for `limit`.
    pub fn sweep(&self, now: Instant, limit: Duration) {
        let fresh = |used: Instant| now.saturating_duration_since(used) < limit;
        self.http1.borrow_mut().retain(|(connection, used)| !connection.is_closed() && fresh(*used));
        self.http2.borrow_mut().take_if(|(connection, used)| connection.is_closed() || !fresh(*used));
    }
}

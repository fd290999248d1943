//! Bodies, as they stream through: never more of one in memory than the sockets' buffers, and each frame
//! only when the other side has room for it.

use super::connection::activity::{Activity, Clock};
use super::connection::preface::Protocol;
use super::measure::Flight;
use super::upstream::endpoint::Outstanding;
use super::upstream::idle::{Http1, Kept};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::{Body, Incoming};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

/// A request's body on its way to an endpoint.
pub enum RequestBody {
    /// Nothing to send, and so nothing lost if it has to be sent again.
    Empty,
    Streaming {
        incoming: Incoming,
        watched: Option<Watched>,
    },
}

/// Where it shows that a client owes us bytes. On HTTP/2 a quiet stream is nothing unusual.
pub struct Watched {
    activity: Arc<Activity>,
    clock: Arc<Clock>,
}

impl RequestBody {
    pub fn new(
        incoming: Incoming,
        protocol: Option<Protocol>,
        activity: &Arc<Activity>,
        clock: Arc<Clock>,
    ) -> Self {
        if incoming.is_end_stream() {
            return Self::Empty;
        }
        let watched =
            (protocol == Some(Protocol::Http1)).then(|| Watched { activity: Arc::clone(activity), clock });
        Self::Streaming { incoming, watched }
    }

    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Self::Streaming { incoming, watched } = self.get_mut() else { return Poll::Ready(None) };
        let frame = Pin::new(incoming).poll_frame(cx);
        if let Some(watched) = watched {
            match &frame {
                Poll::Pending => watched.activity.awaited.begin(watched.clock.now()),
                Poll::Ready(_) => watched.activity.awaited.end(),
            }
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Streaming { incoming, .. } => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Streaming { incoming, .. } => incoming.size_hint(),
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.activity.awaited.end();
    }
}

/// What an exchange occupies upstream until the response's last byte.
pub struct Lease {
    pub outstanding: Outstanding,
    /// The connection, if it is worth keeping, and where it is kept.
    pub connection: Option<(Http1, Rc<Kept>)>,
}

impl Lease {
    /// The exchange is complete.
    fn end(self) {
        if let Some((connection, kept)) = self.connection {
            kept.give_back(connection, Instant::now());
        }
    }
}

/// A response's body on its way to the client.
pub struct ResponseBody {
    content: Content,
    /// In flight until the body is dropped: sent, or given up.
    pub flight: Option<Flight>,
}

enum Content {
    Text(Option<Bytes>),
    Relayed { incoming: Incoming, lease: Option<Lease> },
}

impl ResponseBody {
    pub fn text(text: &'static str) -> Self {
        let text = (!text.is_empty()).then(|| Bytes::from_static(text.as_bytes()));
        Self { content: Content::Text(text), flight: None }
    }

    pub fn relayed(incoming: Incoming, lease: Lease) -> Self {
        let lease = if incoming.is_end_stream() {
            lease.end();
            None
        } else {
            Some(lease)
        };
        Self { content: Content::Relayed { incoming, lease }, flight: None }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = hyper::Error;

    /// An endpoint that breaks off in the middle becomes an error here, and the client's connection is cut
    /// (HTTP/1) or its stream reset (HTTP/2): nobody takes half a body for a whole one.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Self { content, flight } = &mut *self;
        let (incoming, lease) = match content {
            Content::Text(text) => return Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            Content::Relayed { incoming, lease } => (incoming, lease),
        };
        let frame = ready!(Pin::new(&mut *incoming).poll_frame(cx));
        match &frame {
            Some(Err(_)) => {
                if let Some(lease) = lease.take() {
                    lease.outstanding.endpoint().failed(Instant::now());
                }
                if let Some(flight) = flight {
                    flight.broke_off();
                }
            }
            Some(Ok(_)) if !incoming.is_end_stream() => {}
            Some(Ok(_)) | None => {
                if let Some(lease) = lease.take() {
                    lease.end();
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Text(text) => text.is_none(),
            Content::Relayed { incoming, .. } => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Text(text) => SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64)),
            Content::Relayed { incoming, .. } => incoming.size_hint(),
        }
    }
}

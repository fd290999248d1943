//! A client's socket, as hyper reads and writes it.
//!
//! Adds three things to a `TcpStream`: bytes that were read to tell the protocol come first; what
//! happens leaves its marks in [`Activity`]; and closing is polite, unless a response broke off.

use super::activity::{Activity, Clock};
use super::preface::Protocol;
use crate::proxy::l4::pump;
use bytes::{Buf, Bytes};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

pub struct ClientIo {
    /// Gone only when the parts have been taken.
    stream: Option<TcpStream>,
    /// Read before, to be read again first.
    prefix: Bytes,
    protocol: Protocol,
    activity: Arc<Activity>,
    clock: Arc<Clock>,
    said_goodbye: bool,
}

impl ClientIo {
    pub fn new(
        stream: TcpStream,
        (protocol, prefix): (Protocol, Bytes),
        activity: Arc<Activity>,
        clock: Arc<Clock>,
    ) -> Self {
        if !prefix.is_empty() {
            activity.received(protocol, clock.now());
        }
        Self { stream: Some(stream), prefix, protocol, activity, clock, said_goodbye: false }
    }

    pub fn into_parts(mut self) -> (TcpStream, Bytes) {
        (self.stream.take().expect("taken once"), std::mem::take(&mut self.prefix))
    }

    fn stream(&mut self) -> Pin<&mut TcpStream> {
        Pin::new(self.stream.as_mut().expect("whoever takes the parts has no ClientIo left"))
    }

    fn mark_sent<T>(&self, outcome: &Poll<T>) {
        match outcome {
            Poll::Pending => self.activity.unsent.begin(self.clock.now()),
            Poll::Ready(_) => self.activity.unsent.end(),
        }
    }
}

impl AsyncRead for ClientIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.prefix.is_empty() {
            let taken = self.prefix.len().min(into.remaining());
            into.put_slice(&self.prefix[..taken]);
            self.prefix.advance(taken);
            return Poll::Ready(Ok(()));
        }
        let before = into.filled().len();
        ready!(self.stream().poll_read(cx, into))?;
        if into.filled().len() > before {
            self.activity.received(self.protocol, self.clock.now());
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClientIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = self.stream().poll_write(cx, bytes);
        self.mark_sent(&outcome);
        outcome
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = self.stream().poll_write_vectored(cx, slices);
        self.mark_sent(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Sends a FIN, then reads and forgets until the client closes as well. Closing with bytes unread
    /// would send a RST, which can overtake and destroy our last response (RFC 9112 §9.6). The reaper
    /// ends the wait after [`super::activity::Limits::linger`].
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.said_goodbye {
            ready!(self.stream().poll_shutdown(cx))?;
            self.said_goodbye = true;
            self.activity.closing.begin(self.clock.now());
        }
        let mut scratch = [std::mem::MaybeUninit::<u8>::uninit(); 8192];
        loop {
            let mut unread = ReadBuf::uninit(&mut scratch);
            match ready!(self.stream().poll_read(cx, &mut unread)) {
                Ok(()) if unread.filled().is_empty() => return Poll::Ready(Ok(())),
                Ok(()) => {}
                // A client that resets has closed.
                Err(_) => return Poll::Ready(Ok(())),
            }
        }
    }
}

/// A body without a length ends with the connection (HTTP/1.0). If it broke off, the end must not look like
/// one.
impl Drop for ClientIo {
    fn drop(&mut self) {
        if let Some(stream) = &self.stream
            && self.protocol == Protocol::Http1
            && self.activity.is_broken()
        {
            pump::reset(stream);
        }
    }
}

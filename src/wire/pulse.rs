//! Whether anything is heard from the other side. The agent asks (an HTTP/2 PING) whenever it has heard
//! nothing else for a while, and the controller answers: so each hears the other several times a second, and
//! silence means that the line is dead. What counts is any byte, not the answer: behind a long page on a
//! slow line that would come late.

use super::SILENCE;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep, sleep_until};

/// After a silence, what has arrived meanwhile is read before anything is concluded: it may have been this
/// process that was held up.
const SECOND_LOOK: Duration = Duration::from_millis(50);

/// When something was last heard.
#[derive(Debug, Clone)]
pub struct Pulse {
    since: Instant,
    heard: Arc<AtomicU64>,
}

impl Pulse {
    fn beat(&self) {
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(now, Relaxed);
    }

    /// Resolves when nothing has been heard for [`SILENCE`]. To be polled after whatever reads.
    pub async fn stops(&self) {
        loop {
            let heard = self.heard.load(Relaxed);
            sleep_until(self.since + Duration::from_millis(heard) + SILENCE).await;
            if self.heard.load(Relaxed) == heard {
                sleep(SECOND_LOOK).await;
                if self.heard.load(Relaxed) == heard {
                    return;
                }
            }
        }
    }
}

/// A connection whose pulse is felt.
#[derive(Debug)]
pub struct Felt<T> {
    inner: T,
    pulse: Pulse,
}

impl<T> Felt<T> {
    /// Begins as if something had been heard now.
    pub fn new(inner: T) -> (Self, Pulse) {
        let pulse = Pulse { since: Instant::now(), heard: Arc::default() };
        (Self { inner, pulse: pulse.clone() }, pulse)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Felt<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let outcome = Pin::new(&mut self.inner).poll_read(context, into);
        if into.filled().len() > before {
            self.pulse.beat();
        }
        outcome
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Felt<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test(start_paused = true)]
    async fn a_pulse_stops_when_nothing_comes() {
        let (mut there, here) = duplex(64);
        let (mut here, pulse) = Felt::new(here);
        let begun = Instant::now();
        let speaks = async {
            for _ in 0..10 {
                sleep(SILENCE / 2).await;
                there.write_all(b"x").await.unwrap();
                here.read_u8().await.unwrap();
            }
        };
        tokio::join!(speaks, pulse.stops());
        let (spoke, stopped) = (SILENCE / 2 * 10, begun.elapsed());
        assert!(stopped >= spoke + SILENCE && stopped < spoke + Duration::from_secs(1), "{stopped:?}");
    }
}

//! Bytes between two sockets, both ways.
//!
//! A quiet stream has no buffer: bytes are read into one that the core's streams share, and written at
//! once. Only what the other side has no room for is set aside, and nothing more is read until it is gone.

use bytes::Bytes;
use socket2::SockRef;
use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::time::Duration;
use tokio::net::TcpStream;

/// Big enough for few system calls, small enough for the second-level cache.
const SCRATCH: usize = 64 * 1024;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH]);
}

/// Joins two streams, each with bytes that were read from it before, until both directions have ended.
/// `moved` is told when something has moved.
///
/// # Errors
/// One side broke. Both sockets are then set to close with a reset.
pub async fn between(
    (left, from_left): (TcpStream, Bytes),
    (right, from_right): (TcpStream, Bytes),
    moved: impl Fn(),
) -> io::Result<()> {
    let outcome = tokio::try_join!(
        one_way(&left, from_left, &right, &moved), //
        one_way(&right, from_right, &left, &moved),
    );
    if outcome.is_err() {
        reset(&left);
        reset(&right);
    }
    outcome.map(drop)
}

/// Dropping the socket will tell the peer that the stream is broken, not finished.
pub fn reset(stream: &TcpStream) {
    // Fails on a socket that is broken already.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

async fn one_way(from: &TcpStream, early: Bytes, to: &TcpStream, moved: &impl Fn()) -> io::Result<()> {
    write_all(to, &early).await?;
    loop {
        from.readable().await?;
        match step(from, to)? {
            Step::End => break,
            Step::Nothing => {}
            Step::Moved => moved(),
            Step::SetAside(rest) => {
                moved();
                write_all(to, &rest).await?;
            }
        }
    }
    match SockRef::from(to).shutdown(Shutdown::Write) {
        // It has closed both directions meanwhile.
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(()),
        outcome => outcome,
    }
}

enum Step {
    End,
    Nothing,
    Moved,
    SetAside(Vec<u8>),
}

/// Reads once, and writes as much of it as there is room for.
fn step(from: &TcpStream, to: &TcpStream) -> io::Result<Step> {
    BUFFER.with_borrow_mut(|buffer| {
        let count = match from.try_read(buffer) {
            Ok(0) => return Ok(Step::End),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Step::Nothing),
            Err(error) => return Err(error),
        };
        let written = match to.try_write(&buffer[..count]) {
            Ok(written) => written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error),
        };
        Ok(if written == count { Step::Moved } else { Step::SetAside(buffer[written..count].to_vec()) })
    })
}

async fn write_all(to: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        to.writable().await?;
        match to.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

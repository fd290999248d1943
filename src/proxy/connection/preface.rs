//! Which protocol a client speaks, told from its first bytes.
//!
//! HTTP/2 by prior knowledge begins with a fixed preface (RFC 9113 §3.4) that no HTTP/1 request can
//! begin with: `PRI * HTTP/2.0`, where no method `PRI` exists.

use bytes::{Bytes, BytesMut};
use std::io;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
}

/// `None`: more bytes are needed.
fn tell(bytes: &[u8]) -> Option<Protocol> {
    let compared = bytes.len().min(PREFACE.len());
    if bytes[..compared] != PREFACE[..compared] {
        Some(Protocol::Http1)
    } else {
        (compared == PREFACE.len()).then_some(Protocol::Http2)
    }
}

/// Reads until the protocol is clear, and returns what was read. A client that closes without a byte
/// spoke HTTP/1.
pub async fn detect(stream: &mut TcpStream) -> io::Result<(Protocol, Bytes)> {
    let mut read = BytesMut::with_capacity(2048);
    loop {
        let count = stream.read_buf(&mut read).await?;
        match tell(&read) {
            Some(protocol) => return Ok((protocol, read.freeze())),
            None if count == 0 => return Ok((Protocol::Http1, read.freeze())),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PREFACE, Protocol, tell};

    #[test]
    fn the_first_different_byte_decides() {
        assert_eq!(tell(b""), None);
        assert_eq!(tell(b"PRI * HTTP/2"), None);
        assert_eq!(tell(PREFACE), Some(Protocol::Http2));
        assert_eq!(tell(&[PREFACE, b"\0\0\0\x04"].concat()), Some(Protocol::Http2));
        for http1 in [&b"G"[..], b"PUT / HTTP/1.1", b"PRI / HTTP/1.1", b"\x16\x03\x01"] {
            assert_eq!(tell(http1), Some(Protocol::Http1), "{http1:?}");
        }
    }
}

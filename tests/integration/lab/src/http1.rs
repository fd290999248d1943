//! As much of HTTP/1.1 as a client needs that must not be fooled: an answer read byte by byte (RFC 9112),
//! pure. Ours and not hyper's, because the prober must know what had been read when a connection broke.

/// An answer being read: feed it bytes until it is complete.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    unread: Vec<u8>,
    stage: Stage,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Head,
    /// So many bytes of the body are missing.
    Sized(usize),
    /// A chunk's size line comes next.
    ChunkSize,
    /// So many bytes of the chunk, its line end included, are missing.
    Chunk(usize),
    /// Trailer lines up to an empty one.
    Trailers,
    /// The body ends with the connection.
    UntilClosed,
    Complete,
}

/// The peer does not speak HTTP/1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Garbled;

/// No header section of ours is this long.
const LONGEST_HEAD: usize = 64 * 1024;

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether a byte of it has been read.
    pub fn begun(&self) -> bool {
        self.stage != Stage::Head || !self.unread.is_empty()
    }

    pub fn complete(&self) -> bool {
        self.stage == Stage::Complete
    }

    /// Whether the connection can carry another request after this answer.
    pub fn keeps_connection(&self) -> bool {
        let close =
            self.header("connection").is_some_and(|value| value.to_ascii_lowercase().contains("close"));
        self.complete() && !close && self.unread.is_empty()
    }

    /// Takes what was read. Bytes after the answer's end mean that the peer cannot be trusted.
    ///
    /// # Errors
    /// It is no HTTP/1.1 answer.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Garbled> {
        self.unread.extend_from_slice(bytes);
        while self.step()? {}
        Ok(())
    }

    /// The connection ended, which completes an answer without a length.
    pub fn end(&mut self) {
        if self.stage == Stage::UntilClosed {
            self.stage = Stage::Complete;
        }
    }

    /// One stage further; `false`: more bytes are needed, or none.
    fn step(&mut self) -> Result<bool, Garbled> {
        self.stage = match self.stage {
            Stage::Head => match self.take_head()? {
                Some(head) => self.read_head(&head)?,
                None => return Ok(false),
            },
            Stage::Sized(0) => Stage::Complete,
            Stage::Sized(missing) => match self.take_body(missing) {
                0 => return Ok(false),
                taken => Stage::Sized(missing - taken),
            },
            Stage::UntilClosed => match self.take_body(usize::MAX) {
                0 => return Ok(false),
                _ => Stage::UntilClosed,
            },
            Stage::ChunkSize => match self.take_line() {
                Some(line) => chunk_of(&line)?,
                None => return Ok(false),
            },
            Stage::Chunk(missing) => match self.take_body(missing) {
                0 => return Ok(false),
                taken if taken < missing => Stage::Chunk(missing - taken),
                _ => {
                    // The line end after the chunk is none of the body.
                    self.body.truncate(self.body.len().saturating_sub(2));
                    Stage::ChunkSize
                }
            },
            Stage::Trailers => match self.take_line() {
                Some(line) if line.is_empty() => Stage::Complete,
                Some(_) => Stage::Trailers,
                None => return Ok(false),
            },
            Stage::Complete => return Ok(false),
        };
        Ok(true)
    }

    fn take_head(&mut self) -> Result<Option<String>, Garbled> {
        let Some(end) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") else {
            return if self.unread.len() > LONGEST_HEAD { Err(Garbled) } else { Ok(None) };
        };
        let head = self.unread.drain(..end + 4).collect();
        String::from_utf8(head).map(Some).map_err(|_| Garbled)
    }

    fn read_head(&mut self, head: &str) -> Result<Stage, Garbled> {
        let mut lines = head.split("\r\n");
        let status =
            lines.next().and_then(|line| line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok());
        self.status = status.ok_or(Garbled)?;
        if self.status < 200 {
            // Interim; the answer proper follows (RFC 9110, 15.2).
            return Ok(Stage::Head);
        }
        self.headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let chunked = self.header("transfer-encoding").is_some_and(|value| value.ends_with("chunked"));
        let length =
            self.header("content-length").map(|value| value.parse().map_err(|_| Garbled)).transpose()?;
        Ok(match (self.status, chunked, length) {
            (204 | 304, ..) => Stage::Complete,
            (_, true, _) => Stage::ChunkSize,
            (_, false, Some(length)) => Stage::Sized(length),
            (_, false, None) => Stage::UntilClosed,
        })
    }

    fn take_line(&mut self) -> Option<String> {
        let end = self.unread.windows(2).position(|two| two == b"\r\n")?;
        let line: Vec<u8> = self.unread.drain(..end + 2).take(end).collect();
        Some(String::from_utf8_lossy(&line).into_owned())
    }

    fn take_body(&mut self, most: usize) -> usize {
        let size = self.unread.len().min(most);
        self.body.extend(self.unread.drain(..size));
        size
    }
}

fn chunk_of(line: &str) -> Result<Stage, Garbled> {
    let size = line.split(';').next().unwrap_or_default().trim();
    match usize::from_str_radix(size, 16) {
        Ok(0) => Ok(Stage::Trailers),
        Ok(size) => size.checked_add(2).map(Stage::Chunk).ok_or(Garbled),
        Err(_) => Err(Garbled),
    }
}

/// A GET as the prober and [`crate::http_get`] write it.
pub fn get(host: &str, path: &str, close: bool) -> Vec<u8> {
    let connection = if close { "connection: close\r\n" } else { "" };
    format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{connection}\r\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fed byte by byte and all at once it must come to the same.
    fn read(text: &str) -> Answer {
        let mut slow = Answer::default();
        text.bytes().for_each(|byte| slow.feed(&[byte]).unwrap());
        let mut fast = Answer::default();
        fast.feed(text.as_bytes()).unwrap();
        assert_eq!((&slow.body, slow.stage, slow.status), (&fast.body, fast.stage, fast.status));
        fast
    }

    #[test]
    fn with_a_length() {
        let answer = read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Node: n1\r\n\r\nhello");
        assert!(answer.keeps_connection());
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"hello".as_slice()));
        assert_eq!(answer.header("x-node"), Some("n1"));
    }

    #[test]
    fn in_chunks_with_extension_and_trailer() {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let answer = read(&format!("{head}5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nt: v\r\n\r\n"));
        assert!(answer.complete());
        assert_eq!(answer.body, b"hello!");
    }

    #[test]
    fn until_the_connection_ends() {
        let mut answer = read("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello");
        assert!(!answer.complete());
        answer.end();
        assert!(answer.complete() && !answer.keeps_connection());
    }

    #[test]
    fn after_an_interim_one() {
        let answer = read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
        assert!(answer.complete());
        assert_eq!(answer.status, 204);
    }

    #[test]
    fn cut_off_is_not_complete() {
        let mut answer = read("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel");
        answer.end();
        assert!(answer.begun() && !answer.complete());
        assert!(!Answer::default().begun());
    }

    #[test]
    fn something_else_is_garbled() {
        for text in
            ["SSH-2.0-lab\r\n\r\n", "HTTP/1.1 OK\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"]
        {
            assert_eq!(Answer::default().feed(text.as_bytes()), Err(Garbled), "{text:?}");
        }
    }
}

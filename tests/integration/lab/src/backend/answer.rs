//! Request to answer.

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use std::convert::Infallible;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

/// Who answers, and the one thing that can be changed from the outside.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) node: String,
    pub(super) backend: String,
    pub(super) health: AtomicU16,
}

pub(super) type Body = BoxBody<Bytes, hyper::Error>;

impl Identity {
    /// `node=n1 backend=a` and a newline.
    pub(super) fn line(&self) -> String {
        format!("node={} backend={}\n", self.node, self.backend)
    }

    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let mut words = path.split('/').skip(1);
        let (first, second, third) = (words.next().unwrap_or_default(), words.next(), words.next());
        let number = second.and_then(|word| word.parse::<u64>().ok());
        let (status, body) = match (first, second, third) {
            ("healthz", None, _) => (self.health.load(Ordering::Relaxed), self.said()),
            ("healthz", Some("set"), Some(code)) => (self.set_health(code), self.said()),
            ("status", ..) => (number.and_then(|code| code.try_into().ok()).unwrap_or(400), self.said()),
            ("bytes", ..) => (200, bytes(number.unwrap_or(0))),
            ("echo", ..) => (200, request.into_body().boxed()),
            ("headers", ..) => (200, text(described(&request))),
            ("slow", ..) => {
                tokio::time::sleep(Duration::from_millis(number.unwrap_or(0))).await;
                (200, self.said())
            }
            _ => (200, self.said()),
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        for (name, value) in [("x-node", &self.node), ("x-backend", &self.backend)] {
            let value = HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static("?"));
            response.headers_mut().insert(name, value);
        }
        response
    }

    fn set_health(&self, code: &str) -> u16 {
        match code.parse() {
            Ok(status @ 200..=599) => {
                self.health.store(status, Ordering::Relaxed);
                200
            }
            _ => 400,
        }
    }

    fn said(&self) -> Body {
        text(self.line())
    }
}

fn text(content: String) -> Body {
    Full::from(content).map_err(|never: Infallible| match never {}).boxed()
}

/// `total` bytes in chunks, made as they are taken.
fn bytes(total: u64) -> Body {
    const CHUNK: &[u8] = &[b'.'; 16 * 1024];
    let chunks = stream::unfold(total, |left| async move {
        let size = left.min(CHUNK.len() as u64);
        (size > 0).then(|| (Ok(Frame::data(Bytes::from_static(&CHUNK[..size as usize]))), left - size))
    });
    StreamBody::new(chunks).boxed()
}

fn described(request: &Request<Incoming>) -> String {
    let mut lines = format!("{} {} {:?}\n", request.method(), request.uri(), request.version());
    for (name, value) in request.headers() {
        lines += &format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()));
    }
    lines
}

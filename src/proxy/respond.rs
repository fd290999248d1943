//! What the proxy says when it has no endpoint's answer to pass on: the one table from reasons to
//! responses.

use super::body::ResponseBody;
use super::upstream::connect::ConnectError;
use http::{HeaderValue, Response, StatusCode, header};

/// A request that no endpoint answers, and why.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("the request does not make sense: {0}")]
    Malformed(#[from] Malformed),
    #[error("the method is not for proxies of this kind")]
    Method,
    #[error("the request target is too long")]
    TargetTooLong,
    #[error("the request has too many header fields")]
    TooManyHeaders,
    #[error("the request's transfer coding is not chunked alone")]
    TransferCoding,
    #[error("the request expects something else than 100-continue")]
    Expectation,
    #[error("OPTIONS * asks about the proxy itself")]
    Options,
    #[error("no rule matches")]
    NoRoute,
    #[error("the rule has no backend for it")]
    NoBackend,
    #[error("no endpoint of the backend is healthy")]
    NoHealthyEndpoint,
    #[error("no endpoint takes a connection: {0}")]
    Connect(#[from] ConnectError),
    #[error("the endpoint broke off before it answered: {0}")]
    BrokenOff(#[source] hyper::Error),
    #[error("the endpoint switched protocols although nobody asked")]
    Switched,
    #[error("the endpoint did not answer in time")]
    TimedOut,
}

/// What keeps a request from meaning the same to every hop (RFC 9110, RFC 9112 §3.2, RFC 9113 §8.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("it has no Host")]
    NoHost,
    #[error("it has several Hosts")]
    SeveralHosts,
    #[error("its Host is not a host")]
    Host,
    #[error("its Host and its :authority differ")]
    Authority,
    #[error("its path is not a path")]
    Path,
}

impl Refusal {
    fn answer(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "bad request\n"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n"),
            Self::TargetTooLong => (StatusCode::URI_TOO_LONG, "request target too long\n"),
            Self::TooManyHeaders => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too many header fields\n"),
            Self::TransferCoding => (StatusCode::NOT_IMPLEMENTED, "transfer coding not implemented\n"),
            Self::Expectation => (StatusCode::EXPECTATION_FAILED, "expectation failed\n"),
            Self::Options => (StatusCode::NO_CONTENT, ""),
            Self::NoRoute => (StatusCode::NOT_FOUND, "no route\n"),
            Self::NoBackend => (StatusCode::INTERNAL_SERVER_ERROR, "no backend\n"),
            Self::NoHealthyEndpoint => (StatusCode::SERVICE_UNAVAILABLE, "no healthy endpoint\n"),
            Self::Connect(_) => (StatusCode::SERVICE_UNAVAILABLE, "no endpoint takes a connection\n"),
            Self::BrokenOff(_) | Self::Switched => (StatusCode::BAD_GATEWAY, "bad gateway\n"),
            Self::TimedOut => (StatusCode::GATEWAY_TIMEOUT, "gateway timeout\n"),
        }
    }

    /// After these we do not know where the next request on an HTTP/1 connection would begin, or what the
    /// client takes us for.
    fn ends_connection(&self) -> bool {
        matches!(self, Self::Malformed(_) | Self::TransferCoding | Self::TooManyHeaders | Self::Method)
    }

    pub fn into_response(self) -> Response<ResponseBody> {
        let (status, text) = self.answer();
        let mut response = Response::new(ResponseBody::text(text));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        if !text.is_empty() {
            let plain = HeaderValue::from_static("text/plain; charset=utf-8");
            headers.insert(header::CONTENT_TYPE, plain);
        }
        if self.ends_connection() {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

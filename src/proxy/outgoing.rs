//! The request that an endpoint gets, made from the one that a client sent. Pure.

use super::admit::Asked;
use super::body::RequestBody;
use super::connection::client::Client;
use super::headers;
use super::respond::{Malformed, Refusal};
use crate::model::backend::UpstreamProtocol;
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Uri, Version, header};
use std::borrow::Cow;
use std::net::SocketAddr;

/// What has to be known before the client's head is taken apart.
pub struct Outgoing {
    target: PathAndQuery,
    host: HeaderValue,
    client: HeaderValue,
    websocket: bool,
    trailers: bool,
}

impl Outgoing {
    pub fn new(asked: &Asked<'_>, parts: &Parts, client: &Client, websocket: bool) -> Result<Self, Refusal> {
        Ok(Self {
            target: target(asked, &parts.uri)?,
            host: host(asked, parts, client)?,
            client: client.peer_text.clone(),
            websocket,
            trailers: headers::takes_trailers(&parts.headers),
        })
    }

    pub fn request(
        self,
        parts: Parts,
        body: RequestBody,
        protocol: UpstreamProtocol,
    ) -> Request<RequestBody> {
        let mut request = Request::new(body);
        *request.method_mut() = parts.method;
        *request.headers_mut() = parts.headers;
        let fields = request.headers_mut();
        headers::strip_hop_by_hop(fields);
        headers::set_forwarded(fields, &self.client, &self.host);
        // Whoever polls the body lets the client send it: the expectation ends here.
        fields.remove(header::EXPECT);
        match protocol {
            UpstreamProtocol::H2c => self.http2(&mut request),
            UpstreamProtocol::Http1 | UpstreamProtocol::Tcp => self.http1(&mut request),
        }
        request
    }

    fn http1(self, request: &mut Request<RequestBody>) {
        *request.version_mut() = Version::HTTP_11;
        *request.uri_mut() = Uri::from(self.target);
        let fields = request.headers_mut();
        fields.insert(header::HOST, self.host);
        headers::join_cookies(fields);
        if self.websocket {
            headers::upgrade_to_websocket(fields);
        } else if self.trailers {
            headers::offer_trailers(fields, Version::HTTP_11);
        }
    }

    fn http2(self, request: &mut Request<RequestBody>) {
        *request.version_mut() = Version::HTTP_2;
        let mut uri = http::uri::Parts::default();
        uri.scheme = Some(Scheme::HTTP);
        uri.authority = Authority::try_from(self.host.as_bytes()).ok();
        uri.path_and_query = Some(self.target);
        // Each part is valid by itself, and together they are an absolute URI.
        *request.uri_mut() = Uri::from_parts(uri).unwrap_or_default();
        let fields = request.headers_mut();
        fields.remove(header::HOST);
        if self.trailers {
            headers::offer_trailers(fields, Version::HTTP_2);
        }
    }
}

fn target(asked: &Asked<'_>, uri: &Uri) -> Result<PathAndQuery, Malformed> {
    match (&asked.path, uri.path_and_query()) {
        (Cow::Borrowed(_), Some(as_it_is)) if !uri.path().is_empty() => Ok(as_it_is.clone()),
        (path, _) => {
            let text = match asked.query {
                Some(query) => format!("{path}?{query}"),
                None => path.clone().into_owned(),
            };
            PathAndQuery::try_from(text).map_err(|_| Malformed::Path)
        }
    }
}

/// HTTP/1.0 without a Host means the address that it came to.
fn host(asked: &Asked<'_>, parts: &Parts, client: &Client) -> Result<HeaderValue, Malformed> {
    match parts.headers.get(header::HOST) {
        Some(host) if parts.uri.authority().is_none() => Ok(host.clone()),
        _ if asked.authority.is_empty() => {
            let local = SocketAddr::new(client.local.0, client.local.1.get());
            HeaderValue::try_from(local.to_string()).map_err(|_| Malformed::Host)
        }
        _ => HeaderValue::from_str(asked.authority).map_err(|_| Malformed::Host),
    }
}

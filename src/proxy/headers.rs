//! What a hop does to header fields: takes away what was meant for it alone, and says who asked. Pure.

use http::Version;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// What a sender must not have removed by naming it in `Connection`: routing, framing and identity.
const NEVER_NOMINATED: [HeaderName; 7] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::COOKIE,
    header::AUTHORIZATION,
    FORWARDED_FOR,
    FORWARDED_PROTO,
    FORWARDED_HOST,
];

/// Removes what belongs to one connection (RFC 9110 §7.6.1), including what `Connection` names.
pub fn strip_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        for name in nominated(headers) {
            headers.remove(name);
        }
        headers.remove(header::CONNECTION);
    }
    for name in
        [KEEP_ALIVE, PROXY_CONNECTION, HTTP2_SETTINGS, header::TE, header::TRANSFER_ENCODING, header::UPGRADE]
    {
        headers.remove(name);
    }
}

fn nominated(headers: &HeaderMap) -> Vec<HeaderName> {
    tokens(headers, &header::CONNECTION)
        .filter_map(|token| HeaderName::from_bytes(token.as_bytes()).ok())
        .filter(|name| !NEVER_NOMINATED.contains(name))
        .collect()
}

/// The elements of a comma-separated list over all lines of that name.
fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|token| !token.is_empty())
}

fn lists(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|present| present.eq_ignore_ascii_case(token))
}

/// Whether the client can take trailers (RFC 9110 §10.1.4). To be asked before stripping.
pub fn takes_trailers(headers: &HeaderMap) -> bool {
    lists(headers, &header::TE, "trailers")
}

/// Whether one side of a handshake means a WebSocket (RFC 6455 §4). No other protocol is passed on: h2c
/// through an upgrade would be a way around the rules (RFC 9113 removed it).
pub fn is_websocket(headers: &HeaderMap) -> bool {
    lists(headers, &header::CONNECTION, "upgrade") && lists(headers, &header::UPGRADE, "websocket")
}

/// Says of this hop that it takes trailers. In HTTP/1, `TE` is for the next hop alone.
pub fn offer_trailers(headers: &mut HeaderMap, version: Version) {
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
    if version < Version::HTTP_2 {
        headers.append(header::CONNECTION, HeaderValue::from_static("te"));
    }
}

/// Says again, of this hop, that it wants or has a WebSocket.
pub fn upgrade_to_websocket(headers: &mut HeaderMap) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
}

/// Says who asked and how, in place of whatever the client says about itself: nobody vouches for it.
pub fn set_forwarded(headers: &mut HeaderMap, client: &HeaderValue, host: &HeaderValue) {
    let underscored = |name: &&HeaderName| name.as_str().contains('_');
    let spoofed: Vec<HeaderName> =
        headers.keys().filter(underscored).filter(|name| is_spoofed(name)).cloned().collect();
    for name in spoofed {
        headers.remove(name);
    }
    for name in [header::FORWARDED, FORWARDED_PORT, REAL_IP] {
        headers.remove(name);
    }
    headers.insert(FORWARDED_FOR, client.clone());
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static("http"));
    headers.insert(FORWARDED_HOST, host.clone());
}

/// `X_Forwarded_For` reaches a CGI program as the same variable as `X-Forwarded-For`.
fn is_spoofed(name: &HeaderName) -> bool {
    let dashed = name.as_str().replace('_', "-");
    dashed.starts_with("x-forwarded-") || dashed == REAL_IP.as_str()
}

/// HTTP/2 may split a cookie into crumbs; HTTP/1 knows one field (RFC 9113 §8.2.3).
pub fn join_cookies(headers: &mut HeaderMap) {
    let mut crumbs = headers.get_all(header::COOKIE).iter();
    if crumbs.next().is_none() || crumbs.next().is_none() {
        return;
    }
    let crumbs: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(joined) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
        headers.insert(header::COOKIE, joined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        lines.iter().map(line).collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn what_was_meant_for_this_hop_stays_here() {
        let mut headers = map(&[
            ("connection", "close, X-Hop"),
            ("connection", "host, authorization, x-forwarded-for"),
            ("x-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAMAAABk"),
            ("trailer", "x-sum"),
            ("host", "a.example"),
            ("authorization", "Basic x"),
            ("x-forwarded-for", "192.0.2.1"),
        ]);
        strip_hop_by_hop(&mut headers);
        assert_eq!(names(&headers), ["authorization", "host", "trailer", "x-forwarded-for"]);
    }

    #[test]
    fn a_client_does_not_vouch_for_itself() {
        let mut headers = map(&[
            ("x-forwarded-for", "192.0.2.66"),
            ("x-forwarded-for", "192.0.2.67"),
            ("x_forwarded_for", "192.0.2.66"),
            ("x-forwarded-port", "443"),
            ("x-real-ip", "192.0.2.66"),
            ("forwarded", "for=192.0.2.66"),
            ("under_score", "kept"),
        ]);
        let client = HeaderValue::from_static("2001:db8::7");
        let host = HeaderValue::from_static("a.example:8080");
        set_forwarded(&mut headers, &client, &host);
        let expected = [
            ("under_score", "kept"),
            ("x-forwarded-for", "2001:db8::7"),
            ("x-forwarded-host", "a.example:8080"),
            ("x-forwarded-proto", "http"),
        ];
        assert_eq!(headers, map(&expected));
    }

    #[test]
    fn cookie_crumbs_become_one_cookie() {
        let mut headers = map(&[("cookie", "a=1"), ("cookie", "b=2; c=3")]);
        join_cookies(&mut headers);
        assert_eq!(headers, map(&[("cookie", "a=1; b=2; c=3")]));
    }

    #[test]
    fn only_a_websocket_is_an_upgrade() {
        assert!(is_websocket(&map(&[("connection", "keep-alive, Upgrade"), ("upgrade", "WebSocket")])));
        assert!(!is_websocket(&map(&[("connection", "upgrade"), ("upgrade", "h2c")])));
        assert!(!is_websocket(&map(&[("upgrade", "websocket")])));
    }
}

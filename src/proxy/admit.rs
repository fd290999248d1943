//! What a request must be before it is looked at: the same thing to us and to every hop after us. Pure.
//!
//! hyper has already refused what is no HTTP (bad framing, bad characters, obs-fold, differing
//! Content-Lengths). A Content-Length beside `Transfer-Encoding: chunked` it removes, and closes the
//! connection after the response, as RFC 9112 §6.3 allows: no endpoint ever sees both.

use super::respond::{Malformed, Refusal};
use super::router::{host, path};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Version, header};
use std::borrow::Cow;

/// Both for the count and, on HTTP/1, for hyper's parser.
pub const MAX_HEADERS: usize = 128;
const MAX_TARGET: usize = 16 * 1024;

/// What was asked, in the one spelling that is matched and forwarded.
#[derive(Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// As it is forwarded; empty when HTTP/1.0 names none.
    pub authority: &'a str,
    /// Lower case, without a port.
    pub host: Cow<'a, str>,
    pub path: Cow<'a, str>,
    pub query: Option<&'a str>,
}

pub fn check(request: &Parts) -> Result<Asked<'_>, Refusal> {
    let uri = &request.uri;
    if request.method == Method::CONNECT || request.method == Method::TRACE {
        return Err(Refusal::Method);
    }
    if request.headers.len() > MAX_HEADERS {
        return Err(Refusal::TooManyHeaders);
    }
    if uri.path().len() + uri.query().map_or(0, str::len) > MAX_TARGET {
        return Err(Refusal::TargetTooLong);
    }
    transfer_coding(&request.headers)?;
    expectation(&request.headers)?;
    let authority = authority(request)?;
    let host = if authority.is_empty() {
        Cow::Borrowed("")
    } else {
        host::name(authority).map_err(|_| Malformed::Host)?
    };
    if uri.path() == "*" {
        let refusal =
            if request.method == Method::OPTIONS { Refusal::Options } else { Malformed::Path.into() };
        return Err(refusal);
    }
    // An absolute-form target may leave the path out (RFC 9112 §3.2.2).
    let path = path::normalize(if uri.path().is_empty() { "/" } else { uri.path() });
    Ok(Asked { authority, host, path: path.map_err(|_| Malformed::Path)?, query: uri.query() })
}

/// hyper reads any list that ends in `chunked` as chunked; what is before it would be forgotten.
fn transfer_coding(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err(Refusal::TransferCoding),
    }
}

fn expectation(headers: &HeaderMap) -> Result<(), Refusal> {
    match headers.get(header::EXPECT) {
        Some(expects) if !expects.as_bytes().eq_ignore_ascii_case(b"100-continue") => {
            Err(Refusal::Expectation)
        }
        _ => Ok(()),
    }
}

/// The target's own authority wins over `Host` (RFC 9112 §3.2.2); in HTTP/2 they must agree.
fn authority(request: &Parts) -> Result<&str, Malformed> {
    let host = single(&request.headers, &header::HOST)?;
    match (request.uri.authority(), host, request.version) {
        (Some(authority), Some(host), Version::HTTP_2) if !authority.as_str().eq_ignore_ascii_case(host) => {
            Err(Malformed::Authority)
        }
        (None, None, Version::HTTP_10) => Ok(""),
        (_, None, Version::HTTP_11) | (None, None, _) => Err(Malformed::NoHost),
        (Some(authority), _, _) => Ok(authority.as_str()),
        (None, Some(""), version) if version != Version::HTTP_10 => Err(Malformed::Host),
        (None, Some(host), _) => Ok(host),
    }
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Malformed> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Malformed::SeveralHosts);
    }
    first.map(|value| value.to_str().map_err(|_| Malformed::Host)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    type Fields<'a> = &'a [(&'a str, &'a str)];

    fn parts(version: Version, method: &str, target: &str, headers: Fields<'_>) -> Parts {
        let mut request = Request::builder().version(version).method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn refused(version: Version, method: &str, target: &str, headers: Fields<'_>) -> u16 {
        let parts = parts(version, method, target, headers);
        check(&parts).unwrap_err().into_response().status().as_u16()
    }

    const V10: Version = Version::HTTP_10;
    const V11: Version = Version::HTTP_11;
    const V2: Version = Version::HTTP_2;

    #[test]
    fn one_host_is_found_wherever_it_is_said() {
        let table: [(_, _, Fields<'_>, _); 6] = [
            (V11, "/", &[("host", "Www.Example.com:8080")], "www.example.com"),
            (V11, "http://a.example/x", &[("host", "b.example")], "a.example"),
            (V10, "/", &[], ""),
            (V10, "/", &[("host", "a.example")], "a.example"),
            (V2, "http://a.example/", &[], "a.example"),
            (V2, "http://a.example/", &[("host", "A.example")], "a.example"),
        ];
        for (version, target, headers, host) in table {
            let parts = parts(version, "GET", target, headers);
            assert_eq!(check(&parts).unwrap().host, host, "{target} {headers:?}");
        }
    }

    #[test]
    fn what_two_hops_could_read_differently_is_refused() {
        let host = ("host", "a.example");
        let table: [(_, _, _, Fields<'_>, _); 17] = [
            (V11, "GET", "/", &[], 400),
            (V11, "GET", "http://a.example/", &[], 400),
            (V11, "GET", "/", &[host, host], 400),
            (V11, "GET", "/", &[("host", "a@b")], 400),
            (V11, "GET", "/", &[("host", "a, b")], 400),
            (V11, "GET", "/", &[("host", "")], 400),
            (V2, "GET", "http://a.example/", &[("host", "b.example")], 400),
            (V2, "GET", "/", &[], 400),
            (V11, "GET", "/../secret", &[host], 400),
            (V11, "GET", "*", &[host], 400),
            (V11, "OPTIONS", "*", &[host], 204),
            (V11, "CONNECT", "a.example:443", &[host], 405),
            (V11, "TRACE", "/", &[host], 405),
            (V11, "POST", "/", &[host, ("transfer-encoding", "gzip, chunked")], 501),
            (
                V11,
                "POST",
                "/",
                &[host, ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
                501,
            ),
            (V11, "POST", "/", &[host, ("expect", "the unexpected")], 417),
            (V11, "GET", &format!("/{}", "a".repeat(MAX_TARGET)), &[host], 414),
        ];
        for (version, method, target, headers, status) in table {
            assert_eq!(refused(version, method, target, headers), status, "{method} {target} {headers:?}");
        }
        let many: Vec<(String, String)> =
            (0..=MAX_HEADERS).map(|n| (format!("x-{n}"), n.to_string())).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(refused(V2, "GET", "http://a.example/", &many), 431);
    }
}

//! What a request calls its host.

use std::borrow::Cow;
use std::net::Ipv6Addr;

/// The text is no `host` or `host:port` (RFC 9110 §7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a host")]
pub struct InvalidHost;

/// The name in `Host` or `:authority`: lower case, without the port and a trailing dot.
///
/// Stricter than RFC 3986's `reg-name`: what no name server would answer for (`a@b`, `a, b`) is refused,
/// since the next hop might read it otherwise than we do.
pub fn name(authority: &str) -> Result<Cow<'_, str>, InvalidHost> {
    let (host, port) = split(authority)?;
    if !port.is_none_or(is_port) || !is_name(host) {
        return Err(InvalidHost);
    }
    let host = if host.len() > 1 { host.strip_suffix('.').unwrap_or(host) } else { host };
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Ok(Cow::Owned(host.to_ascii_lowercase()));
    }
    Ok(Cow::Borrowed(host))
}

fn split(authority: &str) -> Result<(&str, Option<&str>), InvalidHost> {
    if authority.starts_with('[') {
        let (host, rest) = authority.split_once(']').ok_or(InvalidHost)?;
        let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or(InvalidHost)?) };
        return Ok((&authority[..=host.len()], port));
    }
    Ok(authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))))
}

/// An empty port is allowed (RFC 3986 §3.2.3).
fn is_port(text: &str) -> bool {
    text.is_empty() || (text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok())
}

fn is_name(host: &str) -> bool {
    if let Some(literal) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return literal.parse::<Ipv6Addr>().is_ok();
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    !host.is_empty() && host.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::{InvalidHost, name};

    #[test]
    fn names_lose_their_port_their_case_and_their_last_dot() {
        let table = [
            ("example.com", "example.com"),
            ("Example.COM:8080", "example.com"),
            ("example.com.", "example.com"),
            ("example.com:", "example.com"),
            ("10.200.0.20:80", "10.200.0.20"),
            ("[2001:db8::50]", "[2001:db8::50]"),
            ("[2001:DB8::50]:80", "[2001:db8::50]"),
        ];
        for (authority, host) in table {
            assert_eq!(name(authority).as_deref(), Ok(host), "{authority}");
        }
    }

    #[test]
    fn what_hops_could_read_differently_is_refused() {
        let refused = [
            "", ":80", "a@b", "a, b", "a b", "a:b", "a:80:80", "a:99999", "a:+80", "[::1", "[::1]x",
            "[::1]80", "[a]", "a/b", "a?b", "a#b", "a\\b", "http://a",
        ];
        for authority in refused {
            assert_eq!(name(authority), Err(InvalidHost), "{authority}");
        }
    }
}

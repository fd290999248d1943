//! The one spelling of a path: what is matched is what is forwarded.
//!
//! If `/public/../admin` were matched as it stands and resolved by the endpoint, a rule for `/public` would
//! lead to `/admin`. So paths are normalized once (RFC 3986 §6.2.2): percent-encoded unreserved characters
//! are decoded, `.` and `..` segments resolved. Encoded slashes stay encoded: they are not separators.

use std::borrow::Cow;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a path")]
pub struct InvalidPath;

/// Borrows when there is nothing to do, as nearly always.
pub fn normalize(path: &str) -> Result<Cow<'_, str>, InvalidPath> {
    if !path.starts_with('/') {
        return Err(InvalidPath);
    }
    if path.contains('%') {
        let decoded = decode_unreserved(path)?;
        return Ok(Cow::Owned(resolve(&decoded)?.into_owned()));
    }
    resolve(path)
}

/// Decodes what needs no encoding, and refuses what is no encoding, and NUL.
fn decode_unreserved(path: &str) -> Result<String, InvalidPath> {
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((plain, encoded)) = rest.split_once('%') {
        let byte = encoded.get(..2).and_then(hex).filter(|&byte| byte != 0).ok_or(InvalidPath)?;
        decoded.push_str(plain);
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            decoded.push(char::from(byte));
        } else {
            decoded.push('%');
            decoded.push_str(&encoded[..2]);
        }
        rest = &encoded[2..];
    }
    decoded.push_str(rest);
    Ok(decoded)
}

pub(super) fn hex(digits: &str) -> Option<u8> {
    let valid = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    valid.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

/// Removes dot segments (RFC 3986 §5.2.4). A path that climbs above its root is refused.
fn resolve(path: &str) -> Result<Cow<'_, str>, InvalidPath> {
    let dots = |segment: &str| segment == "." || segment == "..";
    if !path.split('/').any(dots) {
        return Ok(Cow::Borrowed(path));
    }
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(kept.pop().ok_or(InvalidPath)?),
            segment => kept.push(segment),
        }
    }
    let is_directory = path.ends_with("/.") || path.ends_with("/..");
    let end = if is_directory && !kept.is_empty() { "/" } else { "" };
    Ok(Cow::Owned(format!("/{}{end}", kept.join("/"))))
}

#[cfg(test)]
mod tests {
    use super::{InvalidPath, normalize};
    use proptest::prelude::*;
    use std::borrow::Cow;

    #[test]
    fn spellings_of_one_path_become_one() {
        let table = [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a//b/", "/a//b/"),
            ("/a/./b", "/a/b"),
            ("/public/../admin", "/admin"),
            ("/public/%2e%2E/admin", "/admin"),
            ("/a/..", "/"),
            ("/a/b/..", "/a/"),
            ("/a/.", "/a/"),
            ("/%61pi", "/api"),
            ("/a%2Fb", "/a%2Fb"),
            ("/a%20b", "/a%20b"),
            ("/...", "/..."),
        ];
        for (path, expected) in table {
            assert_eq!(normalize(path).as_deref(), Ok(expected), "{path}");
        }
        assert!(matches!(normalize("/plain"), Ok(Cow::Borrowed(_))));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for path in ["", "*", "a", "/..", "/a/../..", "/%", "/%4", "/%zz", "/%00", "/%2e%2e", "/%+1", "/%é"]
        {
            assert_eq!(normalize(path), Err(InvalidPath), "{path}");
        }
    }

    proptest! {
        /// A second look finds nothing more to do, and nothing to climb out with.
        #[test]
        fn normalizing_is_idempotent(path in "/([a.%/2eEfF5]{0,12}/?){0,4}") {
            if let Ok(once) = normalize(&path) {
                prop_assert!(!once.split('/').any(|segment| segment == "." || segment == ".."));
                prop_assert_eq!(normalize(&once), Ok(Cow::Borrowed(once.as_ref())));
            }
        }
    }
}

//! What a query string says, as HTML forms write it: `name=value` pairs, `+` for a blank.

use super::path::hex;
use std::borrow::Cow;

/// Whether the first parameter of that name has that value, both as decoded. Later ones of the same name do
/// not count (Gateway API).
pub fn has(query: &str, name: &str, value: &str) -> bool {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut named = pairs.filter(|(key, _)| decode(key) == name.as_bytes());
    named.next().is_some_and(|(_, present)| decode(present) == value.as_bytes())
}

fn decode(text: &str) -> Cow<'_, [u8]> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['%', '+']) {
        decoded.extend_from_slice(&rest.as_bytes()[..at]);
        let special = &rest[at..];
        let (byte, length) = match special.get(1..3).and_then(hex) {
            _ if special.starts_with('+') => (b' ', 1),
            Some(byte) => (byte, 3),
            None => (b'%', 1),
        };
        decoded.push(byte);
        rest = &special[length..];
    }
    decoded.extend_from_slice(rest.as_bytes());
    Cow::Owned(decoded)
}

#[cfg(test)]
mod tests {
    use super::has;

    #[test]
    fn parameters_are_compared_as_decoded() {
        assert!(has("a=1&b=2", "b", "2"));
        assert!(has("na%6De=a+b%26c", "name", "a b&c"));
        assert!(has("flag", "flag", "") && has("100%", "100%", ""));
        assert!(!has("a=1&a=2", "a", "2"), "the first one counts");
        assert!(!has("", "a", "1") && !has("ab=1", "a", "1"));
    }
}

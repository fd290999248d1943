//! HTTP status codes and ranges of them: `503`, `"200-299"`.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// One HTTP status code, or a range with both ends (RFC 9110 §15: 100 to 599).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusRange {
    first: u16,
    last: u16,
}

impl StatusRange {
    /// `None` unless 100 ≤ first ≤ last ≤ 599.
    pub fn new(first: u16, last: u16) -> Option<Self> {
        (100 <= first && first <= last && last <= 599).then_some(Self { first, last })
    }

    pub fn parse(text: &str) -> Option<Self> {
        let code = |text: &str| if text.len() == 3 { text.parse().ok() } else { None };
        match text.split_once('-') {
            Some((first, last)) => Self::new(code(first)?, code(last)?),
            None => code(text).and_then(|code| Self::new(code, code)),
        }
    }

    pub fn first(self) -> u16 {
        self.first
    }

    pub fn last(self) -> u16 {
        self.last
    }

    pub fn contains(self, status: u16) -> bool {
        (self.first..=self.last).contains(&status)
    }
}

impl fmt::Display for StatusRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

impl fmt::Debug for StatusRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for StatusRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.first == self.last {
            serializer.serialize_u16(self.first)
        } else {
            serializer.collect_str(self)
        }
    }
}

impl<'de> Deserialize<'de> for StatusRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CodeOrRange)
    }
}

struct CodeOrRange;

impl Visitor<'_> for CodeOrRange {
    type Value = StatusRange;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status code like 200 or a range like 200-299")
    }

    fn visit_u64<E: Error>(self, code: u64) -> Result<StatusRange, E> {
        let range = u16::try_from(code).ok().and_then(|code| StatusRange::new(code, code));
        range.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(code), &self))
    }

    fn visit_i64<E: Error>(self, code: i64) -> Result<StatusRange, E> {
        let range = u16::try_from(code).ok().and_then(|code| StatusRange::new(code, code));
        range.ok_or_else(|| E::invalid_value(Unexpected::Signed(code), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<StatusRange, E> {
        StatusRange::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

impl JsonSchema for StatusRange {
    fn schema_name() -> Cow<'static, str> {
        "StatusRange".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-kubernetes-int-or-string": true,
            "pattern": r"^[1-5][0-9]{2}(-[1-5][0-9]{2})?$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::StatusRange;

    #[test]
    fn reads_codes_and_ranges() {
        let read = serde_json::from_str::<StatusRange>;
        assert_eq!(read("200").unwrap(), StatusRange::new(200, 200).unwrap());
        assert_eq!(read("\"204\"").unwrap(), StatusRange::new(204, 204).unwrap());
        assert_eq!(read("\"200-299\"").unwrap(), StatusRange::new(200, 299).unwrap());
        for text in ["99", "600", "-1", "\"299-200\"", "\"2xx\"", "\"+20\"", "\"200-\"", "\"200-299-399\""] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}

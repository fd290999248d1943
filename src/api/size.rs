//! Amounts of bytes as people write them: `1024`, `512Ki`, `10Mi`.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// A number of bytes: a plain number, or a text with Kubernetes' suffixes `Ki Mi Gi` (1024) or
/// `k M G` (1000). Prints with the largest suffix that keeps it whole.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(u64);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a size; write bytes like 1024, or 512Ki, 10Mi, 1Gi")]
pub struct InvalidSize(pub String);

const SUFFIXES: [(&str, u64); 6] =
    [("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10), ("G", 1_000_000_000), ("M", 1_000_000), ("k", 1_000)];

impl Size {
    pub const fn bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    pub const fn get(self) -> u64 {
        self.0
    }

    pub fn parse(text: &str) -> Result<Self, InvalidSize> {
        let invalid = || InvalidSize(text.to_owned());
        let found = SUFFIXES.iter().find_map(|(suffix, size)| Some((text.strip_suffix(suffix)?, *size)));
        let (number, unit) = found.unwrap_or((text, 1));
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(invalid());
        }
        let number: u64 = number.parse().map_err(|_| invalid())?;
        number.checked_mul(unit).map(Self).ok_or_else(invalid)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = SUFFIXES[..3].iter().find(|(_, unit)| self.0 > 0 && self.0.is_multiple_of(*unit));
        match whole {
            Some((suffix, unit)) => write!(f, "{}{suffix}", self.0 / unit),
            None => write!(f, "{}", self.0),
        }
    }
}

impl fmt::Debug for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberOrText)
    }
}

struct NumberOrText;

impl Visitor<'_> for NumberOrText {
    type Value = Size;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size like 1024, 512Ki or 10Mi")
    }

    fn visit_u64<E: Error>(self, bytes: u64) -> Result<Size, E> {
        Ok(Size(bytes))
    }

    fn visit_i64<E: Error>(self, bytes: i64) -> Result<Size, E> {
        u64::try_from(bytes).map(Size).map_err(|_| E::invalid_value(Unexpected::Signed(bytes), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
        Size::parse(text).map_err(E::custom)
    }
}

impl JsonSchema for Size {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-kubernetes-int-or-string": true,
            "pattern": r"^[0-9]+(Ki|Mi|Gi|k|M|G)?$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Size;
    use proptest::prelude::*;

    #[test]
    fn reads_numbers_and_suffixes() {
        let table =
            [("0", 0), ("1024", 1024), ("512Ki", 524_288), ("10Mi", 10_485_760), ("1G", 1_000_000_000)];
        for (text, bytes) in table {
            assert_eq!(Size::parse(text).map(Size::get), Ok(bytes), "{text}");
        }
        for text in
            ["", "Mi", "-1", "1.5Mi", "10m", "10 Mi", "99999999999999999999", "18446744073709551615Ki"]
        {
            assert!(Size::parse(text).is_err(), "{text:?}");
        }
        assert_eq!(serde_json::from_str::<Size>("4096").unwrap(), Size::bytes(4096));
        assert_eq!(serde_json::from_str::<Size>("\"4Ki\"").unwrap(), Size::bytes(4096));
        assert!(serde_json::from_str::<Size>("-1").is_err());
    }

    proptest! {
        #[test]
        fn prints_what_it_parses(bytes in any::<u64>()) {
            prop_assert_eq!(Size::parse(&Size::bytes(bytes).to_string()), Ok(Size::bytes(bytes)));
        }
    }
}

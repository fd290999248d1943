//! Durations as people write them in manifests: `300ms`, `10s`, `1m30s`.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// A length of time in Go's notation, which Kubernetes uses everywhere: numbers with the units
/// `h`, `m`, `s`, `ms`, `us`, `ns`, largest first by custom, e.g. `1m30s` or `1.5s`. Never negative.
///
/// Prints in whole numbers of the units, largest first, and parses back to the same value.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Duration(std::time::Duration);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a duration; write one like 300ms, 10s or 1m30s")]
pub struct InvalidDuration(pub String);

/// Longest unit first, so that `ms` is found before `m` and `s`.
const UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

impl Duration {
    pub const fn from_secs(seconds: u64) -> Self {
        Self(std::time::Duration::from_secs(seconds))
    }

    pub const fn from_millis(millis: u64) -> Self {
        Self(std::time::Duration::from_millis(millis))
    }

    pub const fn get(self) -> std::time::Duration {
        self.0
    }

    pub fn parse(text: &str) -> Result<Self, InvalidDuration> {
        let invalid = || InvalidDuration(text.to_owned());
        if text == "0" {
            return Ok(Self::default());
        }
        let mut rest = text;
        let mut nanos: u64 = 0;
        loop {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(invalid)?;
            let (number, tail) = rest.split_at(digits);
            let (unit, size) = UNITS.iter().find(|(unit, _)| tail.starts_with(unit)).ok_or_else(invalid)?;
            let part = nanos_of(number, *size).ok_or_else(invalid)?;
            nanos = nanos.checked_add(part).ok_or_else(invalid)?;
            rest = &tail[unit.len()..];
            if rest.is_empty() {
                return Ok(Self(std::time::Duration::from_nanos(nanos)));
            }
        }
    }
}

/// `number` of the unit in nanoseconds; what is below one nanosecond is cut off, as Go does.
fn nanos_of(number: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // 18 digits are finer than a nanosecond of an hour, and fit.
    let fraction = &fraction[..fraction.len().min(18)];
    let numerator: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let part = numerator * u128::from(unit) / 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    whole.checked_mul(unit)?.checked_add(u64::try_from(part).ok()?)
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut nanos = self.0.as_nanos();
        if nanos == 0 {
            return f.write_str("0s");
        }
        for unit in ["h", "m", "s", "ms", "us", "ns"] {
            let size = UNITS.iter().find(|(name, _)| *name == unit).map_or(1, |(_, size)| u128::from(*size));
            if nanos >= size {
                write!(f, "{}{unit}", nanos / size)?;
                nanos %= size;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Duration {
    type Error = InvalidDuration;
    fn try_from(text: String) -> Result<Self, InvalidDuration> {
        Self::parse(&text)
    }
}

impl From<Duration> for String {
    fn from(duration: Duration) -> Self {
        duration.to_string()
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "maxLength": 32,
            "pattern": r"^(0|([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))+$",
        })
    }
}

/// Whole seconds, as BGP counts: a plain number (`90`), or a duration (`90s`, `1m30s`).
/// Prints as a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(u64);

impl Seconds {
    pub const fn new(seconds: u64) -> Self {
        Self(seconds)
    }

    pub const fn get(self) -> u64 {
        self.0
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Duration::from_secs(self.0))
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberOrDuration)
    }
}

struct NumberOrDuration;

impl Visitor<'_> for NumberOrDuration {
    type Value = Seconds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("whole seconds like 90 or 90s")
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Seconds, E> {
        Ok(Seconds(seconds))
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Seconds, E> {
        u64::try_from(seconds).map(Seconds).map_err(|_| E::invalid_value(Unexpected::Signed(seconds), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Seconds, E> {
        let duration = Duration::parse(text).map_err(E::custom)?.get();
        if duration.subsec_nanos() == 0 {
            Ok(Seconds(duration.as_secs()))
        } else {
            Err(E::invalid_value(Unexpected::Str(text), &self))
        }
    }
}

impl JsonSchema for Seconds {
    fn schema_name() -> Cow<'static, str> {
        "Seconds".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-kubernetes-int-or-string": true,
            "pattern": r"^([0-9]+|([0-9]+(\.[0-9]*)?(s|m|h))+)$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Seconds};
    use proptest::prelude::*;

    #[test]
    fn reads_what_go_reads() {
        let table = [
            ("300ms", 300_000_000),
            ("10s", 10_000_000_000),
            ("1m30s", 90_000_000_000),
            ("1.5s", 1_500_000_000),
            (".5s", 500_000_000),
            ("2h", 7_200_000_000_000),
            ("0", 0),
            ("7us", 7_000),
            ("1.0000000000000000000000001s", 1_000_000_000),
        ];
        for (text, nanos) in table {
            assert_eq!(Duration::parse(text).map(|d| d.get().as_nanos()), Ok(nanos), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for text in ["", "10", "s", ".s", "-1s", "+1s", "1 s", "1d", "1s ", "1..5s", "99999999999h", "10S"] {
            assert!(Duration::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn whole_seconds_are_a_number_or_a_duration() {
        let read = serde_json::from_str::<Seconds>;
        for text in ["90", "\"90s\"", "\"1m30s\""] {
            assert_eq!(read(text).unwrap(), Seconds::new(90), "{text}");
        }
        for text in ["-1", "1.5", "\"1500ms\"", "\"90\"", "true"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn prints_what_it_parses(nanos in any::<u64>()) {
            let duration = Duration(std::time::Duration::from_nanos(nanos));
            prop_assert_eq!(Duration::parse(&duration.to_string()), Ok(duration));
        }
    }
}

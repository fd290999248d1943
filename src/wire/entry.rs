//! One entry of a page: a key like `vip/NAME`, and a value in JSON. It explains itself, so that whoever does
//! not understand it rejects it alone.

use super::page::{Change, Sheet};
use super::parts::LONGEST_ENTRY;
use crate::model::name::Name;
use crate::model::step::in_step;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

/// In place of an entry that no message can carry, so that the other side can say what is missing there.
const TOO_LONG: &str = "too-long";

/// Why an entry is not used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error("this version does not know entries of this kind; upgrade it to have it used")]
    Kind,
    #[error("its key is no valid name: {0}")]
    Key(String),
    #[error("this version cannot read it ({0}); upgrade it to have it used")]
    Value(#[from] serde_json::Error),
    #[error("it is node {found}'s, and this is {expected}")]
    OtherNode { found: Name, expected: Name },
    #[error("it is longer than {LONGEST_ENTRY} bytes, which no message carries; make several objects of it")]
    TooLong,
}

/// The key of an entry; what stands alone in its kind has no name.
pub fn key(kind: &str, name: &dyn Display) -> Arc<str> {
    format!("{kind}/{name}").into()
}

/// Kind and name; the name is empty where there is none.
pub fn split(key: &str) -> (&str, &str) {
    key.split_once('/').unwrap_or((key, ""))
}

pub fn parse<T: TryFrom<String, Error: Display>>(name: &str) -> Result<T, Unusable> {
    T::try_from(name.to_owned()).map_err(|error| Unusable::Key(error.to_string()))
}

pub fn parse_str<T: std::str::FromStr<Err: Display>>(name: &str) -> Result<T, Unusable> {
    name.parse().map_err(|error: T::Err| Unusable::Key(error.to_string()))
}

pub fn read<T: DeserializeOwned>(value: &[u8]) -> Result<T, Unusable> {
    Ok(serde_json::from_slice(value)?)
}

/// Puts the entry on the sheet, or one that says that it would be too long.
pub fn write(sheet: &mut Sheet, key: Arc<str>, value: &impl Serialize) {
    // `model` types have text for keys and finite numbers: there is nothing that JSON cannot say.
    let value = serde_json::to_vec(value).expect("model types are JSON");
    let stand_in = self::key(TOO_LONG, &key);
    if value.len() > LONGEST_ENTRY {
        sheet.remove(&key);
        sheet.set(stand_in, Bytes::from_static(b"null"));
    } else {
        sheet.remove(&stand_in);
        sheet.set(key, value.into());
    }
}

pub fn erase(sheet: &mut Sheet, key: &str) {
    sheet.remove(key);
    sheet.remove(&self::key(TOO_LONG, &key));
}

/// Brings the entries of one kind from `old` to `new`; whatever is equal in both stays as it is on the sheet.
pub fn rewrite<K: Ord + Display, V: PartialEq + Serialize>(
    sheet: &mut Sheet,
    kind: &str,
    old: &BTreeMap<K, V>,
    new: &BTreeMap<K, V>,
) {
    for (name, old, new) in in_step(old, new) {
        match new {
            None => erase(sheet, &key(kind, name)),
            Some(value) if old != new => write(sheet, key(kind, name), value),
            Some(_) => {}
        }
    }
}

/// A thing that is read from entries.
pub trait Reader {
    /// # Errors
    /// The entry is not used; what it stood for before is gone.
    fn set(&mut self, kind: &str, name: &str, value: &[u8]) -> Result<(), Unusable>;

    /// What the entry stood for is gone. Entries that were never used are removed as well.
    fn remove(&mut self, kind: &str, name: &str);
}

/// Reads pages by their changes; remembers which entries are not used, and why.
#[derive(Debug, Default)]
pub struct Rejections(BTreeMap<Arc<str>, String>);

impl Rejections {
    pub fn read(&mut self, change: &Change, into: &mut impl Reader) {
        for key in &change.removed {
            self.0.remove(key);
            let (kind, name) = split(key);
            into.remove(kind, name);
        }
        for (key, value) in &change.set {
            let (kind, name) = split(key);
            let outcome = if kind == TOO_LONG { Err(Unusable::TooLong) } else { into.set(kind, name, value) };
            match outcome {
                Ok(()) => drop(self.0.remove(key)),
                Err(error) => {
                    into.remove(kind, name);
                    self.0.insert(Arc::clone(key), error.to_string());
                }
            }
        }
    }

    /// Key and reason.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, reason)| (key.as_ref(), reason.as_str()))
    }
}

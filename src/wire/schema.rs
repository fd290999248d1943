//! Which schemas this version speaks. The schema says how pages are made, not which kinds of entries there
//! are: those explain themselves.

use super::page::Digest;
use super::proto::Hello;
use bytes::Bytes;
use std::ops::RangeInclusive;

/// The one that is spoken to those who know it.
pub const SCHEMA: u32 = 1;

/// All that are understood.
pub const SPOKEN: RangeInclusive<u32> = 1..=SCHEMA;

/// No schema is spoken by both sides.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no common schema: version {ours} here speaks {} to {}, version {theirs:?} there {oldest} to {newest}; upgrade {}",
    SPOKEN.start(), SPOKEN.end(), if *newest < *SPOKEN.start() { "the other side" } else { "this side" }
)]
pub struct NoCommonSchema {
    ours: &'static str,
    theirs: String,
    oldest: u32,
    newest: u32,
}

/// The newest schema that both sides know.
///
/// # Errors
/// There is none.
pub fn common(hello: &Hello) -> Result<u32, NoCommonSchema> {
    let Hello { oldest_schema, newest_schema, version, digest: _ } = hello;
    let newest = SCHEMA.min(*newest_schema);
    if newest >= *SPOKEN.start() && newest >= *oldest_schema {
        return Ok(newest);
    }
    Err(NoCommonSchema {
        ours: super::VERSION,
        theirs: version.chars().filter(|c| !c.is_control()).take(64).collect(),
        oldest: *oldest_schema,
        newest: *newest_schema,
    })
}

/// `has`: the digest of the page that is there already.
pub fn hello(has: Option<Digest>) -> Hello {
    Hello {
        oldest_schema: *SPOKEN.start(),
        newest_schema: *SPOKEN.end(),
        version: super::VERSION.to_owned(),
        digest: has.map_or_else(Bytes::new, Digest::to_bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_common_schema_is_spoken_or_it_is_said_what_to_upgrade() {
        let theirs = |oldest, newest| Hello {
            oldest_schema: oldest,
            newest_schema: newest,
            version: "9.9.9\n".to_owned(),
            digest: Bytes::new(),
        };
        assert_eq!(common(&theirs(1, 1)), Ok(1));
        assert_eq!(common(&theirs(0, 7)), Ok(1));
        let ahead = common(&theirs(2, 7)).unwrap_err().to_string();
        assert!(ahead.contains("\"9.9.9\" there 2 to 7; upgrade this side"), "{ahead}");
        let behind = common(&theirs(0, 0)).unwrap_err().to_string();
        assert!(behind.contains("upgrade the other side"), "{behind}");
    }
}

//! What is in use, on disk: `accepted.json` in the state directory.
//!
//! The file is as large as the estate and mostly the same from one time to the next, so the text of each VIP
//! is kept as well, and written anew only when the VIP is in use otherwise.

use crate::compile::accepted::{Accepted, InUse};
use crate::compile::memo::Memo;
use crate::host::kept::{Kept, KeptError};
use crate::model::name::Name;
use serde::Serialize;

#[derive(Debug)]
pub struct Remembered {
    file: Kept,
    texts: Memo<Name, InUse, String>,
}

impl Remembered {
    pub fn new(file: Kept) -> Self {
        Self { file, texts: Memo::default() }
    }

    /// # Errors
    /// What the disk says; what was kept before stays.
    pub fn keep(&mut self, accepted: &Accepted) -> Result<(), KeptError> {
        let Accepted { vips, passwords, asn_indices, listeners } = accepted;
        let in_use = vips.iter().map(|(name, in_use)| (name.clone(), in_use.clone()));
        let texts = self.texts.of_each(in_use, |_, in_use| json(in_use));
        let vips = texts.iter().map(|made| format!("\"{}\":{}", made.key, made.output));
        let rest = [
            ("passwords", json(passwords)),
            ("asnIndices", json(asn_indices)),
            ("listeners", json(listeners)),
        ];
        let rest = rest.map(|(field, text)| format!(",\"{field}\":{text}")).concat();
        let vips = vips.collect::<Vec<_>>().join(",");
        self.file.keep_text(&format!("{{\"vips\":{{{vips}}}{rest}}}"))
    }
}

/// What is in use came from JSON or YAML, so there is nothing in it that JSON cannot say.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_kept_reads_back_and_follows_every_change() {
        let directory = tempfile::tempdir().unwrap();
        let file = Kept::in_directory(directory.path(), "accepted.json");
        let mut remembered = Remembered::new(file.clone());
        let in_use = |ports| json!({"spec": {"ports": ports, "address": "10.200.0.20"}, "addresses": ["10.200.0.20/32"]});
        let mut accepted: Accepted = serde_json::from_value(json!({
            "vips": {"a": in_use([80]), "b": in_use([443])}, "passwords": {"10.0.0.1 s/n k": "word"},
            "asnIndices": {"n1": "7"}, "listeners": {"a:80": ["shop/web/http"]}}))
        .unwrap();
        remembered.keep(&accepted).unwrap();
        assert_eq!(file.load::<Accepted>().unwrap().as_ref(), Some(&accepted));
        accepted.vips.get_mut("b").unwrap().refused_by.insert(Name::parse("n1").unwrap());
        accepted.vips.remove("a");
        remembered.keep(&accepted).unwrap();
        assert_eq!(file.load::<Accepted>().unwrap(), Some(accepted));
    }
}

//! YAML documents with the line of everything in them. Pure.

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;
use std::fmt;

/// A position in a document, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

/// A value of a document, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub at: Position,
    pub tree: Tree,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<Field>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub name: String,
    /// Where the name stands.
    pub at: Position,
    pub value: Node,
}

/// Why a document could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    pub at: Position,
    pub message: String,
}

/// A file cut into its documents, each with the number of lines above it, so that a broken one hurts no
/// other.
///
/// YAML 1.2 §9.1.2 lets no content begin a line with `---`, not even inside a block or quoted scalar,
/// so the file can be cut there before it is parsed.
pub fn documents(file: &str) -> Vec<(u32, &str)> {
    let mut documents = Vec::new();
    let (mut above, mut start, mut end) = (0, 0, 0);
    for (number, line) in (0..).zip(file.split_inclusive('\n')) {
        if is_marker(line) && end > start {
            documents.push((above, &file[start..end]));
            (above, start) = (number, end);
        }
        end += line.len();
    }
    documents.push((above, &file[start..end]));
    documents
}

fn is_marker(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// Parses one document; `None`: there is nothing in it.
pub fn parse(document: &str) -> Option<Result<Node, Unreadable>> {
    let options = serde_saphyr::options! { with_snippet: false };
    match serde_saphyr::from_str_with_options::<Spanned<Tree>>(document, options) {
        Ok(Spanned { value: Tree::Scalar(Value::Null), .. }) => None,
        Ok(spanned) => Some(Ok(spanned.into())),
        Err(_) if is_empty(document) => None,
        Err(error) => Some(Err(unreadable(document, &error))),
    }
}

/// Whether there is nothing but markers and comments.
fn is_empty(text: &str) -> bool {
    text.lines().all(|line| {
        let line = line.strip_prefix("---").unwrap_or(line).trim();
        line.is_empty() || line.starts_with('#') || line == "..."
    })
}

/// The parser's complaint. What is most often wrong it cannot say well: a line indented by a tab, at
/// or right behind the place where it stopped.
fn unreadable(text: &str, error: &serde_saphyr::Error) -> Unreadable {
    let at = error.location().map_or(Position { line: 1, column: 1 }, position);
    let tabbed = |line: &str| line.trim_start_matches(' ').starts_with('\t');
    let near =
        (at.line..).zip(text.lines().skip(at.line as usize - 1)).take(2).find(|(_, line)| tabbed(line));
    match near {
        Some((line, _)) => {
            let message = "the line is indented by a tab; YAML wants spaces".to_owned();
            Unreadable { at: Position { line, column: 1 }, message }
        }
        None => Unreadable { at, message: plain(error) },
    }
}

/// The parser's words without its position, which is relative to the document.
fn plain(error: &serde_saphyr::Error) -> String {
    let message = error.without_snippet().to_string();
    let cut = message.rfind(" at line ").unwrap_or(message.len());
    message[..cut].lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

fn position(location: serde_saphyr::Location) -> Position {
    let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).max(1);
    Position { line: narrow(location.line()), column: narrow(location.column()) }
}

impl Node {
    /// The field of this name, when this is a map that has it.
    pub fn get(&self, name: &str) -> Option<&Field> {
        match &self.tree {
            Tree::Map(fields) => fields.iter().find(|field| field.name == name),
            Tree::Scalar(_) | Tree::List(_) => None,
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        match &self.tree {
            Tree::Scalar(value) => value.as_str(),
            Tree::List(_) | Tree::Map(_) => None,
        }
    }

    /// The same without positions.
    pub fn to_json(&self) -> Value {
        match &self.tree {
            Tree::Scalar(value) => value.clone(),
            Tree::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Tree::Map(fields) => Value::Object(
                fields.iter().map(|field| (field.name.clone(), field.value.to_json())).collect::<Map<_, _>>(),
            ),
        }
    }
}

impl From<Spanned<Tree>> for Node {
    fn from(spanned: Spanned<Tree>) -> Self {
        Self { at: position(spanned.referenced), tree: spanned.value }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Tree, E> {
        Ok(Tree::Scalar(Value::Null))
    }

    fn visit_none<E: Error>(self) -> Result<Tree, E> {
        self.visit_unit()
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Tree, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number must be finite"))?;
        Ok(Tree::Scalar(number.into()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Spanned<Tree>>()? {
            list.push(item.into());
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, value)) = entries.next_entry::<Spanned<String>, Spanned<Tree>>()? {
            fields.push(Field { name: name.value, at: position(name.referenced), value: value.into() });
        }
        Ok(Tree::Map(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::{Node, Position, Unreadable, documents, parse};
    use serde_json::json;

    fn one(text: &str) -> Node {
        parse(text).unwrap().unwrap()
    }

    fn broken(text: &str) -> Unreadable {
        parse(text).unwrap().unwrap_err()
    }

    #[test]
    fn a_file_is_cut_into_documents() {
        let cut =
            |text| documents(text).into_iter().map(|(above, text)| (above, text.len())).collect::<Vec<_>>();
        assert_eq!(cut(""), [(0, 0)]);
        assert_eq!(cut("a: 1\n---\nb: 2\n--- # c\nc: 3"), [(0, 5), (1, 9), (3, 12)]);
        assert_eq!(cut("---\r\na: 1\r\n---\r\nb: 2\r\n"), [(0, 11), (2, 11)]);
        assert_eq!(cut("a: |\n  ---\n---b: 1\n"), [(0, 19)]);
    }

    #[test]
    fn every_field_knows_its_line() {
        let document = one("---\n# vip\nspec:\n  address: \"10.0.0.1\"\n  on: [x,\n       z]\n");
        let spec = document.get("spec").unwrap();
        let at = |name| spec.value.get(name).unwrap().at;
        assert_eq!(spec.at, Position { line: 3, column: 1 });
        assert_eq!(at("address"), Position { line: 4, column: 3 });
        assert_eq!(at("on"), Position { line: 5, column: 3 });
        assert_eq!(document.to_json(), json!({ "spec": { "address": "10.0.0.1", "on": ["x", "z"] } }));
    }

    #[test]
    fn what_is_empty_is_no_document() {
        for text in ["", "\n\n", "# nothing\n", "---\n", "---\n# a\n", "--- # x\n...\n", "---\nnull\n"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_broken_is_refused_where_it_stands() {
        let table = [
            ("a: 1\nb: 2\na: 3\n", 3, "duplicate mapping key: a"),
            ("a:\n\tb: 1\n", 2, "the line is indented by a tab; YAML wants spaces"),
            ("a: *nobody\n", 1, ""),
            ("a: 'x\n", 1, ""),
            ("a: [1\nb: 2\n", 2, ""),
        ];
        for (text, line, words) in table {
            let broken = broken(text);
            assert!(broken.at.line >= line && broken.message.contains(words), "{text:?} {broken:?}");
            assert!(!broken.message.contains("at line"), "{broken:?}");
        }
    }

    #[test]
    fn json_is_read_too() {
        assert_eq!(
            one("{\n\t\"a\": [1, true, null, \"x\"]\n}\n").to_json(),
            json!({ "a": [1, true, null, "x"] })
        );
    }
}

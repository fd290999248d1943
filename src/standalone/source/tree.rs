//! YAML documents with the line of everything in them. Pure.

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;
use std::fmt;

/// A position in a file, both counted from 1.
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

/// The documents of a file, each by itself, so that a broken one hurts no other. A document without
/// content is left out.
///
/// YAML 1.2 §9.1.2 lets no content begin a line with `---`, not even inside a block or quoted scalar,
/// so the file can be cut there before it is parsed.
pub fn documents(text: &str) -> Vec<Result<Node, Unreadable>> {
    let mut documents = Vec::new();
    let mut first_line = 0;
    let mut start = 0;
    let mut end = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if is_marker(line) && end > start {
            documents.extend(document(&text[start..end], first_line));
            (start, first_line) = (end, number);
        }
        end += line.len();
    }
    documents.extend(document(&text[start..end], first_line));
    documents
}

fn is_marker(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// One document, whose first line is the file's line `offset` (counted from 0).
fn document(text: &str, offset: usize) -> Option<Result<Node, Unreadable>> {
    let offset = u32::try_from(offset).unwrap_or(u32::MAX);
    let options = serde_saphyr::options! { with_snippet: false };
    match serde_saphyr::from_str_with_options::<Spanned<Tree>>(text, options) {
        Ok(Spanned { value: Tree::Scalar(Value::Null), .. }) => None,
        Ok(spanned) => {
            let mut node = Node::from(spanned);
            node.shift(offset);
            Some(Ok(node))
        }
        Err(_) if is_empty(text) => None,
        Err(error) => {
            let mut broken = unreadable(text, &error);
            broken.at.line += offset;
            Some(Err(broken))
        }
    }
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

/// Whether there is nothing but markers and comments.
fn is_empty(text: &str) -> bool {
    text.lines().all(|line| {
        let line = line.strip_prefix("---").unwrap_or(line).trim();
        line.is_empty() || line.starts_with('#') || line == "..."
    })
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

    fn shift(&mut self, lines: u32) {
        self.at.line += lines;
        match &mut self.tree {
            Tree::Scalar(_) => {}
            Tree::List(items) => items.iter_mut().for_each(|item| item.shift(lines)),
            Tree::Map(fields) => {
                for field in fields {
                    field.at.line += lines;
                    field.value.shift(lines);
                }
            }
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
    use super::{Node, Position, documents};
    use serde_json::json;

    fn line(node: &Node, path: &[&str]) -> (u32, u32) {
        let field = path.iter().fold(None, |found: Option<&super::Field>, name| {
            found.map_or(node, |field| &field.value).get(name)
        });
        let at = field.unwrap().at;
        (at.line, at.column)
    }

    #[test]
    fn every_field_knows_its_line() {
        let text = "# pools\na: 1\n---\n# vip\nspec:\n  address: \"10.0.0.1\"\n  on: [x,\n       z]\n";
        let documents: Vec<Node> = documents(text).into_iter().map(Result::unwrap).collect();
        assert_eq!(documents.len(), 2);
        assert_eq!(line(&documents[0], &["a"]), (2, 1));
        assert_eq!(line(&documents[1], &["spec"]), (5, 1));
        assert_eq!(line(&documents[1], &["spec", "address"]), (6, 3));
        assert_eq!(line(&documents[1], &["spec", "on"]), (7, 3));
        assert_eq!(documents[1].to_json(), json!({ "spec": { "address": "10.0.0.1", "on": ["x", "z"] } }));
    }

    #[test]
    fn a_broken_document_hurts_no_other() {
        let text = "a: 1\n---\nb: [1\nc: 2\n---\nd: 4\n";
        let documents = documents(text);
        assert_eq!(documents[0].as_ref().unwrap().to_json(), json!({ "a": 1 }));
        assert_eq!(documents[2].as_ref().unwrap().to_json(), json!({ "d": 4 }));
        let broken = documents[1].as_ref().unwrap_err();
        assert!((3..=4).contains(&broken.at.line), "{broken:?}");
        assert!(!broken.message.contains("line"), "{broken:?}");
    }

    #[test]
    fn what_is_empty_is_no_document() {
        for text in ["", "\n\n", "# nothing\n", "---\n", "---\n# a\n---\n", "--- # x\n...\n", "---\nnull\n"] {
            assert_eq!(documents(text), [], "{text:?}");
        }
    }

    #[test]
    fn repeated_names_and_tabs_are_refused_where_they_stand() {
        for (text, line) in
            [("a: 1\nb: 2\na: 3\n", 3), ("a:\n\tb: 1\n", 2), ("a: *nobody\n", 1), ("a: 'x\n", 1)]
        {
            let broken = documents(text).remove(0).unwrap_err();
            assert!(broken.at.line >= line, "{text:?} {broken:?}");
        }
    }

    #[test]
    fn json_and_windows_line_ends_are_read_too() {
        let read = |text: &str| documents(text).remove(0).unwrap();
        assert_eq!(
            read("{\n\t\"a\": [1, true, null, \"x\"]\n}\n").to_json(),
            json!({ "a": [1, true, null, "x"] })
        );
        let documents = documents("---\r\na: 1\r\n---\r\nb: 2\r\n");
        assert_eq!(documents.len(), 2);
        assert_eq!(documents[1].as_ref().unwrap().get("b").unwrap().at, Position { line: 4, column: 1 });
    }
}

//! Where each field of a document stands. Pure.

use super::tree::{Node, Position, Tree};
use std::collections::BTreeMap;

/// The position of every field of a document by its path: `spec.peers[0].address`.
#[derive(Debug, Clone, PartialEq)]
pub struct Fields {
    document: Position,
    fields: BTreeMap<String, Position>,
}

impl Fields {
    pub fn of(node: &Node) -> Self {
        let mut fields = BTreeMap::new();
        collect(node, "", &mut fields);
        Self { document: node.at, fields }
    }

    /// Where the field stands, or the nearest block around it that the document has.
    pub fn find(&self, path: &str) -> Position {
        let mut path = path;
        loop {
            if let Some(position) = self.fields.get(path) {
                return *position;
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None => return self.document,
            }
        }
    }
}

fn collect(node: &Node, path: &str, fields: &mut BTreeMap<String, Position>) {
    match &node.tree {
        Tree::Scalar(_) => {}
        Tree::List(items) => {
            for (index, item) in items.iter().enumerate() {
                let path = item_path(path, index);
                collect(item, &path, fields);
                fields.insert(path, item.at);
            }
        }
        Tree::Map(entries) => {
            for field in entries {
                let path = field_path(path, &field.name);
                collect(&field.value, &path, fields);
                fields.insert(path, field.at);
            }
        }
    }
}

/// `parent.name`; a name with a dot or slash, as labels have, stands in brackets.
pub fn field_path(parent: &str, name: &str) -> String {
    match (parent, name.contains(['.', '/'])) {
        (_, true) => format!("{parent}[{name}]"),
        ("", false) => name.to_owned(),
        (_, false) => format!("{parent}.{name}"),
    }
}

/// `parent[0]`.
pub fn item_path(parent: &str, index: usize) -> String {
    format!("{parent}[{index}]")
}

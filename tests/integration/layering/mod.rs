//! How the code is laid out, kept by reading it: imports point down, pure strata are pure, every file is
//! part of a module, files and functions are short.
//!
//! | file | holds |
//! |---|---|
//! | [`source`] | Rust source as tokens and paths |
//! | [`rules`] | what is asked of a file |

mod rules;
mod source;

use rules::{File, declared, has_short_functions, is_pure, is_short, points_down};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where modules begin.
const ROOTS: [&str; 11] = [
    "src/lib.rs",
    "src/bin/novaedge-agent.rs",
    "src/bin/novaedge-controller.rs",
    "src/bin/novaedgectl.rs",
    "tests/integration/main.rs",
    "tests/integration/bench/announce/main.rs",
    "tests/integration/bench/estate/main.rs",
    "tests/integration/bench/proxy/main.rs",
    "tests/integration/lab/src/lib.rs",
    "tests/integration/lab/src/main.rs",
    "tests/integration/lab/tests/world.rs",
];

fn tree() -> Vec<File> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        collect(&root, &root.join(folder), &mut files);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            files.push(File { path: path.strip_prefix(root).unwrap().display().to_string(), text });
        }
    }
}

/// Asks `rule` of every file.
fn ask(rule: fn(&File) -> Vec<String>) {
    let broken: Vec<String> = tree().iter().flat_map(rule).collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn imports_point_down() {
    ask(points_down);
}

#[test]
fn nouns_and_decisions_are_pure() {
    ask(is_pure);
}

#[test]
fn files_are_short() {
    ask(is_short);
}

#[test]
fn functions_are_short() {
    ask(has_short_functions);
}

#[test]
fn every_file_is_part_of_a_module() {
    let files = tree();
    let named: BTreeSet<String> = files.iter().flat_map(declared).flatten().collect();
    let lost: Vec<&str> =
        files.iter().map(|file| file.path.as_str()).filter(|path| !named.contains(*path)).collect();
    let roots: BTreeSet<&str> = ROOTS.into_iter().collect();
    assert_eq!(
        lost.into_iter().collect::<BTreeSet<_>>(),
        roots,
        "files that no `mod` names, and those that need none"
    );
}

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

#[test]
fn the_rules_notice_what_breaks_them() {
    let up = [
        ("src/api/vip.rs", "use crate::compile::compile;"),
        ("src/api/vip.rs", "use crate::{host::file, plan::{self}};"),
        ("src/plan/mod.rs", "fn a() { crate::routing::drive(); }"),
        ("src/plan/diff.rs", "use super::super::agent::run;"),
        ("src/l2/mod.rs", "use crate::netfilter::table;"),
        ("src/routing/mod.rs", "use super::l2::X;"),
        ("src/somewhere/mod.rs", ""),
    ];
    for (path, text) in up {
        assert_eq!(points_down(&file(path, text)).len(), 1, "{path}: {text}");
    }
    let down = [
        ("src/l2/mod.rs", "use crate::plan::LinkPlan; use super::l2::netlink; use crate::l2::steps;"),
        ("src/api/vip/mod.rs", "use super::bgp::model; // use crate::cli;"),
        ("src/bin/novaedgectl.rs", "use novaedge::cli;"),
        ("src/lib.rs", "pub mod cli;"),
    ];
    for (path, text) in down {
        assert_eq!(points_down(&file(path, text)), Vec::<String>::new(), "{path}: {text}");
    }
    for text in [
        "use std::{fs::File, fmt};",
        "async fn a() {}",
        "let now = std::time::Instant::now();",
        "use tokio::sync;",
    ] {
        assert_eq!(is_pure(&file("src/model/x.rs", text)).len(), 1, "{text}");
        assert_eq!(is_pure(&file("src/l2/x.rs", text)), Vec::<String>::new(), "{text}");
    }
    assert_eq!(is_short(&file("src/a.rs", &"\n".repeat(401))).len(), 1);
    let long = format!(
        "fn short() {{}}\ntrait T {{ fn none(&self, x: [u8; 4]); }}\nfn long() {{\n{}}}\n",
        "call();\n".repeat(59)
    );
    assert_eq!(
        has_short_functions(&file("src/a.rs", &long)),
        ["src/a.rs:3: fn long has 61 lines; at most 60"]
    );
    let declared = declared(&file("src/api/vip.rs", "mod a; mod b { mod c; } // mod d;"));
    assert_eq!(declared[0], ["src/api/vip/a.rs", "src/api/vip/a/mod.rs"]);
}

//! Every manifest that people are shown is read and compiled: `manifests/samples/`, and each `yaml` block
//! of the README and the docs.

use novaedge::compile::accepted::Accepted;
use novaedge::compile::compile;
use novaedge::manifests::{Loaded, Texts, load};
use novaedge::model::name::Name;
use novaedge::model::snapshot::Snapshot;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// File name (with the line, for a block of prose) and text of all manifests that people are shown.
fn shown() -> BTreeMap<String, String> {
    let mut shown = BTreeMap::new();
    for path in files_below(&root().join("manifests/samples")) {
        shown.insert(relative(&path), fs::read_to_string(&path).unwrap());
    }
    let mut prose = files_below(&root().join("docs"));
    prose.push(root().join("README.md"));
    for path in prose.iter().filter(|path| path.extension().is_some_and(|end| end == "md") && path.exists()) {
        for (line, block) in yaml_blocks(&fs::read_to_string(path).unwrap()) {
            shown.insert(format!("{}:{line}", relative(path)), block);
        }
    }
    shown
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// The fenced `yaml` blocks of a page, each with the line that it begins on.
fn yaml_blocks(page: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in page.lines().enumerate() {
        match (&mut open, line.trim()) {
            (None, "```yaml") => open = Some((number + 2, String::new())),
            (Some(_), "```") => blocks.extend(open.take()),
            (Some((_, block)), _) => *block += &format!("{line}\n"),
            (None, _) => {}
        }
    }
    blocks
}

fn read(file: &str, text: &str) -> Loaded {
    let texts = Texts::from([(file.to_owned(), Ok(text.to_owned()))]);
    load(&texts, &Loaded::default(), "2026-01-01T00:00:00Z".parse().unwrap())
}

fn snapshot(world: &Loaded, node: &str) -> (Snapshot, Vec<String>) {
    let compiled = compile(&world.resources, &Name::parse(node).unwrap(), &Accepted::default());
    (compiled.snapshot, compiled.rejections.iter().map(|rejection| format!("{rejection:?}")).collect())
}

#[test]
fn every_manifest_that_people_are_shown_is_read() {
    let shown = shown();
    assert!(shown.len() >= 9, "the samples are there: {:?}", shown.keys());
    for (file, text) in shown {
        let loaded = read(&file, &text);
        assert_eq!(loaded.problems, [], "{file}");
        assert_eq!(loaded.ignored, [], "{file}");
        assert!(!loaded.is_empty(), "{file} shows an object");
        snapshot(&loaded, "n1");
    }
}

#[test]
fn the_first_light_is_whole_on_every_node() {
    let text = fs::read_to_string(root().join("manifests/samples/10-first-light.yaml")).unwrap();
    let loaded = read("10-first-light.yaml", &text);
    for node in ["n1", "n2", "n3"] {
        let (snapshot, rejections) = snapshot(&loaded, node);
        assert_eq!(rejections, Vec::<String>::new(), "{node}");
        let vip = &snapshot.vips[&Name::parse("web").unwrap()];
        let addresses: Vec<String> = vip.addresses.iter().map(|address| address.to_string()).collect();
        assert_eq!(addresses, ["10.200.0.20/32", "2001:db8::50/128"], "{node}");
        assert_eq!(vip.used_ports, vip.ports, "{node}");
        let endpoints = snapshot.serving.backends.values().flat_map(|backend| &backend.endpoints);
        assert_eq!(endpoints.count(), 2, "{node} has its own two");
        assert_eq!(snapshot.speaker.unwrap().peers.len(), 1, "{node}");
    }
    let (stranger, _) = snapshot(&loaded, "n9");
    assert!(stranger.vips.is_empty(), "a node without the label is no candidate");
}

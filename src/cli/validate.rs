//! `novaedgectl validate`: manifests through the compiler that controllers and agents run.

use super::output::{self, Format};
use crate::compile::accepted::Accepted;
use crate::compile::{Estate, Given, Memory};
use crate::manifests::{self, Loaded, Texts};
use crate::model::name::Name;
use crate::model::status::Rejected;
use anyhow::{Context, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Prints what is wrong with the files and directories, which together are one world. Exit code 1: something
/// is refused.
///
/// # Errors
/// A file cannot be read, or there is none.
pub fn validate(paths: &[PathBuf], format: Format) -> anyhow::Result<ExitCode> {
    let mut texts = Texts::new();
    for path in paths {
        texts.extend(read(path)?);
    }
    ensure!(!texts.is_empty(), "there are no manifests (*.yaml, *.yml, *.json) in what was named");
    let loaded = manifests::load(&texts, &Loaded::default(), k8s_openapi::jiff::Timestamp::now());
    let found = problems(&loaded);
    output::print(&match format {
        Format::Table => told(&found, texts.len()),
        Format::Json | Format::Yaml => output::encode(format, &found)?,
    });
    let refused = found.iter().any(|problem| !problem.notice);
    Ok(if refused { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// A line each, as compilers print them: `FILE:LINE: OBJECT FIELD: MESSAGE`.
fn told(found: &BTreeSet<Rejected>, files: usize) -> String {
    let line = |Rejected { object, field, message, place, notice, reason: _ }: &Rejected| {
        let place = place.as_deref().map(|place| format!("{place}: ")).unwrap_or_default();
        let field = if field.is_empty() { String::new() } else { format!(" {field}") };
        let weight = if *notice { "note: " } else { "" };
        format!("{place}{weight}{object}{field}: {message}\n")
    };
    let lines: String = found.iter().map(line).collect();
    match found.iter().filter(|problem| !problem.notice).count() {
        0 => format!("{lines}{files} {}: all good\n", if files == 1 { "file" } else { "files" }),
        _ => lines,
    }
}

fn read(path: &Path) -> anyhow::Result<Texts> {
    if path.is_dir() {
        return manifests::texts(path)
            .with_context(|| format!("cannot read the directory {}", path.display()));
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Texts::from([(path.display().to_string(), Ok(text))]))
}

/// What is refused. Without Node objects one node is assumed.
fn problems(loaded: &Loaded) -> BTreeSet<Rejected> {
    let mut nodes: BTreeSet<Name> = loaded.resources.nodes.keys().cloned().collect();
    if nodes.is_empty() {
        nodes.insert(Name::parse("any-node").expect("a valid name"));
    }
    let given = Given {
        world: &loaded.resources,
        accepted: &Accepted::default(),
        // What a controller would give out does not matter here.
        pools: Some(&BTreeMap::new()),
        nodes: &nodes,
        serving: &BTreeMap::new(),
    };
    let estate = Estate::compile(&given, &mut Memory::default());
    loaded.rejected(&estate.rejections).into_iter().collect()
}

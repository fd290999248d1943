//! `novaedgectl`: the estate from a terminal; so far it validates manifests.

use super::output;
use crate::compile::accepted::Accepted;
use crate::compile::rejection::Rejection;
use crate::compile::{Estate, Given};
use crate::manifests::{self, Loaded, Texts};
use crate::model::name::Name;
use crate::model::status::Rejected;
use anyhow::{Context, ensure};
use clap::{Parser, Subcommand};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Looks at an estate of NovaEdge nodes.
#[derive(Debug, Parser)]
#[command(name = "novaedgectl", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compile manifests as an agent would, and say what is wrong with them (exit code 1: something is)
    Validate {
        /// Files, or directories of them; all together are one world
        #[arg(required = true, value_name = "FILE")]
        paths: Vec<PathBuf>,
    },
}

pub fn main() -> ExitCode {
    let Command::Validate { paths } = Cli::parse().command;
    super::exit(validate(&paths))
}

fn validate(paths: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let mut texts = Texts::new();
    for path in paths {
        texts.extend(read(path)?);
    }
    ensure!(!texts.is_empty(), "there are no manifests (*.yaml, *.yml, *.json) in what was named");
    let loaded = manifests::load(&texts, &Loaded::default(), k8s_openapi::jiff::Timestamp::now());
    let found = problems(&loaded);
    for Rejected { object, field, message, place, notice, reason: _ } in &found {
        let place = place.as_deref().map(|place| format!("{place}: ")).unwrap_or_default();
        let field = if field.is_empty() { String::new() } else { format!(" {field}") };
        let weight = if *notice { "note: " } else { "" };
        output::print(&format!("{place}{weight}{object}{field}: {message}\n"));
    }
    let refused = found.iter().filter(|problem| !problem.notice).count();
    if refused > 0 {
        return Ok(ExitCode::from(1));
    }
    output::print(&format!("{} files: all good\n", texts.len()));
    Ok(ExitCode::SUCCESS)
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
    let estate = Estate::compile(&given);
    let placed =
        |rejection: &Rejection| rejection.at(loaded.place(&rejection.object.to_string(), &rejection.field));
    estate.rejections.iter().map(placed).chain(loaded.problems.iter().cloned()).collect()
}

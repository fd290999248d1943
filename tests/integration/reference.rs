//! `docs/cli.md` is what the programs themselves say: `GOLDEN=write make integration ONLY=reference` writes it.

use crate::golden::golden;
use std::process::Command;

const HEAD: &str = "\
# Commands

Written by the programs themselves; a test compares. Exit codes of every command: 0 good, 1 something is wrong
with what was asked about, 2 usage.

Both programs that run for long answer on a unix socket of mode 0600 (`--admin-socket`), which the other commands
ask, and on a TCP address (`--metrics-address`) for those who watch over them: `/metrics` (OpenMetrics), `/healthz`
(the process lives) and `/readyz` (the controller has computed the estate once; the agent knows what to do). Nothing
else is told there, so that it may be opened to a network.
";

/// The program's `--help`, and then that of each of its commands, depth first.
fn help(program: &str, words: &[&str], page: &mut String) {
    let told = Command::new(program).args(words).arg("--help").env_remove("NODE_NAME").output().unwrap();
    assert!(told.status.success(), "{program} {words:?}");
    let text = String::from_utf8(told.stdout).unwrap();
    let name = program.rsplit('/').next().unwrap();
    let title = [&[name], words].concat().join(" ");
    let level = if words.is_empty() { "##" } else { "###" };
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    *page += &format!("\n{level} {title}\n\n```text\n{}\n```\n", lines.join("\n").trim_end());
    let commands = lines.iter().skip_while(|line| **line != "Commands:").skip(1);
    let commands = commands.take_while(|line| !line.is_empty());
    let own_line = commands.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    for command in own_line.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
        help(program, &[words, &[command]].concat(), page);
    }
}

#[test]
fn the_reference_is_what_the_programs_say() {
    let mut page = HEAD.to_owned();
    for program in [
        env!("CARGO_BIN_EXE_novaedge-agent"),
        env!("CARGO_BIN_EXE_novaedge-controller"),
        env!("CARGO_BIN_EXE_novaedgectl"),
    ] {
        help(program, &[], &mut page);
    }
    golden("../../../docs/cli.md", &page);
}

//! Pages of `docs/` that programs and tables write themselves: `GOLDEN=write make integration ONLY=reference`.

use crate::golden::golden;
use novaedge::model::capability::{self, Daemon, Field, Support};
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

const MATRIX_HEAD: &str = "\
# What each daemon carries out

Written from `src/model/capability.rs`; a test compares. A VIP of which a node's daemon refuses a setting is withheld on
that node, with the reason `DaemonCannot` and these words; nothing is dropped in silence. A daemon of a release that the
tests do not run against is used too, and the VIP's condition `DaemonUntested` names it.
";

#[test]
fn the_matrix_is_what_the_table_says() {
    let mut page = MATRIX_HEAD.to_owned();
    page += &format!("\nTested with {}.\n\n", capability::tested().join(", "));
    let names = Daemon::ALL.map(Daemon::name);
    page += &format!("| setting | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    let mut reasons = Vec::new();
    for field in Field::ALL {
        let cells = Daemon::ALL.map(|daemon| match capability::support(*field, daemon) {
            Support::CarriedOut => "yes".to_owned(),
            Support::Refused(why) => {
                let number = reasons.iter().position(|known| *known == why).unwrap_or_else(|| {
                    reasons.push(why);
                    reasons.len() - 1
                });
                format!("refused ({})", number + 1)
            }
        });
        page += &format!("| `{field}` | {} |\n", cells.join(" | "));
    }
    page.push('\n');
    for (index, why) in reasons.iter().enumerate() {
        page += &format!("{}. {why}\n", index + 1);
    }
    golden("../../../docs/daemons/matrix.md", &page);
}

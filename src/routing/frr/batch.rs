//! Steps as the commands of one configuration session. Pure.

use super::diff::Step;
use super::vty::Answer;
use std::sync::Arc;

/// Commands to be sent in one go, each with the step that it belongs to.
#[derive(Debug, Default)]
pub struct Batch {
    pub commands: Vec<String>,
    steps: Vec<Option<usize>>,
}

/// A command that the daemon refused. Neither text shows a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Index into the steps; `None`: the configuration session itself.
    pub step: Option<usize>,
    pub line: String,
    pub answer: String,
}

impl Batch {
    pub fn of(steps: &[Step]) -> Self {
        let mut batch = Self::default();
        batch.push("configure terminal", None);
        let mut inside: Arc<[String]> = Arc::new([]);
        for (index, step) in steps.iter().enumerate() {
            for line in &step.lines {
                batch.enter(&inside, &line.within, index);
                batch.push(&line.text, Some(index));
                inside = match opens_section(&line.text) {
                    true => line.within.iter().cloned().chain([line.text.clone()]).collect(),
                    false => line.within.clone(),
                };
            }
        }
        batch.push("end", None);
        batch
    }

    /// Adds lines that belong to no step.
    pub fn say_again(&mut self, lines: &[&str]) {
        for line in ["configure terminal"].iter().chain(lines).chain(&["end"]) {
            self.push(line, None);
        }
    }

    /// Goes from one section to another: further in where that is enough, from the outside otherwise.
    fn enter(&mut self, inside: &[String], wanted: &[String], step: usize) {
        let deeper = match wanted.strip_prefix(inside) {
            Some(deeper) => deeper,
            None => {
                self.push("end", None);
                self.push("configure terminal", None);
                wanted
            }
        };
        for section in deeper {
            self.push(section, Some(step));
        }
    }

    fn push(&mut self, command: &str, step: Option<usize>) {
        self.commands.push(command.to_owned());
        self.steps.push(step);
    }

    /// What the daemon did not take.
    pub fn refusals(&self, answers: &[Answer]) -> Vec<Refusal> {
        let asked = self.commands.iter().zip(&self.steps);
        let refused = asked.zip(answers).filter(|(_, answer)| answer.refused());
        refused
            .map(|((command, step), answer)| Refusal {
                step: *step,
                line: redact(command),
                answer: redact(answer.text.trim().trim_start_matches("% ")),
            })
            .collect()
    }
}

fn opens_section(text: &str) -> bool {
    const HEADS: [&str; 6] =
        ["route-map ", "router bgp ", "router ospf", "address-family ", "profile ", "interface "];
    HEADS.iter().any(|head| text.starts_with(head))
}

/// The text without the word that follows one of these.
pub fn redact(text: &str) -> String {
    const BEFORE_SECRETS: [&str; 4] = ["password", "authentication-key", "md5", "key"];
    let mut secret = false;
    let words = text.split(' ').map(|word| {
        let shown = if secret { "<redacted>" } else { word };
        secret = BEFORE_SECRETS.contains(&word);
        shown
    });
    words.collect::<Vec<_>>().join(" ")
}

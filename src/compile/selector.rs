//! Kubernetes label selectors: all requirements must hold, and an empty selector selects everything.

use super::rejection::Findings;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use std::collections::{BTreeMap, BTreeSet};

pub type Labels = BTreeMap<String, String>;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    In(String, BTreeSet<String>),
    /// Also holds without the label.
    NotIn(String, BTreeSet<String>),
    Exists(String),
    DoesNotExist(String),
}

impl Selector {
    /// `None` selects everything.
    pub fn parse(written: Option<&LabelSelector>, field: &str, findings: &mut Findings) -> Option<Self> {
        let Some(LabelSelector { match_labels, match_expressions }) = written else {
            return Some(Self::default());
        };
        let equal = match_labels.iter().flatten();
        let mut all: Vec<_> = equal.map(|(k, v)| Requirement::In(k.clone(), [v.clone()].into())).collect();
        findings.whole(|findings| {
            for (index, expression) in match_expressions.iter().flatten().enumerate() {
                let field = format!("{field}.matchExpressions[{index}]");
                all.push(findings.valid(field, requirement(expression))?);
            }
            Some(Self(all))
        })
    }

    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            Requirement::NotIn(key, values) => !labels.get(key).is_some_and(|value| values.contains(value)),
            Requirement::Exists(key) => labels.contains_key(key),
            Requirement::DoesNotExist(key) => !labels.contains_key(key),
        })
    }
}

fn requirement(written: &LabelSelectorRequirement) -> Result<Requirement, String> {
    let LabelSelectorRequirement { key, operator, values } = written;
    let values: BTreeSet<String> = values.iter().flatten().cloned().collect();
    match (operator.as_str(), values.is_empty()) {
        ("In", false) => Ok(Requirement::In(key.clone(), values)),
        ("NotIn", false) => Ok(Requirement::NotIn(key.clone(), values)),
        ("Exists", true) => Ok(Requirement::Exists(key.clone())),
        ("DoesNotExist", true) => Ok(Requirement::DoesNotExist(key.clone())),
        ("In" | "NotIn", true) => Err(format!("operator {operator} needs values")),
        ("Exists" | "DoesNotExist", false) => {
            Err(format!("operator {operator} takes no values; remove them"))
        }
        _ => Err(format!("{operator:?} is no operator; write In, NotIn, Exists or DoesNotExist")),
    }
}

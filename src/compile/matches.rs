//! `spec.rules[].matches[]` → what a request is compared with.

use super::rejection::Findings;
use crate::api::condition::Reason;
use crate::api::route::{
    Match as Written, PathMatch as WrittenPath, PathMatchType, ValueMatch, ValueMatchType,
};
use crate::model::http::{Match, PathMatch};
use std::collections::BTreeSet;

/// A match that is refused is left out.
pub fn matches(written: &[Written], rule: &str, findings: &mut Findings) -> Vec<Match> {
    if written.is_empty() {
        return vec![Match { path: any_path(), method: None, headers: Vec::new(), query: Vec::new() }];
    }
    let one = |(index, written): (usize, &Written)| {
        let field = format!("{rule}.matches[{index}]");
        findings.whole(|findings| self::one(written, &field, findings))
    };
    written.iter().enumerate().filter_map(one).collect()
}

fn any_path() -> PathMatch {
    PathMatch::Prefix("/".to_owned())
}

fn one(written: &Written, field: &str, findings: &mut Findings) -> Option<Match> {
    let Written { path, headers, query_params, method } = written;
    let path = match path {
        Some(path) => self::path(path, &format!("{field}.path"), findings),
        None => Some(any_path()),
    };
    let headers = values(headers, &format!("{field}.headers"), true, findings);
    let query = values(query_params, &format!("{field}.queryParams"), false, findings);
    Some(Match { path: path?, method: method.map(|method| method.as_str().to_owned()), headers, query })
}

fn path(written: &WrittenPath, field: &str, findings: &mut Findings) -> Option<PathMatch> {
    let WrittenPath { r#type, value } = written;
    let comparable = value.starts_with('/')
        && value.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'?' | b'#'))
        && !value.split('/').any(|element| element == "." || element == "..")
        && !value.contains("//");
    match r#type {
        PathMatchType::RegularExpression => {
            let message =
                "regular expressions are not supported yet by this version; write PathPrefix or Exact";
            findings.refuse(format!("{field}.type"), Reason::NotSupported, message);
            None
        }
        _ if !comparable => {
            let message = format!(
                "{value:?} is no path: it begins with /, and has no query, no // and no . or .. element"
            );
            findings.refuse(format!("{field}.value"), Reason::InvalidValue, message);
            None
        }
        PathMatchType::Exact => Some(PathMatch::Exact(value.clone())),
        PathMatchType::PathPrefix => Some(PathMatch::Prefix(value.clone())),
    }
}

/// Of entries with equivalent names, the first counts (Gateway API).
fn values(
    written: &[ValueMatch],
    field: &str,
    are_headers: bool,
    findings: &mut Findings,
) -> Vec<(String, String)> {
    let mut seen = BTreeSet::new();
    let mut values = Vec::new();
    for (index, ValueMatch { r#type, name, value }) in written.iter().enumerate() {
        let name = if are_headers { name.to_ascii_lowercase() } else { name.clone() };
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if *r#type == ValueMatchType::RegularExpression {
            let message = "regular expressions are not supported yet by this version; write Exact";
            findings.refuse(format!("{field}[{index}].type"), Reason::NotSupported, message);
        } else if name.is_empty() || (are_headers && !name.bytes().all(token)) {
            let message = format!("{name:?} is no name (RFC 9110 §5.6.2); use letters, digits and -");
            findings.refuse(format!("{field}[{index}].name"), Reason::InvalidValue, message);
        } else if seen.insert(name.clone()) {
            values.push((name, value.clone()));
        }
    }
    values
}

//! Which rule answers a request. Pure.
//!
//! `compile` has sorted the rules of each hostname by Gateway API's precedence; here they are tried in that
//! order, hostnames from the most to the least specific: exact, wildcards from the longest, any. A hostname
//! whose rules do not match leaves the request to the next one.
//!
//! | file | what |
//! |---|---|
//! | [`host`] | what a request calls its host |
//! | [`path`] | the one spelling of a path that is matched and forwarded |
//! | [`query`] | what a query string says |

pub mod host;
pub mod path;
mod query;

use crate::model::http::{Hostname, Match, Rule, VirtualHost};
use http::{HeaderMap, Method};
use std::collections::HashMap;

/// The parts of a request that rules look at.
#[derive(Debug)]
pub struct Question<'a> {
    /// Lower case, without a port; empty when the request names none (HTTP/1.0).
    pub host: &'a str,
    /// Normalized, without the query.
    pub path: &'a str,
    pub query: &'a str,
    pub method: &'a Method,
    pub headers: &'a HeaderMap,
}

/// Rules that lead to a `T`, by hostname.
#[derive(Debug)]
pub struct Router<T> {
    exact: HashMap<String, Vec<(Match, T)>>,
    /// By suffix, with its leading dot.
    wildcard: HashMap<String, Vec<(Match, T)>>,
    any: Vec<(Match, T)>,
}

impl<T> Router<T> {
    pub fn new(hosts: &[VirtualHost], target: impl Fn(&Rule) -> T) -> Self {
        let mut router = Self { exact: HashMap::new(), wildcard: HashMap::new(), any: Vec::new() };
        for VirtualHost { hostname, rules } in hosts {
            let entries = match hostname {
                Hostname::Exact(name) => router.exact.entry(name.clone()).or_default(),
                Hostname::Wildcard(suffix) => router.wildcard.entry(suffix.clone()).or_default(),
                Hostname::Any => &mut router.any,
            };
            entries.extend(rules.iter().map(|rule| (rule.matches.clone(), target(rule))));
        }
        router
    }

    pub fn find(&self, question: &Question<'_>) -> Option<&T> {
        let exact = self.exact.get(question.host);
        let wildcards = suffixes(question.host).filter_map(|suffix| self.wildcard.get(suffix));
        let candidates = exact.into_iter().chain(wildcards).chain([&self.any]).flatten();
        candidates.into_iter().find(|(matches, _)| answers(matches, question)).map(|(_, target)| target)
    }
}

/// `.b.c`, then `.c`, for the host `a.b.c`.
fn suffixes(host: &str) -> impl Iterator<Item = &str> {
    host.match_indices('.').filter(|(at, _)| *at > 0).map(|(at, _)| &host[at..])
}

fn answers(matches: &Match, question: &Question<'_>) -> bool {
    let Match { path, method, headers, query } = matches;
    let has_header = |(name, value): &(String, String)| {
        question.headers.get_all(name).iter().any(|present| present.as_bytes() == value.as_bytes())
    };
    path.matches(question.path)
        && method.as_deref().is_none_or(|method| method == question.method.as_str())
        && headers.iter().all(has_header)
        && query.iter().all(|(name, value)| query::has(question.query, name, value))
}

#[cfg(test)]
mod tests;

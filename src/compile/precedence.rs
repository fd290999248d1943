//! Gateway API's precedence: longest hostname, Exact before longest prefix, method, most headers, most query
//! parameters, oldest route, name.

use super::route::{ParsedRule, Route};
use super::scene::Seniority;
use crate::model::http::{Hostname, Match, PathMatch, Rule, VirtualHost};
use crate::model::name::Key;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The hostnames that both lists answer, each as the narrower of the two that meet.
pub fn intersection(listener: &[Hostname], route: &[Hostname]) -> Vec<Hostname> {
    let meet = |a: &Hostname, b: &Hostname| match (covers(a, b), covers(b, a)) {
        (true, _) => Some(b.clone()),
        (false, true) => Some(a.clone()),
        (false, false) => None,
    };
    let both: BTreeSet<_> =
        listener.iter().flat_map(|a| route.iter().filter_map(move |b| meet(a, b))).collect();
    both.into_iter().collect()
}

/// Whether every host that `narrow` answers is also answered by `wide`.
fn covers(wide: &Hostname, narrow: &Hostname) -> bool {
    match (wide, narrow) {
        (Hostname::Any, _) => true,
        (_, Hostname::Any) => false,
        (_, Hostname::Exact(name)) => wide.matches(name),
        (Hostname::Wildcard(wide), Hostname::Wildcard(narrow)) => narrow.ends_with(wide.as_str()),
        (Hostname::Exact(_), Hostname::Wildcard(_)) => false,
    }
}

/// The narrowest first.
fn breadth(hostname: &Hostname) -> (u8, Reverse<usize>) {
    match hostname {
        Hostname::Exact(name) => (0, Reverse(name.len())),
        Hostname::Wildcard(suffix) => (1, Reverse(suffix.len())),
        Hostname::Any => (2, Reverse(0)),
    }
}

/// Sorts what is tried first to the front. The place in the route decides last, and makes it unique.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Precedence {
    path: Reverse<(bool, usize)>,
    method: Reverse<bool>,
    headers: Reverse<usize>,
    query: Reverse<usize>,
    age: Seniority<Key>,
    place: (usize, usize),
}

impl Precedence {
    fn of(rule: &Match, route: &Route, place: (usize, usize)) -> Self {
        let path = match &rule.path {
            PathMatch::Exact(path) => (true, path.len()),
            PathMatch::Prefix(path) => (false, path.trim_end_matches('/').len()),
        };
        Self {
            path: Reverse(path),
            method: Reverse(rule.method.is_some()),
            headers: Reverse(rule.headers.len()),
            query: Reverse(rule.query.len()),
            age: route.age.clone(),
            place,
        }
    }
}

/// The rules of all routes by hostname, in the order in which they are tried. A host's list goes on with
/// the rules of the wider hostnames that cover it: precedence is among the rules that *match*, so a
/// request that no rule of `www.example.com` takes may still be one for `*.example.com`.
pub fn virtual_hosts(routes: &[(Vec<Hostname>, &Route)]) -> Vec<VirtualHost> {
    let mut written: BTreeMap<Hostname, BTreeMap<Precedence, Rule>> = BTreeMap::new();
    for (hostnames, route) in routes {
        for hostname in hostnames {
            written.entry(hostname.clone()).or_default().extend(rules(route));
        }
    }
    let of_host = |hostname: &Hostname| {
        let mut seen = BTreeSet::new();
        let covering = widening(hostname).into_iter().filter_map(|wider| written.get(&wider)).flatten();
        let first = covering.filter(|(precedence, _)| seen.insert((&precedence.age, precedence.place)));
        first.map(|(_, rule)| rule.clone()).collect()
    };
    let mut order: Vec<&Hostname> = written.keys().collect();
    order.sort_by_key(|hostname| breadth(hostname));
    let host = |hostname: &Hostname| VirtualHost { hostname: hostname.clone(), rules: of_host(hostname) };
    order.into_iter().map(host).collect()
}

/// The hostname and those that cover it, the narrowest first.
fn widening(hostname: &Hostname) -> Vec<Hostname> {
    let (itself, suffixes) = match hostname {
        Hostname::Exact(name) => (Some(hostname.clone()), name.as_str()),
        Hostname::Wildcard(suffix) => (None, suffix.as_str()),
        Hostname::Any => (None, ""),
    };
    let wildcards =
        suffixes.match_indices('.').map(|(dot, _)| Hostname::Wildcard(suffixes[dot..].to_owned()));
    itself.into_iter().chain(wildcards).chain([Hostname::Any]).collect()
}

fn rules(route: &Route) -> impl Iterator<Item = (Precedence, Rule)> {
    let one = |rule: &ParsedRule, index: usize, matches: &Match| {
        let place = (rule.index, index);
        let compiled = Rule {
            route: route.key.clone(),
            matches: matches.clone(),
            backends: rule.backends.clone(),
            timeout: rule.timeout,
        };
        (Precedence::of(matches, route, place), compiled)
    };
    route.rules.iter().flat_map(move |rule| {
        rule.matches.iter().enumerate().map(move |(index, matches)| one(rule, index, matches))
    })
}

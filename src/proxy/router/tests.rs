use super::{Question, Router};
use crate::model::http::{Hostname, Match, PathMatch, Rule, VirtualHost};
use crate::model::name::{Key, Name};
use http::{HeaderMap, HeaderValue, Method};

fn rule(name: &str, path: PathMatch) -> Rule {
    let route = Key::new(Name::parse("default").unwrap(), Name::parse(name).unwrap());
    let matches = Match { path, method: None, headers: Vec::new(), query: Vec::new() };
    Rule { route, matches, backends: Vec::new(), timeout: None }
}

fn prefix(path: &str) -> PathMatch {
    PathMatch::Prefix(path.to_owned())
}

fn host(name: &str, rules: Vec<Rule>) -> VirtualHost {
    VirtualHost { hostname: Hostname::parse(name).unwrap(), rules }
}

struct Ask<'a>(&'a Router<String>);

impl Ask<'_> {
    fn get(&self, host: &str, target: &str) -> Option<&str> {
        self.ask(&Method::GET, host, target, &HeaderMap::new())
    }

    fn ask(&self, method: &Method, host: &str, target: &str, headers: &HeaderMap) -> Option<&str> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        self.0.find(&Question { host, path, query, method, headers }).map(String::as_str)
    }
}

fn named(hosts: &[VirtualHost]) -> Router<String> {
    Router::new(hosts, |rule| rule.route.name.to_string())
}

#[test]
fn the_most_specific_hostname_answers_first() {
    let router = named(&[
        host("www.example.com", vec![rule("exact", prefix("/"))]),
        host("*.b.example.com", vec![rule("longer", prefix("/"))]),
        host("*.example.com", vec![rule("shorter", prefix("/"))]),
        host("*", vec![rule("any", prefix("/"))]),
    ]);
    let table = [
        ("www.example.com", "exact"),
        ("a.b.example.com", "longer"),
        ("c.a.b.example.com", "longer"),
        ("b.example.com", "shorter"),
        ("example.com", "any"),
        ("evilexample.com", "any"),
        (".example.com", "any"),
        ("", "any"),
    ];
    for (host, answer) in table {
        assert_eq!(Ask(&router).get(host, "/"), Some(answer), "{host}");
    }
}

#[test]
fn a_hostname_without_a_matching_rule_leaves_the_request_to_the_next() {
    let router = named(&[
        host("www.example.com", vec![rule("api", prefix("/api"))]),
        host("*.example.com", vec![rule("rest", prefix("/"))]),
    ]);
    assert_eq!(Ask(&router).get("www.example.com", "/api/x"), Some("api"));
    assert_eq!(Ask(&router).get("www.example.com", "/apiary"), Some("rest"));
    assert_eq!(Ask(&router).get("other.org", "/"), None);
}

#[test]
fn rules_are_tried_in_their_order_and_need_all_of_their_match() {
    let mut post = rule("post", prefix("/"));
    post.matches.method = Some("POST".to_owned());
    let mut canary = rule("canary", prefix("/"));
    canary.matches.headers = vec![("x-canary".to_owned(), "yes".to_owned())];
    canary.matches.query = vec![("v".to_owned(), "2".to_owned())];
    let exact = rule("exact", PathMatch::Exact("/only".to_owned()));
    let router = named(&[host("*", vec![exact, post, canary, rule("rest", prefix("/"))])]);
    let ask = Ask(&router);
    let mut headers = HeaderMap::new();
    headers.append("x-canary", HeaderValue::from_static("no"));
    headers.append("x-canary", HeaderValue::from_static("yes"));

    assert_eq!(ask.ask(&Method::POST, "a", "/only", &headers), Some("exact"));
    assert_eq!(ask.ask(&Method::POST, "a", "/only/x", &headers), Some("post"));
    assert_eq!(ask.ask(&Method::GET, "a", "/?v=2", &headers), Some("canary"));
    assert_eq!(ask.ask(&Method::GET, "a", "/?v=3", &headers), Some("rest"));
    assert_eq!(ask.get("a", "/?v=2"), Some("rest"));
}

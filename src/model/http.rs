//! HTTP routing nouns, with Gateway API's meaning and precedence.

use super::name::Key;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Which `Host` values a rule answers: all, exactly one, or `*.suffix`.
/// Lower case, without a port and without a trailing dot. A wildcard covers one or more labels:
/// `*.example.com` matches `a.b.example.com`, never `example.com` and never `evilexample.com`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Hostname {
    Any,
    Exact(String),
    /// The suffix with its leading dot: `.example.com`.
    Wildcard(String),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a hostname; write one like www.example.com or *.example.com (no port, no address)")]
pub struct InvalidHostname(pub String);

impl Hostname {
    pub fn parse(text: &str) -> Result<Self, InvalidHostname> {
        let invalid = || InvalidHostname(text.to_owned());
        let lower = text.to_ascii_lowercase();
        if lower == "*" {
            return Ok(Self::Any);
        }
        let (wildcard, domain) = match lower.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, lower.as_str()),
        };
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let valid = domain.len() <= 253
            && domain.split('.').all(label)
            && domain.parse::<std::net::Ipv4Addr>().is_err();
        match (valid, wildcard) {
            (false, _) => Err(invalid()),
            (true, true) => Ok(Self::Wildcard(format!(".{domain}"))),
            (true, false) => Ok(Self::Exact(domain.to_owned())),
        }
    }

    /// `host` must already be lower case and without a port.
    pub fn matches(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(name) => name == host,
            Self::Wildcard(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_str()),
        }
    }
}

impl TryFrom<String> for Hostname {
    type Error = InvalidHostname;
    fn try_from(text: String) -> Result<Self, InvalidHostname> {
        Self::parse(&text)
    }
}

impl From<Hostname> for String {
    fn from(hostname: Hostname) -> Self {
        match hostname {
            Hostname::Any => "*".to_owned(),
            Hostname::Exact(name) => name,
            Hostname::Wildcard(suffix) => format!("*{suffix}"),
        }
    }
}

/// Begins with `/`; a prefix matches whole path elements (`/api` matches `/api/x`, never `/apiary`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PathMatch {
    Exact(String),
    Prefix(String),
}

impl PathMatch {
    pub fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => path == exact,
            Self::Prefix(prefix) => {
                let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
                path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        }
    }
}

/// All of it must match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    pub path: PathMatch,
    /// Upper case, e.g. `GET`.
    pub method: Option<String>,
    /// Name (lower case) and exact value.
    pub headers: Vec<(String, String)>,
    /// Name and exact value, both as decoded.
    pub query: Vec<(String, String)>,
}

/// A share of the traffic; weight 0 gets none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightedBackend {
    pub backend: Key,
    pub weight: u32,
}

/// A route's rule with one of its matches: what is compared, and where the request goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// `route` object and index of the rule, for logs and metrics.
    pub route: Key,
    pub matches: Match,
    /// Empty or all weights zero: 500, as Gateway API asks for.
    pub backends: Vec<WeightedBackend>,
    /// From the request's last header byte to the response's first; `None`: no limit.
    pub timeout: Option<Duration>,
}

/// The rules for one hostname, in the order in which they are tried (`compile` has sorted them by Gateway
/// API's precedence). The first virtual host that matches a request decides alone: rules of wider hostnames
/// that cover this one are in the list as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VirtualHost {
    pub hostname: Hostname,
    pub rules: Vec<Rule>,
}

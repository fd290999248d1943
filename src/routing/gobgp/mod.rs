//! GoBGP as a [`Daemon`], by its gRPC API of version 3 or 4.
//!
//! Owns paths with our identifier, peers whose description is ours, and policies and sets whose names begin with
//! `novaedge-`; nothing else in that gobgpd. Called by [`crate::routing::drive`] alone.
//!
//! The invariant: gobgpd keeps nothing by itself, so all that counts is what it lists; every `apply` compares that
//! with the plan. A restarted gobgpd has nothing, and gets everything again by the same few lines.
//!
//! gobgpd does not look at the node's addresses, so a dead agent's routes would stay. The agent's guard, a process
//! of its own, withdraws what the node does not hold any more ([`Withdrawer`]).
//!
//! | file | what | |
//! |---|---|---|
//! | [`view`] | plan → what gobgpd should have | pure |
//! | [`policy`] | which session gets which prefix, and how | pure |
//! | [`peer`], [`path`] | one peer, one path: ours ↔ gobgpd's | pure |
//! | [`respect`] | what would touch the operator's | pure |
//! | [`client`], [`connect`] | the gRPC calls, both versions | IO |
//! | [`have`] | what gobgpd has | IO |
//! | [`apply`] | list, compare, call, list again | IO |
//! | [`observe`] | what gobgpd has and does → [`Observed`]; a peer that BFD finds silent is shut, alone | IO |
//! | [`guard`] | the agent's end of its guard | IO |
//! | [`guarding`] | what the guard says to gobgpd | IO |
//! | [`proto`] | `proto/gobgp/` | |

mod apply;
mod client;
mod connect;
mod guard;
mod guarding;
mod have;
mod observe;
mod path;
mod peer;
mod policy;
pub mod proto;
mod respect;
#[cfg(test)]
mod tests;
mod view;

pub use guard::{GUARD_READY, GuardOptions};
pub use guarding::Withdrawer;

use super::bfdd::Watched;
use super::{Applied, ApplyError, Daemon, ObserveError};
use crate::model::observed::Observed;
use crate::plan::RoutingPlan;
use client::Client;
use guard::Guard;
use have::Paths;
use observe::Sent;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where gobgpd's API is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    Unix(PathBuf),
    Tcp { host: String, port: u16, tls: Option<Tls> },
}

/// With whom TLS is spoken, in PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The authority of gobgpd's certificate.
    pub ca: PathBuf,
    /// Our certificate and its key, for a gobgpd that asks for one.
    pub identity: Option<(PathBuf, PathBuf)>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address of gobgpd's API; write unix:///PATH, or HOST:PORT (IPv6 in brackets)")]
pub struct InvalidEndpoint(String);

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEndpoint> {
        let invalid = || InvalidEndpoint(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
            return if path.is_absolute() { Ok(Self::Unix(path)) } else { Err(invalid()) };
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(invalid)?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(invalid)?;
        if host.is_empty() || host.contains(['/', ' ']) {
            return Err(invalid());
        }
        Ok(Self::Tcp { host: host.to_owned(), port, tls: None })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port, .. } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port, .. } => write!(f, "{host}:{port}"),
        }
    }
}

impl Endpoint {
    /// As HTTP/2 wants it: of no meaning to gobgpd.
    fn origin(&self) -> http::Uri {
        let secure = matches!(self, Self::Tcp { tls: Some(_), .. });
        http::Uri::from_static(if secure { "https://gobgpd" } else { "http://gobgpd" })
    }
}

#[derive(Debug, Clone)]
pub struct Options {
    pub endpoint: Endpoint,
    /// The directory of the vty socket of FRR's bfdd, which watches the peers of VIPs with BFD.
    pub bfdd_dir: PathBuf,
    pub guard: GuardOptions,
}

/// One gobgpd.
#[derive(Debug)]
pub struct Gobgp {
    client: Client,
    paths: Paths,
    sent: Sent,
    watched: Watched,
    guard: Guard,
}

impl Gobgp {
    /// Connects when it is first used.
    pub fn new(options: &Options) -> Self {
        Self {
            client: Client::new(options.endpoint.clone()),
            paths: Paths::default(),
            sent: Sent::default(),
            watched: Watched::new(&options.bfdd_dir),
            guard: Guard::new(options.guard.clone()),
        }
    }
}

impl Daemon for Gobgp {
    async fn apply(&mut self, plan: &RoutingPlan) -> Result<Applied, ApplyError> {
        self.bring_to(plan).await
    }

    async fn observe(&mut self) -> Result<Observed, ObserveError> {
        self.look().await
    }
}

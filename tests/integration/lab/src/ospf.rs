//! OSPF at the ToR: how it speaks, and what it says.

use crate::topology::NodeId;
use crate::tor::Tor;
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::net::Ipv4Addr;

/// How the ToR's ospfd and ospf6d speak towards the nodes.
#[derive(Debug, Clone)]
pub struct Ospf {
    pub area: String,
    pub hello: u16,
    pub dead: u16,
    pub auth: Auth,
}

/// RFC 2328 appendix D; OSPFv3 has the second one only (RFC 7166).
#[derive(Debug, Clone, Default)]
pub enum Auth {
    #[default]
    None,
    Simple(String),
    Md5(String),
}

impl Default for Ospf {
    /// Area 0; a hello each second, so that a lab is up soon.
    fn default() -> Self {
        Self { area: "0.0.0.0".to_owned(), hello: 1, dead: 4, auth: Auth::None }
    }
}

impl Ospf {
    /// What ospfd starts from. It sees each change at once, and helps a neighbour that restarts gracefully.
    pub fn ospfd(&self, address: Ipv4Addr, bfd: bool) -> String {
        let Self { area, hello, dead, auth } = self;
        let auth = match auth {
            Auth::None => String::new(),
            Auth::Simple(key) => format!(" ip ospf authentication\n ip ospf authentication-key {key}\n"),
            Auth::Md5(key) => {
                format!(" ip ospf authentication message-digest\n ip ospf message-digest-key 1 md5 {key}\n")
            }
        };
        let mut text = format!(
            "interface nodes\n ip ospf hello-interval {hello}\n ip ospf dead-interval {dead}\n{auth}"
        );
        if bfd {
            text.push_str(" ip ospf bfd\n ip ospf bfd profile lab\n");
        }
        // Writing to a String does not fail.
        let _ = write!(
            text,
            " ip ospf area {area}\nexit\nrouter ospf\n ospf router-id {address}\n timers throttle lsa all 0\n timers throttle spf 0 50 500\n \
             timers lsa min-arrival 0\n graceful-restart helper enable\n capability opaque\nexit\n"
        );
        text
    }

    /// What ospf6d starts from.
    pub fn ospf6d(&self, address: Ipv4Addr, bfd: bool) -> String {
        let Self { area, hello, dead, auth } = self;
        let mut text = format!(
            "interface nodes\n ipv6 ospf6 hello-interval {hello}\n ipv6 ospf6 dead-interval {dead}\n"
        );
        if let Auth::Md5(key) = auth {
            let _ = writeln!(text, " ipv6 ospf6 authentication key-id 1 hash-algo md5 key {key}");
        }
        if bfd {
            text.push_str(" ipv6 ospf6 bfd\n ipv6 ospf6 bfd profile lab\n");
        }
        let _ = write!(
            text,
            " ipv6 ospf6 area {area}\nexit\nrouter ospf6\n ospf6 router-id {address}\n \
             timers throttle spf 0 50 500\n timers lsa min-arrival 0\n graceful-restart helper enable\nexit\n"
        );
        text
    }
}

/// An adjacency as the ToR sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjacency {
    /// `Full/DROther`; ospf6d's state without the role.
    pub state: String,
    pub priority: u64,
    /// How often the state has changed since the neighbour was met; `None` for OSPFv3.
    pub changes: Option<u64>,
}

impl Tor {
    /// OSPFv2's, by the node's interface address.
    ///
    /// # Errors
    /// ospfd does not answer.
    pub fn adjacencies(&self) -> Result<BTreeMap<NodeId, Adjacency>> {
        let answer = self.ask_json("ospfd", "show ip ospf neighbor json")?;
        let all = answer["neighbors"].as_object().cloned().unwrap_or_default().into_iter();
        let read = |neighbor: &Value| {
            let node = NodeId::by_gateway(neighbor["ifaceAddress"].as_str()?.parse().ok()?)?;
            let adjacency = Adjacency {
                state: neighbor["nbrState"].as_str()?.to_owned(),
                priority: neighbor["nbrPriority"].as_u64()?,
                changes: neighbor["stateChangeCounter"].as_u64(),
            };
            Some((node, adjacency))
        };
        let lists = all.flat_map(|(_, list)| list.as_array().cloned().unwrap_or_default());
        Ok(lists.filter_map(|neighbor| read(&neighbor)).collect())
    }

    /// OSPFv3's, by the router id, which is the node's IPv4 address.
    ///
    /// # Errors
    /// ospf6d does not answer.
    pub fn adjacencies6(&self) -> Result<BTreeMap<NodeId, Adjacency>> {
        let answer = self.ask_json("ospf6d", "show ipv6 ospf6 neighbor json")?;
        let read = |neighbor: &Value| {
            let node = NodeId::by_gateway(neighbor["neighborId"].as_str()?.parse().ok()?)?;
            let state = neighbor["state"].as_str()?.to_owned();
            Some((node, Adjacency { state, priority: neighbor["priority"].as_u64()?, changes: None }))
        };
        Ok(answer["neighbors"].as_array().into_iter().flatten().filter_map(read).collect())
    }

    /// The nodes whose adjacency is Full, of both versions.
    ///
    /// # Errors
    /// A daemon does not answer.
    pub fn full(&self) -> Result<(BTreeSet<NodeId>, BTreeSet<NodeId>)> {
        let full = |all: BTreeMap<NodeId, Adjacency>| {
            all.into_iter().filter(|(_, seen)| seen.state.starts_with("Full")).map(|(node, _)| node).collect()
        };
        Ok((full(self.adjacencies()?), full(self.adjacencies6()?)))
    }

    /// The whole cost of a prefix's route, and its kind in the daemon's word: `N E1`, `IA`.
    ///
    /// # Errors
    /// The daemon does not answer, or has no such route.
    pub fn ospf_cost(&self, prefix: &str) -> Result<(u64, String)> {
        if prefix.contains(':') {
            let answer = self.ask_json("ospf6d", &format!("show ipv6 ospf6 route {prefix} json"))?;
            let route = &answer["routes"][prefix];
            let read = || Some((route["metricCost"].as_u64()?, route["pathType"].as_str()?.to_owned()));
            return read().with_context(|| format!("no route {prefix} in {answer}"));
        }
        let answer = self.ask_json("ospfd", "show ip ospf route json")?;
        let route = &answer[prefix];
        let read = || Some((route["cost"].as_u64()?, route["routeType"].as_str()?.to_owned()));
        read().with_context(|| format!("no route {prefix} in {answer}"))
    }
}

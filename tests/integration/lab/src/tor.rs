//! The ToR: a real FRR that peers with every node, and what it says about them.

use crate::Vty;
use crate::ospf::Ospf;
use crate::topology::{NodeId, Topology};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Deref;
use std::str::FromStr;
use std::time::Duration;

/// BFD timers: `100x3` is three times 100 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bfd {
    pub interval_ms: u32,
    pub multiplier: u8,
}

impl FromStr for Bfd {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (interval, multiplier) = text.split_once('x')?;
            Some(Self { interval_ms: interval.parse().ok()?, multiplier: multiplier.parse().ok()? })
        };
        parse().ok_or_else(|| format!("{text:?} is no BFD timing; write INTERVALxMULTIPLIER in ms, as 100x3"))
    }
}

/// How the ToR peers with the nodes.
#[derive(Debug, Clone)]
pub struct TorOptions {
    pub as_number: u32,
    /// The nodes' AS; the ToR's own for iBGP.
    pub node_as: u32,
    /// `None`: the ToR speaks no BFD.
    pub bfd: Option<Bfd>,
    /// TCP MD5 (RFC 2385) per node.
    pub passwords: BTreeMap<NodeId, String>,
    /// `None`: neither the ToR nor the nodes run OSPF's daemons.
    pub ospf: Option<Ospf>,
}

impl Default for TorOptions {
    fn default() -> Self {
        let bfd = Some(Bfd { interval_ms: 300, multiplier: 3 });
        Self { as_number: 64500, node_as: 64501, bfd, passwords: BTreeMap::new(), ospf: None }
    }
}

/// What each daemon of the router at `address` starts from, pure.
pub fn configs(lab: &Topology, options: &TorOptions, address: Ipv4Addr) -> BTreeMap<&'static str, String> {
    // Without nexthop objects every route message carries its own next hops.
    let zebra = "no zebra nexthop kernel enable\n".to_owned();
    let bfdd = options.bfd.map_or_else(String::new, |Bfd { interval_ms, multiplier }| {
        format!(
            "bfd\n profile lab\n  detect-multiplier {multiplier}\n  receive-interval {interval_ms}\n  \
             transmit-interval {interval_ms}\n exit\nexit\n"
        )
    });
    let mut configs =
        BTreeMap::from([("zebra", zebra), ("bfdd", bfdd), ("bgpd", bgpd(lab, options, address))]);
    if let Some(ospf) = &options.ospf {
        let bfd = options.bfd.is_some();
        configs.extend([("ospfd", ospf.ospfd(address, bfd)), ("ospf6d", ospf.ospf6d(address, bfd))]);
    }
    configs
}

fn bgpd(lab: &Topology, options: &TorOptions, address: Ipv4Addr) -> String {
    let TorOptions { as_number, node_as, bfd, passwords, ospf: _ } = options;
    let mut lines = vec![
        format!("router bgp {as_number}"),
        format!("bgp router-id {address}"),
        "no bgp ebgp-requires-policy".into(),
        "no bgp default ipv4-unicast".into(),
        "bgp bestpath as-path multipath-relax".into(),
    ];
    for node in lab.nodes() {
        let peer = format!("neighbor {}", node.address4());
        lines.push(format!("{peer} remote-as {node_as}"));
        lines.push(format!("{peer} description {node}"));
        lines.push(format!("{peer} timers connect 1"));
        lines.push(format!("{peer} advertisement-interval 0"));
        lines.extend(passwords.get(&node).map(|password| format!("{peer} password {password}")));
        if bfd.is_some() {
            lines.extend([format!("{peer} bfd"), format!("{peer} bfd profile lab")]);
        }
    }
    for family in ["ipv4", "ipv6"] {
        lines.push(format!("address-family {family} unicast"));
        for node in lab.nodes() {
            let peer = format!("neighbor {}", node.address4());
            lines.extend([format!("{peer} activate"), format!("{peer} soft-reconfiguration inbound")]);
        }
        lines.extend(["maximum-paths 8", "maximum-paths ibgp 8", "exit-address-family"].map(str::to_owned));
    }
    lines.join("\n") + "\nexit\n"
}

/// Questions to a running ToR; by `Deref` its [`Vty`], for all other questions and for configuring it.
#[derive(Debug, Clone)]
pub struct Tor(Vty);

/// A session as the ToR sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    pub node: NodeId,
    /// `Established`, `Active`, …
    pub state: String,
    /// How long the session has been in that state.
    pub uptime_ms: u64,
    /// Prefixes that came in, both families together.
    pub prefixes: u64,
    /// Messages that came in since bgpd started.
    pub messages_received: u64,
    /// `None` where the ToR has no BFD session for it.
    pub bfd: Option<BfdSession>,
}

/// A BFD session as the ToR sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BfdSession {
    /// In bfdd's words: `up`, `down`, `init`, `shutdown`.
    pub state: String,
    /// After how long a silence the ToR takes the node for dead (RFC 5880, 6.8.4). Seconds until both sides
    /// have agreed on their timers, which is a moment after the session came up.
    pub detection: Duration,
}

impl Tor {
    pub fn of(lab: &Topology) -> Self {
        Self(Vty::new(&lab.netns("tor")))
    }

    /// The second router.
    pub fn second(lab: &Topology) -> Self {
        Self(Vty::new(&lab.netns("tor2")))
    }

    /// The sessions with the nodes, by node.
    ///
    /// # Errors
    /// bgpd or bfdd does not answer.
    pub fn neighbours(&self) -> Result<BTreeMap<NodeId, Neighbour>> {
        let peers = self.ask_json("bgpd", "show bgp neighbors json")?;
        let bfd = self.bfd_sessions()?;
        let peers = peers.as_object().context("the neighbours are an object")?;
        let known = peers.iter().filter_map(|(address, peer)| {
            let node = NodeId::by_gateway(address.parse().ok()?)?;
            Some((node, neighbour(node, peer, bfd.get(&node).cloned())))
        });
        Ok(known.collect())
    }

    /// The nodes whose sessions are established.
    ///
    /// # Errors
    /// As [`Self::neighbours`].
    pub fn established(&self) -> Result<BTreeSet<NodeId>> {
        let all = self.neighbours()?.into_values();
        Ok(all.filter(|neighbour| neighbour.state == "Established").map(|neighbour| neighbour.node).collect())
    }

    /// The communities of a prefix's path from each node that announces it, in FRR's spelling: `64501:100`.
    ///
    /// # Errors
    /// bgpd does not answer.
    pub fn communities(&self, prefix: &str) -> Result<BTreeMap<NodeId, Vec<String>>> {
        let paths = self.paths(prefix)?.into_iter().map(|(node, path)| {
            let text = path.pointer("/community/string").and_then(Value::as_str).unwrap_or_default();
            (node, text.split_whitespace().map(str::to_owned).collect())
        });
        Ok(paths.collect())
    }

    /// bgpd's own words about each node's path for a prefix: `med`, `locPrf`, `aspath`, `community`, …
    ///
    /// # Errors
    /// bgpd does not answer.
    pub fn paths(&self, prefix: &str) -> Result<BTreeMap<NodeId, Value>> {
        let family = if prefix.contains(':') { "ipv6" } else { "ipv4" };
        let entry = self.ask_json("bgpd", &format!("show bgp {family} unicast {prefix} json"))?;
        let paths = entry["paths"].as_array().cloned().unwrap_or_default().into_iter();
        let from = |path: &Value| path.pointer("/peer/peerId")?.as_str()?.parse::<IpAddr>().ok();
        Ok(paths.filter_map(|path| Some((NodeId::by_gateway(from(&path)?)?, path))).collect())
    }

    fn bfd_sessions(&self) -> Result<BTreeMap<NodeId, BfdSession>> {
        let peers = self.ask_json("bfdd", "show bfd peers json")?;
        let peers = peers.as_array().context("the BFD peers are a list")?;
        let known = peers.iter().filter_map(|peer| {
            let node = NodeId::by_gateway(peer["peer"].as_str()?.parse().ok()?)?;
            Some((node, bfd_session(peer)?))
        });
        Ok(known.collect())
    }
}

fn bfd_session(peer: &Value) -> Option<BfdSession> {
    let number = |name: &str| peer[name].as_u64();
    let interval = number("receive-interval")?.max(number("remote-transmit-interval")?);
    let detection = Duration::from_millis(number("remote-detect-multiplier")? * interval);
    Some(BfdSession { state: peer["status"].as_str()?.to_owned(), detection })
}

impl Deref for Tor {
    type Target = Vty;
    fn deref(&self) -> &Vty {
        &self.0
    }
}

fn neighbour(node: NodeId, peer: &Value, bfd: Option<BfdSession>) -> Neighbour {
    let family = |name: &str| peer["addressFamilyInfo"][name]["acceptedPrefixCounter"].as_u64().unwrap_or(0);
    Neighbour {
        node,
        state: peer["bgpState"].as_str().unwrap_or_default().to_owned(),
        uptime_ms: peer["bgpTimerUpMsec"].as_u64().unwrap_or(0),
        prefixes: family("ipv4Unicast") + family("ipv6Unicast"),
        messages_received: peer["messageStats"]["totalRecv"].as_u64().unwrap_or(0),
        bfd,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bfd_timing_reads_as_people_write_it() {
        assert_eq!("100x3".parse(), Ok(Bfd { interval_ms: 100, multiplier: 3 }));
        assert!("100".parse::<Bfd>().unwrap_err().contains("100x3"));
    }

    #[test]
    fn detection_follows_the_slower_side() {
        let peer = serde_json::json!({
            "status": "up", "receive-interval": 100, "transmit-interval": 50,
            "remote-transmit-interval": 300, "remote-receive-interval": 1000, "remote-detect-multiplier": 3
        });
        let expected = BfdSession { state: "up".into(), detection: Duration::from_millis(900) };
        assert_eq!(bfd_session(&peer), Some(expected));
    }

    #[test]
    fn options_reach_the_configuration() {
        let lab = Topology::new("x", 2).unwrap();
        let passwords = BTreeMap::from([(NodeId(2), "secret".to_owned())]);
        let options = TorOptions { node_as: 64500, bfd: None, passwords, ..TorOptions::default() };
        let bgpd = bgpd(&lab, &options, crate::topology::TOR4);
        assert!(bgpd.contains("neighbor 10.0.0.1 remote-as 64500\n"));
        assert!(bgpd.contains("neighbor 10.0.0.2 password secret\n"));
        assert!(!bgpd.contains("10.0.0.1 password") && !bgpd.contains("bfd"), "{bgpd}");
    }
}

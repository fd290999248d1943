//! Names and addresses of a lab, pure: who sits where, and who a next hop or a connection belongs to.
//!
//! ```text
//!  client .2 ── 192.168.77.0/24, fd77::/64 ── .1 tor .254, .253 ─┐ 10.0.0.0/24, fd00:10::/64
//!                                                               sw ── n1 .1
//!                                                                ├─── n2 .2
//!                                                                ├─── n3 .3
//!                                                                └─── control .200
//! ```
//!
//! With a second router, `tor2` on the same switch has .253, and nobody behind it.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// More nodes would need segment sizes (see [`NodeId::segment_size`]) below what TCP likes.
pub const MOST_NODES: u8 = 9;

pub const CLIENT4: Ipv4Addr = Ipv4Addr::new(192, 168, 77, 2);
pub const CLIENT6: Ipv6Addr = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 2);
pub const TOR_CLIENT4: Ipv4Addr = Ipv4Addr::new(192, 168, 77, 1);
pub const TOR_CLIENT6: Ipv6Addr = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 1);
/// The ToR towards the nodes: what they peer with, and their default gateway.
pub const TOR4: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 254);
/// A second address of the same router, or that of the second router.
pub const TOR4_SECOND: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 253);
/// Where a controller runs: on the nodes' segment, and no node.
pub const CONTROL4: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 200);
pub const CONTROL6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x10, 0, 0, 0, 0, 0, 0x200);
pub const TOR6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x10, 0, 0, 0, 0, 0, 0xfe);
/// The second router's.
pub const TOR6_SECOND: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x10, 0, 0, 0, 0, 0, 0xfd);

/// Node number k, from 1; prints as its name: `n1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u8);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("n{}", self.0))
    }
}

impl NodeId {
    /// From a name: `n1`.
    pub fn named(name: &str) -> Option<Self> {
        name.strip_prefix('n')?.parse().ok().filter(|k| (1..=MOST_NODES).contains(k)).map(Self)
    }

    pub fn address4(self) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, 0, self.0)
    }

    pub fn address6(self) -> Ipv6Addr {
        Ipv6Addr::new(0xfd00, 0x10, 0, 0, 0, 0, 0, self.0.into())
    }

    /// The node's MAC address; chosen, so that its link-local address is known too.
    pub fn mac(self) -> String {
        format!("02:00:00:00:00:{:02x}", self.0)
    }

    /// What the kernel derives from [`Self::mac`] (RFC 4291, appendix A: modified EUI-64).
    pub fn link_local(self) -> Ipv6Addr {
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0x00ff, 0xfe00, self.0.into())
    }

    /// The TCP segment size that the node tells everybody off its own segment (`advmss` of its default
    /// route). Each node has another one, so a client's socket knows which node accepted it, before a byte
    /// is answered and whatever backend answers later: see [`Self::by_segment_size`].
    pub fn segment_size(self) -> u32 {
        1400 - SIZE_STEP * u32::from(self.0)
    }

    /// The node that accepted a connection, from the socket's `TCP_MAXSEG`, which is the node's segment size
    /// less the 12 bytes of TCP timestamps, when they are on.
    pub fn by_segment_size(size: u32) -> Option<Self> {
        let number = u8::try_from(1400u32.checked_sub(size)? / SIZE_STEP).ok()?;
        let node = Some(Self(number)).filter(|node| (1..=MOST_NODES).contains(&node.0))?;
        [0, 12].contains(&(node.segment_size() - size)).then_some(node)
    }

    /// The node that owns a next hop of the ToR.
    pub fn by_gateway(gateway: IpAddr) -> Option<Self> {
        (1..=MOST_NODES).map(Self).find(|node| match gateway {
            IpAddr::V4(v4) => v4 == node.address4(),
            IpAddr::V6(v6) => v6 == node.address6() || v6 == node.link_local(),
        })
    }
}

const SIZE_STEP: u32 = 40;

/// A lab's name and size, from which every other name follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    name: String,
    nodes: u8,
    #[serde(default)]
    second_router: bool,
}

impl Topology {
    /// # Errors
    /// The name is not 1 to 24 of `a-z0-9-`, or there are no nodes or more than [`MOST_NODES`].
    pub fn new(name: &str, nodes: u8) -> Result<Self> {
        let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        ensure!(plain && (1..=24).contains(&name.len()), "a lab's name is 1 to 24 of a-z, 0-9, -: {name:?}");
        ensure!((1..=MOST_NODES).contains(&nodes), "a lab has 1 to {MOST_NODES} nodes, not {nodes}");
        Ok(Self { name: name.to_owned(), nodes, second_router: false })
    }

    /// With another router on the nodes' segment.
    #[must_use]
    pub fn with_second_router(self, second_router: bool) -> Self {
        Self { second_router, ..self }
    }

    pub fn has_second_router(&self) -> bool {
        self.second_router
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        (1..=self.nodes).map(NodeId)
    }

    /// The namespace of `client`, `tor`, `sw`, `control`, `n1`, …
    pub fn netns(&self, place: impl fmt::Display) -> String {
        format!("{}-{place}", self.name)
    }

    /// Every place of the lab, the switch first.
    pub fn places(&self) -> Vec<String> {
        let fixed = ["sw", "tor", "client", "control"].into_iter().map(str::to_owned);
        let second = self.second_router.then(|| "tor2".to_owned());
        fixed.chain(second).chain(self.nodes().map(|node| node.to_string())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_is_known_by_its_next_hops_and_its_segment_size() {
        for node in (1..=MOST_NODES).map(NodeId) {
            assert_eq!(NodeId::by_gateway(node.address4().into()), Some(node));
            assert_eq!(NodeId::by_gateway(node.address6().into()), Some(node));
            assert_eq!(NodeId::by_gateway(node.link_local().into()), Some(node));
            assert_eq!(NodeId::by_segment_size(node.segment_size()), Some(node));
            assert_eq!(NodeId::by_segment_size(node.segment_size() - 12), Some(node), "TCP timestamps");
            assert_eq!(NodeId::named(&node.to_string()), Some(node));
        }
    }

    #[test]
    fn strangers_are_nobody() {
        for size in [0, 536, 1000, 1400, 1388, 1448, 1460, 65483] {
            assert_eq!(NodeId::by_segment_size(size), None, "{size}");
        }
        assert_eq!(NodeId::by_gateway(TOR4.into()), None);
        assert_eq!(NodeId::named("n0"), None);
        assert_eq!(NodeId::named("tor"), None);
    }

    #[test]
    fn names_that_could_hurt_are_refused() {
        for name in ["", "a/b", "../x", "Lab", "a b", "a234567890123456789012345"] {
            assert!(Topology::new(name, 3).is_err(), "{name:?}");
        }
        assert!(Topology::new("demo", 0).is_err());
        assert!(Topology::new("demo", 10).is_err());
    }

    #[test]
    fn names_follow_from_the_labs_own() {
        let lab = Topology::new("demo", 2).unwrap();
        assert_eq!(lab.places(), ["sw", "tor", "client", "control", "n1", "n2"]);
        assert_eq!(lab.netns(NodeId(2)), "demo-n2");
        assert!(lab.with_second_router(true).places().contains(&"tor2".to_owned()));
    }
}

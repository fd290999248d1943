//! The lab's cables as text for `ip -batch`, pure, and the variables of each namespace.

use crate::topology::{
    CLIENT4, CLIENT6, CONTROL4, CONTROL6, NodeId, TOR_CLIENT4, TOR_CLIENT6, TOR4, TOR4_SECOND, TOR6,
    TOR6_SECOND, Topology,
};
use std::fmt::Write;

/// The switch: a bridge with one port per neighbour, named after it.
pub fn switch(lab: &Topology) -> String {
    let mut text = "link add br0 type bridge stp_state 0 mcast_snooping 0\nlink set br0 up\n".to_owned();
    let mut port = |name: &str, far: &str, mac: &str| {
        let netns = lab.netns(name);
        // Writing to a String does not fail.
        let _ = writeln!(text, "link add {name} type veth peer name {far} address {mac} netns {netns}");
        let _ = writeln!(text, "link set {name} master br0 up");
    };
    port("tor", "nodes", "02:00:00:00:00:fe");
    if lab.has_second_router() {
        port("tor2", "nodes", "02:00:00:00:00:fd");
    }
    port("control", "eth0", "02:00:00:00:00:c8");
    for node in lab.nodes() {
        port(&node.to_string(), "eth0", &node.mac());
    }
    text
}

/// The ToR: `nodes` towards the switch, `client` towards the client. After [`switch`].
pub fn tor(lab: &Topology) -> String {
    let second = match lab.has_second_router() {
        true => String::new(),
        false => format!("addr add {TOR4_SECOND}/24 dev nodes\n"),
    };
    format!(
        "link add client type veth peer name eth0 netns {}\n\
         addr add {TOR_CLIENT4}/24 dev client\naddr add {TOR_CLIENT6}/64 dev client nodad\n\
         addr add {TOR4}/24 dev nodes\n{second}addr add {TOR6}/64 dev nodes nodad\n\
         link set client up\nlink set nodes up\n",
        lab.netns("client")
    )
}

/// The second router, on the nodes' segment alone. After [`switch`].
pub fn second_tor() -> String {
    format!(
        "addr add {TOR4_SECOND}/24 dev nodes\naddr add {TOR6_SECOND}/64 dev nodes nodad\nlink set nodes up\n\
         link set lo up\n"
    )
}

/// The client: everything goes through the ToR. After [`tor`].
pub fn client() -> String {
    format!(
        "addr add {CLIENT4}/24 dev eth0\naddr add {CLIENT6}/64 dev eth0 nodad\nlink set eth0 up\n\
         route add default via {TOR_CLIENT4}\nroute add default via {TOR_CLIENT6}\n"
    )
}

/// The controller's host: nothing but the nodes' segment. After [`switch`].
pub fn control() -> String {
    format!(
        "addr add {CONTROL4}/24 dev eth0\naddr add {CONTROL6}/64 dev eth0 nodad\nlink set eth0 up\nlink set lo up\n"
    )
}

/// A node: its own segment, everything else through the ToR, with the segment size that is its signature
/// ([`NodeId::segment_size`]). After [`switch`].
pub fn node(node: NodeId) -> String {
    let (v4, v6, size) = (node.address4(), node.address6(), node.segment_size());
    format!(
        "addr add {v4}/24 dev eth0\naddr add {v6}/64 dev eth0 nodad\nlink set eth0 up\n\
         route add default via {TOR4} advmss {size}\nroute add default via {TOR6} advmss {size}\n"
    )
}

/// Addresses work at once, and asymmetric paths are nobody's business.
pub const EVERYWHERE: &[(&str, &str)] = &[
    ("ipv6.conf.all.accept_dad", "0"),
    ("ipv6.conf.default.accept_dad", "0"),
    ("ipv6.conf.default.accept_ra", "0"),
    ("ipv4.conf.all.rp_filter", "0"),
    ("ipv4.conf.default.rp_filter", "0"),
];

/// A router that spreads flows by addresses and ports.
pub const TOR: &[(&str, &str)] = &[
    ("ipv4.ip_forward", "1"),
    ("ipv6.conf.all.forwarding", "1"),
    ("ipv4.fib_multipath_hash_policy", "1"),
    ("ipv6.fib_multipath_hash_policy", "1"),
    ("ipv4.conf.all.send_redirects", "0"),
    ("ipv4.conf.default.send_redirects", "0"),
];

/// Ports enough for minutes of new connections at thousands a second, and pings without a raw socket.
pub const CLIENT: &[(&str, &str)] = &[
    ("ipv4.ip_local_port_range", "1024 65535"),
    ("ipv4.tcp_tw_reuse", "1"),
    ("ipv4.ping_group_range", "0 2147483647"),
];

/// A node answers for an address on the interface that has it.
pub const NODE: &[(&str, &str)] = &[("ipv4.conf.all.arp_ignore", "1")];

#[cfg(test)]
mod tests {
    use crate::topology::{NodeId, Topology};

    #[test]
    fn the_switch_has_a_port_for_everybody() {
        let text = super::switch(&Topology::new("x", 2).unwrap());
        let line = "link add n2 type veth peer name eth0 address 02:00:00:00:00:02 netns x-n2";
        assert!(text.lines().any(|found| found == line), "{text}");
        assert_eq!(text.matches("master br0 up").count(), 4);
    }

    #[test]
    fn a_nodes_default_routes_carry_its_signature() {
        let text = super::node(NodeId(3));
        assert_eq!(text.matches("advmss 1280").count(), 2, "{text}");
    }
}

//! Bad VIPs: what is said about which field, and in which words.

use super::*;

const VIP: &[Row] = &[
    ("10.200.0.20/32", "10.200.0.0/24", "spec.address", Reason::InvalidValue, "write 10.200.0.0/32"),
    ("10.200.0.20/32", "localhost", "spec.address", Reason::InvalidValue, "is not an IP address"),
    ("10.200.0.20/32", "127.0.0.1", "spec.address", Reason::InvalidValue, "not a unicast"),
    ("  address: 10.200.0.20/32\n", "", "spec.address", Reason::Missing, "write one like 10.200.0.20/32"),
    (
        "  address: 10.200.0.20/32\n",
        "  poolRef: {name: p}\n",
        "spec.poolRef",
        Reason::NotSupported,
        "run novaedge-controller",
    ),
    (
        "20/32",
        "20/32\n  ipv6Address: 10.0.0.9",
        "spec.ipv6Address",
        Reason::InvalidValue,
        "write it as address",
    ),
    (
        "20/32",
        "20/32\n  addressFamily: dual",
        "spec.ipv6Address",
        Reason::Missing,
        "dual needs an IPv6 address",
    ),
    (
        "20/32",
        "20/32\n  addressFamily: ipv6",
        "spec.addressFamily",
        Reason::InvalidValue,
        "ipv6 takes no IPv4",
    ),
    ("mode: BGP", "mode: L2ARP", "spec.mode", Reason::NotSupported, "L2ARP is not supported yet"),
    ("mode: BGP", "mode: OSPF", "spec.ospfConfig", Reason::Missing, "mode OSPF needs ospfConfig"),
    ("mode: BGP", "mode: OSPF", "spec.bgpConfig", Reason::InvalidValue, "belongs to mode BGP"),
    ("  mode: BGP\n", "", "spec.mode", Reason::Missing, "mode is required"),
    (
        "mode: BGP",
        "mode: BGP\n  interface: eth0",
        "spec.interface",
        Reason::InvalidValue,
        "belongs to mode L2ARP",
    ),
    ("mode: BGP", "mode: BGP\n  l2: {}", "spec.l2", Reason::InvalidValue, "belongs to mode L2ARP"),
    (
        "mode: BGP",
        "mode: BGP\n  ospfConfig: {areaID: 0}",
        "spec.ospfConfig",
        Reason::InvalidValue,
        "mode OSPF",
    ),
    (
        "mode: BGP",
        "mode: BGP\n  templateRef: {name: x}",
        "spec.templateRef.name",
        Reason::RefNotFound,
        "create it",
    ),
    ("[80, 443]", "[]", "spec.ports", Reason::Missing, "write the ports"),
    ("[80, 443]", "[80, 0]", "spec.ports[1]", Reason::InvalidValue, "1 to 65535"),
    ("[80, 443]", "[80, 80]", "spec.ports[1]", Reason::InvalidValue, "in the list twice"),
    (
        "mode: BGP",
        "mode: BGP\n  nodeSelector: {matchExpressions: [{key: a, operator: Like, values: [b]}]}",
        "spec.nodeSelector.matchExpressions[0]",
        Reason::InvalidValue,
        "write In, NotIn, Exists or DoesNotExist",
    ),
    (
        "mode: BGP",
        "mode: BGP\n  healthPolicy: {minHealthyNodes: 0}",
        "spec.healthPolicy.minHealthyNodes",
        Reason::InvalidValue,
        "1 or more",
    ),
];

const BGP: &[Row] = &[
    ("localAS: 64501", "localAS: 0", "spec.bgpConfig.localAS", Reason::InvalidValue, "1 to 4294967295"),
    ("localAS: 64501, ", "", "spec.bgpConfig.localAS", Reason::InvalidValue, "exactly one of"),
    (
        "localAS:",
        "localASBase: 1, localAS:",
        "spec.bgpConfig.localAS",
        Reason::InvalidValue,
        "exactly one of",
    ),
    (
        "localAS:",
        "routerID: x, localAS:",
        "spec.bgpConfig.routerID",
        Reason::InvalidValue,
        "write an IPv4 address",
    ),
    (
        "localAS:",
        "asPathPrepend: 11, localAS:",
        "spec.bgpConfig.asPathPrepend",
        Reason::InvalidValue,
        "0 to 10",
    ),
    (
        "localAS:",
        "communities: ['1:2', 'no export'], localAS:",
        "spec.bgpConfig.communities[1]",
        Reason::InvalidValue,
        "write A:B",
    ),
    (
        "localAS:",
        "gracefulRestart: {restartTime: 5000}, localAS:",
        "spec.bgpConfig.gracefulRestart.restartTime",
        Reason::InvalidValue,
        "at most 4095s",
    ),
    (
        "localAS: 64501, peers: [{address: 10.0.0.254, as: 64500}]",
        "localAS: 64501, routerID: 10.0.0.1",
        "spec.bgpConfig.routerID",
        Reason::InvalidValue,
        "the operator has set up",
    ),
    (
        "localAS: 64501, peers: [{address: 10.0.0.254, as: 64500}]",
        "localAS: 64501, gracefulRestart: {enabled: true}",
        "spec.bgpConfig.gracefulRestart",
        Reason::InvalidValue,
        "the operator has set up",
    ),
    (
        "peers: [{address: 10.0.0.254, as: 64500}]}",
        "peers: []}\n  bfd: {enabled: true}",
        "spec.bfd",
        Reason::InvalidValue,
        "the sessions are the operator's",
    ),
    (
        "mode: BGP",
        "mode: BGP\n  bfd: {detectMultiplier: 0}",
        "spec.bfd.detectMultiplier",
        Reason::InvalidValue,
        "1 to 255",
    ),
    (
        "mode: BGP",
        "mode: BGP\n  bfd: {desiredMinTxInterval: 5ms}",
        "spec.bfd.desiredMinTxInterval",
        Reason::InvalidValue,
        "10ms to 60s",
    ),
    (
        "mode: BGP",
        "mode: BGP\n  bfd: {echoMode: true, multihop: true}",
        "spec.bfd.echoMode",
        Reason::InvalidValue,
        "single hop only",
    ),
];

/// These leave the VIP in place and the session out.
const PEER: &[Row] = &[
    ("10.0.0.254", "tor.example", "address", Reason::InvalidValue, "is not an IP address"),
    ("10.0.0.254", "224.0.0.1", "address", Reason::InvalidValue, "no unicast"),
    ("10.0.0.254", "'fe80::1'", "address", Reason::InvalidValue, "link-local"),
    ("as: 64500", "as: 0", "as", Reason::InvalidValue, "1 to 4294967295"),
    ("as: 64500", "as: 64500, port: 0", "port", Reason::InvalidValue, "BGP's is 179"),
    ("as: 64500", "as: 64500, holdTime: 2", "holdTime", Reason::InvalidValue, "0 or 3s"),
    ("as: 64500", "as: 64500, holdTime: 70000", "holdTime", Reason::InvalidValue, "65535s"),
    ("as: 64500", "as: 64500, keepaliveTime: 4", "keepaliveTime", Reason::InvalidValue, "a third"),
    ("as: 64500", "as: 64500, keepaliveTime: 0", "keepaliveTime", Reason::InvalidValue, "1s to 3s"),
    ("as: 64500", "as: 64500, ebgpMultihop: 0", "ebgpMultihop", Reason::InvalidValue, "1 to 254"),
    ("as: 64500", "as: 64501, ebgpMultihop: 2", "ebgpMultihop", Reason::InvalidValue, "remove ebgpMultihop"),
    (
        "as: 64500",
        "as: 64500, ebgpMultihop: 2, ttlSecurity: 1",
        "ttlSecurity",
        Reason::InvalidValue,
        "keep one",
    ),
    (
        "as: 64500",
        "as: 64500, sourceAddress: x",
        "sourceAddress",
        Reason::InvalidValue,
        "one of the node's own",
    ),
    (
        "as: 64500",
        "as: 64500, sourceAddress: '2001:db8::1'",
        "sourceAddress",
        Reason::InvalidValue,
        "same family",
    ),
    (
        "as: 64500",
        "as: 64500, passwordSecretRef: {name: x}",
        "passwordSecretRef",
        Reason::RefNotFound,
        "create it",
    ),
];

#[test]
fn a_vip_that_cannot_be_used_is_refused_as_a_whole() {
    for row in VIP.iter().chain(BGP) {
        let compiled = check("ProxyVIP", *row, "");
        assert!(compiled.snapshot.vips.is_empty(), "{row:?}");
    }
}

#[test]
fn a_peer_that_cannot_be_used_is_left_out() {
    for row in PEER {
        let compiled = check("ProxyVIP", *row, "spec.bgpConfig.peers[0].");
        assert!(compiled.snapshot.vips.contains_key(&name("web")), "{row:?}");
        assert!(compiled.snapshot.speaker.unwrap().peers.is_empty(), "{row:?}");
    }
}

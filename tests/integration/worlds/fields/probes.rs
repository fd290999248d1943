//! How each field is written, and how it shows.

use super::shown::{
    agreed_on_restarting, at_its_cost, by_its_router_id, echoes, only_its_own_peer, restarts_gracefully,
    watched, watched_from_afar,
};
use crate::worlds::estate::Estate;
use novaedge::model::capability::Field;
use serde_json::{Value, json};

/// How a field shows.
pub struct Probe {
    /// Lines for the ToR's daemon, and those that take them back.
    pub tor: (&'static str, Vec<String>, Vec<String>),
    /// Documents of the manifest: the VIP, and what it needs beside it.
    pub manifest: String,
    pub shows: Shows,
}

pub enum Shows {
    /// In the ToR's path for the VIP, by JSON pointer.
    Path(&'static str, Value),
    /// In what the ToR says of its neighbour with this address; the VIP's route is there too, from there.
    Neighbor(&'static str, fn(&Value) -> bool),
    /// By what is asked of the world.
    World(fn(&Estate) -> Result<(), String>),
}

impl Probe {
    fn new(manifest: String, shows: Shows) -> Self {
        Self { tor: ("bgpd", Vec::new(), Vec::new()), manifest, shows }
    }

    /// With these lines in the ToR's `router bgp`.
    fn of_bgpd(self, lines: &[&str], undo: &[&str]) -> Self {
        let inside = |lines: &[&str]| -> Vec<String> {
            ["router bgp 64500"].iter().chain(lines).map(|line| (*line).to_owned()).collect()
        };
        Self { tor: ("bgpd", inside(lines), inside(undo)), ..self }
    }

    /// With these lines on the ToR's OSPF interface.
    fn of_ospfd(self, lines: &[&str], undo: &[&str]) -> Self {
        let inside = |lines: &[&str]| -> Vec<String> {
            ["interface nodes"].iter().chain(lines).map(|line| (*line).to_owned()).collect()
        };
        Self { tor: ("ospfd", inside(lines), inside(undo)), ..self }
    }
}

const PEER: &str = "{address: 10.0.0.254, as: 64500}";

fn vip(rest: &str) -> String {
    format!(
        "apiVersion: novaedge.io/v1alpha1\nkind: ProxyVIP\nmetadata: {{name: field}}\nspec:\n  address: 10.200.0.40\n  \
         ports: [80]\n  drain: {{period: 0s}}\n{rest}"
    )
}

/// With `config` in `bgpConfig` and one more field in the ToR as a peer.
pub fn bgp(config: &str, peer: &str) -> String {
    let peer = PEER.replace('}', &format!("{peer}}}"));
    vip(&format!("  mode: BGP\n  bgpConfig: {{localAS: 64501, {config} peers: [{peer}]}}\n"))
}

fn ospf(config: &str) -> String {
    vip(&format!("  mode: OSPF\n  ospfConfig: {{areaID: 0, helloInterval: 1, deadInterval: 4, {config}}}\n"))
}

fn with_bfd(manifest: String, more: &str) -> String {
    let timers = "detectMultiplier: 3, desiredMinTxInterval: 100ms, requiredMinRxInterval: 100ms";
    manifest + &format!("  bfd: {{enabled: true, {timers}{more}}}\n")
}

const SECRET: &str = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: key, namespace: default}\n\
                      stringData: {password: s3cret}\n";
const KEY: &str = "{name: key, namespace: default}";

/// A session over a router's other side, which is one hop further.
const FAR: &str = "{address: 192.168.77.1, as: 64500, ebgpMultihop: 2, sourceAddress: 10.0.0.1}";
const TO_FAR: [&str; 2] =
    ["neighbor 10.0.0.1 ebgp-multihop 2", "neighbor 10.0.0.1 update-source 192.168.77.1"];
const NOT_TO_FAR: [&str; 2] = ["no neighbor 10.0.0.1 ebgp-multihop", "no neighbor 10.0.0.1 update-source"];

fn far(config: &str) -> String {
    vip(&format!("  mode: BGP\n  bgpConfig: {{localAS: 64501, peers: [{FAR}]}}\n{config}"))
}

pub fn probe(field: Field) -> Probe {
    use Shows::World;
    match field {
        Field::Bgp => path("", "/valid", json!(true)),
        Field::LocalAs => path("", "/aspath/string", json!("64501")),
        Field::RouterId => neighbor(bgp("routerID: 10.9.9.9,", ""), |it| it["remoteRouterId"] == "10.9.9.9"),
        Field::AttachMode => attached(),
        Field::PeerAs => neighbor(bgp("", ""), |it| it["localAs"] == 64500 && it["remoteAs"] == 64501),
        Field::PeerPort => peer_port(),
        Field::PeerPassword => peer_password(),
        Field::PeerTimers => neighbor(bgp("", ", holdTime: 30s, keepaliveTime: 10s"), |it| {
            it["bgpTimerHoldTimeMsecs"] == 30_000
        }),
        Field::PeerMultihop => neighbor(far(""), |_| true).of_bgpd(&TO_FAR, &NOT_TO_FAR),
        Field::PeerTtlSecurity => neighbor(bgp("", ", ttlSecurity: 1"), |_| true).of_bgpd(
            &["neighbor 10.0.0.1 ttl-security hops 1"],
            &["no neighbor 10.0.0.1 ttl-security hops 1"],
        ),
        Field::PeerSource => peer_source(),
        Field::PeerNodeSelector => peer_node_selector(),
        Field::Communities => path(
            "communities: [\"64501:100\", no-export, \"64501:1:2\"],",
            "/community/string",
            json!("64501:100 no-export"),
        ),
        Field::LocalPreference => local_preference(),
        Field::Med => path("med: 50,", "/metric", json!(50)),
        Field::AsPathPrepend => path("asPathPrepend: 2,", "/aspath/string", json!("64501 64501 64501")),
        Field::GracefulRestart => Probe::new(
            bgp("gracefulRestart: {enabled: true, restartTime: 60s},", ""),
            World(agreed_on_restarting),
        ),
        Field::Ospf | Field::OspfArea | Field::OspfCost | Field::OspfTimers => {
            Probe::new(ospf("cost: 25"), World(at_its_cost))
        }
        Field::OspfRouterId => Probe::new(ospf("routerID: 10.8.8.8"), World(by_its_router_id)),
        Field::OspfInterfaces => Probe::new(ospf("cost: 25, interfaces: [eth0]"), World(at_its_cost)),
        Field::OspfSimple => ospf_key("simple", "", "ip ospf authentication-key"),
        Field::OspfMd5 => ospf_key("md5", " message-digest", "ip ospf message-digest-key 1 md5"),
        // It shows on the wire when the daemon restarts; until then in the daemon's own words.
        Field::OspfGracefulRestart => {
            Probe::new(ospf("cost: 25, gracefulRestart: true"), World(restarts_gracefully))
        }
        Field::Bfd => Probe::new(with_bfd(bgp("", ""), ""), World(watched)),
        Field::BfdEcho => Probe::new(with_bfd(bgp("", ""), ", echoMode: true"), World(echoes)),
        Field::BfdMultihop => bfd_multihop(),
    }
}

fn path(config: &str, pointer: &'static str, value: Value) -> Probe {
    Probe::new(bgp(config, ""), Shows::Path(pointer, value))
}

fn neighbor(manifest: String, right: fn(&Value) -> bool) -> Probe {
    Probe::new(manifest, Shows::Neighbor("10.0.0.1", right))
}

/// The operator's session is made before; see `every_field`.
fn attached() -> Probe {
    let manifest = vip("  mode: BGP\n  bgpConfig: {localAS: 64501}\n");
    Probe::new(manifest, Shows::Path("/aspath/string", json!("64501")))
}

/// The ToR does not come by itself.
fn peer_port() -> Probe {
    neighbor(bgp("", ", port: 1179"), |_| true)
        .of_bgpd(&["neighbor 10.0.0.1 passive"], &["no neighbor 10.0.0.1 passive"])
}

fn peer_password() -> Probe {
    neighbor(bgp("", &format!(", passwordSecretRef: {KEY}")) + SECRET, |_| true)
        .of_bgpd(&["neighbor 10.0.0.1 password s3cret"], &["no neighbor 10.0.0.1 password"])
}

fn peer_source() -> Probe {
    let shows = Shows::Neighbor("10.0.0.101", |_| true);
    Probe::new(bgp("", ", sourceAddress: 10.0.0.101"), shows).of_bgpd(
        &[
            "neighbor 10.0.0.1 shutdown",
            "neighbor 10.0.0.101 remote-as 64501",
            "address-family ipv4 unicast",
            "neighbor 10.0.0.101 activate",
            "exit-address-family",
        ],
        &["no neighbor 10.0.0.101", "no neighbor 10.0.0.1 shutdown"],
    )
}

fn peer_node_selector() -> Probe {
    let peer = |address: &str, rack: &str| {
        format!("{{address: {address}, as: 64500, nodeSelector: {{matchLabels: {{rack: {rack}}}}}}}")
    };
    let peers = [peer("10.0.0.254", "a"), peer("10.0.0.253", "b")].join(", ");
    let manifest = vip(&format!("  mode: BGP\n  bgpConfig: {{localAS: 64501, peers: [{peers}]}}\n"));
    Probe::new(manifest, Shows::World(only_its_own_peer))
}

fn local_preference() -> Probe {
    let config = format!("{{localAS: 64500, localPreference: 150, peers: [{PEER}]}}");
    let manifest = vip(&format!("  mode: BGP\n  bgpConfig: {config}\n"));
    Probe::new(manifest, Shows::Path("/locPrf", json!(150)))
        .of_bgpd(&["neighbor 10.0.0.1 remote-as 64500"], &["neighbor 10.0.0.1 remote-as 64501"])
}

fn ospf_key(kind: &str, mode: &str, key: &str) -> Probe {
    let manifest = ospf(&format!("cost: 25, authType: {kind}, authKeySecretRef: {KEY}")) + SECRET;
    Probe::new(manifest, Shows::World(at_its_cost)).of_ospfd(
        &[&format!("ip ospf authentication{mode}"), &format!("{key} s3cret")],
        &["no ip ospf authentication", &format!("no {}", key.trim_end_matches(" md5"))],
    )
}

fn bfd_multihop() -> Probe {
    let again = ["no neighbor 10.0.0.1 bfd", "neighbor 10.0.0.1 bfd"];
    Probe::new(with_bfd(far(""), ", multihop: true"), Shows::World(watched_from_afar))
        .of_bgpd(&[&TO_FAR[..], &again].concat(), &NOT_TO_FAR)
}

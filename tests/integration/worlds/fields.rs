//! Every setting of the capability matrix, written in a manifest for a node of each daemon: it shows at the ToR, or
//! the VIP is withheld with words that name it. A field without a [`Probe`] does not build.

use super::estate::{Estate, nodes};
use crate::battery::bird::OfBird;
use crate::battery::fixture::Fixture;
use crate::battery::frr::OfFrr;
use crate::battery::gobgp::OfGobgp;
use novaedge::model::capability::{Daemon, Field, Support, support};
use novaedge_lab::ospf::Ospf;
use novaedge_lab::{Lab, NodeId, Routing, eventually};
use serde_json::{Value, json};
use std::time::Duration;

const VIP: &str = "10.200.0.40/32";
/// GoBGP connects again after five seconds, and waits for five more where a session was ended.
const SOON: Duration = Duration::from_secs(30);

/// How a field shows.
struct Probe {
    /// Lines for the ToR's daemon, and those that take them back.
    tor: (&'static str, Vec<String>, Vec<String>),
    /// Documents of the manifest: the VIP, and what it needs beside it.
    manifest: String,
    shows: Shows,
}

enum Shows {
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
fn bgp(config: &str, peer: &str) -> String {
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

fn probe(field: Field) -> Probe {
    use Shows::{Neighbor, Path, World};
    let up = |_: &Value| true;
    match field {
        Field::Bgp => Probe::new(bgp("", ""), Path("/valid", json!(true))),
        Field::LocalAs => Probe::new(bgp("", ""), Path("/aspath/string", json!("64501"))),
        Field::RouterId => Probe::new(
            bgp("routerID: 10.9.9.9,", ""),
            Neighbor("10.0.0.1", |session| session["remoteRouterId"] == "10.9.9.9"),
        ),
        // The operator's session is made before; see `every_field`.
        Field::AttachMode => Probe::new(
            vip("  mode: BGP\n  bgpConfig: {localAS: 64501}\n"),
            Path("/aspath/string", json!("64501")),
        ),
        Field::PeerAs => Probe::new(
            bgp("", ""),
            Neighbor("10.0.0.1", |session| session["localAs"] == 64500 && session["remoteAs"] == 64501),
        ),
        // Nobody listens on port 179, and the ToR does not come by itself.
        Field::PeerPort => Probe::new(bgp("", ", port: 1179"), Neighbor("10.0.0.1", up))
            .of_bgpd(&["neighbor 10.0.0.1 passive"], &["no neighbor 10.0.0.1 passive"]),
        Field::PeerPassword => {
            Probe::new(bgp("", &format!(", passwordSecretRef: {KEY}")) + SECRET, Neighbor("10.0.0.1", up))
                .of_bgpd(&["neighbor 10.0.0.1 password s3cret"], &["no neighbor 10.0.0.1 password"])
        }
        Field::PeerTimers => Probe::new(
            bgp("", ", holdTime: 30s, keepaliveTime: 10s"),
            Neighbor("10.0.0.1", |session| session["bgpTimerHoldTimeMsecs"] == 30_000),
        ),
        Field::PeerMultihop => Probe::new(far(""), Neighbor("10.0.0.1", up)).of_bgpd(&TO_FAR, &NOT_TO_FAR),
        Field::PeerTtlSecurity => Probe::new(bgp("", ", ttlSecurity: 1"), Neighbor("10.0.0.1", up)).of_bgpd(
            &["neighbor 10.0.0.1 ttl-security hops 1"],
            &["no neighbor 10.0.0.1 ttl-security hops 1"],
        ),
        Field::PeerSource => Probe::new(bgp("", ", sourceAddress: 10.0.0.101"), Neighbor("10.0.0.101", up))
            .of_bgpd(
                &[
                    "neighbor 10.0.0.1 shutdown",
                    "neighbor 10.0.0.101 remote-as 64501",
                    "address-family ipv4 unicast",
                    "neighbor 10.0.0.101 activate",
                    "exit-address-family",
                ],
                &["no neighbor 10.0.0.101", "no neighbor 10.0.0.1 shutdown"],
            ),
        Field::PeerNodeSelector => {
            let (here, there) = ("{matchLabels: {rack: a}}", "{matchLabels: {rack: b}}");
            let peers = format!(
                "{{address: 10.0.0.254, as: 64500, nodeSelector: {here}}}, {{address: 10.0.0.253, as: 64500, nodeSelector: {there}}}"
            );
            let manifest = vip(&format!("  mode: BGP\n  bgpConfig: {{localAS: 64501, peers: [{peers}]}}\n"));
            Probe::new(manifest, World(only_its_own_peer))
        }
        Field::Communities => Probe::new(
            bgp("communities: [\"64501:100\", no-export, \"64501:1:2\"],", ""),
            Path("/community/string", json!("64501:100 no-export")),
        ),
        Field::LocalPreference => {
            let peer = "{address: 10.0.0.254, as: 64500}";
            let config = format!("{{localAS: 64500, localPreference: 150, peers: [{peer}]}}");
            Probe::new(vip(&format!("  mode: BGP\n  bgpConfig: {config}\n")), Path("/locPrf", json!(150)))
                .of_bgpd(&["neighbor 10.0.0.1 remote-as 64500"], &["neighbor 10.0.0.1 remote-as 64501"])
        }
        Field::Med => Probe::new(bgp("med: 50,", ""), Path("/metric", json!(50))),
        Field::AsPathPrepend => {
            Probe::new(bgp("asPathPrepend: 2,", ""), Path("/aspath/string", json!("64501 64501 64501")))
        }
        Field::GracefulRestart => Probe::new(
            bgp("gracefulRestart: {enabled: true, restartTime: 60s},", ""),
            World(agreed_on_restarting),
        ),
        Field::Ospf | Field::OspfArea | Field::OspfCost | Field::OspfTimers => {
            Probe::new(ospf("cost: 25"), World(at_its_cost))
        }
        Field::OspfRouterId => Probe::new(ospf("routerID: 10.8.8.8"), World(by_its_router_id)),
        Field::OspfInterfaces => Probe::new(ospf("cost: 25, interfaces: [eth0]"), World(at_its_cost)),
        Field::OspfSimple => Probe::new(
            ospf(&format!("cost: 25, authType: simple, authKeySecretRef: {KEY}")) + SECRET,
            World(at_its_cost),
        )
        .of_ospfd(
            &["ip ospf authentication", "ip ospf authentication-key s3cret"],
            &["no ip ospf authentication", "no ip ospf authentication-key"],
        ),
        Field::OspfMd5 => Probe::new(
            ospf(&format!("cost: 25, authType: md5, authKeySecretRef: {KEY}")) + SECRET,
            World(at_its_cost),
        )
        .of_ospfd(
            &["ip ospf authentication message-digest", "ip ospf message-digest-key 1 md5 s3cret"],
            &["no ip ospf authentication", "no ip ospf message-digest-key 1"],
        ),
        // It shows on the wire when the daemon restarts; until then in the daemon's own words.
        Field::OspfGracefulRestart => {
            Probe::new(ospf("cost: 25, gracefulRestart: true"), World(restarts_gracefully))
        }
        Field::Bfd => Probe::new(with_bfd(bgp("", ""), ""), World(watched)),
        Field::BfdEcho => Probe::new(with_bfd(bgp("", ""), ", echoMode: true"), World(echoes)),
        Field::BfdMultihop => Probe::new(with_bfd(far(""), ", multihop: true"), World(watched_from_afar))
            .of_bgpd(
                &[&TO_FAR[..], &["no neighbor 10.0.0.1 bfd", "neighbor 10.0.0.1 bfd"]].concat(),
                &NOT_TO_FAR,
            ),
    }
}

fn told(error: anyhow::Error) -> String {
    format!("{error:#}")
}

fn only_its_own_peer(estate: &Estate) -> Result<(), String> {
    session(estate, "10.0.0.1", |_| true)?;
    let status = estate.status(1)?;
    let peers: Vec<&String> =
        status["routing"]["peers"].as_object().into_iter().flatten().map(|(peer, _)| peer).collect();
    if peers == ["10.0.0.254"] { Ok(()) } else { Err(format!("{peers:?}")) }
}

/// FRR tells its peers with the next session.
fn agreed_on_restarting(estate: &Estate) -> Result<(), String> {
    let shown = |session: &Value| session.to_string().contains("\"receivedRestartTimer\":60");
    session(estate, "10.0.0.1", |_| true)?;
    let outcome = session(estate, "10.0.0.1", shown);
    if outcome.is_err() {
        estate.lab.tor().ask("bgpd", "clear bgp 10.0.0.1").map_err(told)?;
    }
    outcome
}

fn at_its_cost(estate: &Estate) -> Result<(), String> {
    let (cost, kind) = estate.lab.tor().ospf_cost(VIP).map_err(told)?;
    if cost == 35 { Ok(()) } else { Err(format!("{cost} {kind}")) }
}

fn by_its_router_id(estate: &Estate) -> Result<(), String> {
    let neighbors = estate.lab.tor().ask_json("ospfd", "show ip ospf neighbor json").map_err(told)?;
    if neighbors.to_string().contains("\"10.8.8.8\"") { Ok(()) } else { Err(neighbors.to_string()) }
}

fn restarts_gracefully(estate: &Estate) -> Result<(), String> {
    at_its_cost(estate)?;
    let running = estate.lab.node(1).frr().ask("ospfd", "show running-config").map_err(told)?;
    if running.contains("graceful-restart") { Ok(()) } else { Err(running) }
}

/// The ToR's BFD session with the node.
fn bfd(estate: &Estate) -> Result<Value, String> {
    let peers = estate.lab.tor().ask_json("bfdd", "show bfd peers json").map_err(told)?;
    let mut all = peers.as_array().into_iter().flatten();
    all.find(|peer| peer["peer"] == "10.0.0.1" && peer["status"] == "up").cloned().ok_or(peers.to_string())
}

fn watched(estate: &Estate) -> Result<(), String> {
    let session = bfd(estate)?;
    let right = session["remote-transmit-interval"] == 100 && session["remote-detect-multiplier"] == 3;
    if right { Ok(()) } else { Err(session.to_string()) }
}

fn echoes(estate: &Estate) -> Result<(), String> {
    bfd(estate)?;
    let status = estate.status(1)?;
    let echo = &status["routing"]["bfd"]["10.0.0.254"];
    if echo["state"] == "Up" && echo.to_string().contains("\"echo_interval_ms\":100") {
        Ok(())
    } else {
        Err(echo.to_string())
    }
}

fn watched_from_afar(estate: &Estate) -> Result<(), String> {
    let session = bfd(estate)?;
    if session["multihop"] == true { Ok(()) } else { Err(session.to_string()) }
}

/// What the ToR says of a neighbour whose session is up and has brought the VIP.
fn session(estate: &Estate, neighbor: &str, right: impl Fn(&Value) -> bool) -> Result<(), String> {
    let all =
        estate.lab.tor().ask_json("bgpd", &format!("show bgp neighbors {neighbor} json")).map_err(told)?;
    let session = &all[neighbor];
    let prefixes = &session["addressFamilyInfo"]["ipv4Unicast"]["acceptedPrefixCounter"];
    if session["bgpState"] == "Established" && prefixes == 1 && right(session) {
        Ok(())
    } else {
        Err(session.to_string())
    }
}

fn shown(estate: &Estate, shows: &Shows) -> Result<(), String> {
    match shows {
        Shows::Path(pointer, wanted) => {
            let paths = estate.lab.tor().paths(VIP).map_err(told)?;
            let found = paths.get(&NodeId(1)).and_then(|path| path.pointer(pointer));
            if found == Some(wanted) { Ok(()) } else { Err(format!("{pointer} is {found:?}")) }
        }
        Shows::Neighbor(neighbor, right) => session(estate, neighbor, right),
        Shows::World(right) => right(estate),
    }
}

/// With the reason, and the first field that is refused: OSPF as a whole, where it is refused as a whole.
fn is_withheld(estate: &Estate, field: Field, why: &str) -> Result<(), String> {
    let vip = estate.vip(1, "field")?.to_string();
    let whole = if field.path().starts_with("spec.ospfConfig") { Field::Ospf } else { field };
    let path = [field, whole].iter().any(|one| vip.contains(one.path()));
    let named = vip.contains("DaemonCannot") && path && vip.contains(why);
    if named { Ok(()) } else { Err(vip) }
}

/// GoBGP 4 starts BGP once, and says so; whoever follows the message restarts it.
fn make_way(estate: &Estate, field: Field) {
    if let (Field::RouterId, Routing::Gobgp(gobgp)) = (field, estate.lab.node(1).routing()) {
        gobgp.restart().unwrap();
    }
}

fn every_field<F: Fixture>(name: &str, daemon: Daemon) {
    let estate =
        Estate::with_agents(F::lab(Lab::builder(name).nodes(1).ospf(Ospf::default()).bfd(100, 3)), &[1]);
    estate.write("nodes.yaml", &nodes(1).replace("labels:", "labels:\n    rack: a"));
    estate.lab.node(1).netns().ip("addr add 10.0.0.101/24 dev eth0").unwrap();
    let redirect = "table ip lab {
        chain in {
            type nat hook prerouting priority -100
            tcp dport 1179 redirect to :179
        }
    }";
    estate.lab.tor_netns().nft(redirect).unwrap();
    let (mut carried_out, mut refused) = (0, 0);
    // What is the operator's stays, so that comes last.
    let own = Field::ALL.iter().filter(|field| **field != Field::AttachMode);
    for field in own.chain([&Field::AttachMode]).copied() {
        let Probe { tor: (of, lines, undo), manifest, shows } = probe(field);
        if field == Field::AttachMode {
            estate.remove("vip.yaml");
            eventually("nothing of ours is left", SOON, || {
                let left = F::our_lines(estate.lab.node(1));
                if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
            })
            .unwrap();
            F::operate(estate.lab.node(1));
            F::peer_with_the_tor(estate.lab.node(1));
        }
        estate.lab.tor().configure(of, &lines.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
        estate.write("vip.yaml", &manifest);
        make_way(&estate, field);
        let outcome = match support(field, daemon) {
            Support::CarriedOut => {
                carried_out += 1;
                eventually(&format!("{field} shows at the ToR"), SOON, || shown(&estate, &shows))
            }
            Support::Refused(why) => {
                refused += 1;
                eventually(&format!("{field} is refused"), SOON, || is_withheld(&estate, field, why))
            }
        };
        outcome.unwrap_or_else(|error| {
            panic!("{error:#}\n{}\n{}", estate.status(1).unwrap(), estate.agent(1).log())
        });
        estate.lab.tor().configure(of, &undo.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
        if field == Field::RouterId {
            estate.write("vip.yaml", &bgp("", ""));
            make_way(&estate, field);
        }
    }
    println!("{}: {carried_out} fields shown, {refused} refused", F::NAME);
    assert_eq!(carried_out + refused, Field::ALL.len());
}

#[test]
fn every_field_shows_or_is_refused_with_frr() {
    every_field::<OfFrr>("t-fields-frr", Daemon::Frr);
}

#[test]
fn every_field_shows_or_is_refused_with_bird() {
    every_field::<OfBird>("t-fields-bird", Daemon::Bird);
}

#[test]
fn every_field_shows_or_is_refused_with_gobgp_3() {
    every_field::<OfGobgp<3>>("t-fields-gobgp3", Daemon::Gobgp);
}

#[test]
fn every_field_shows_or_is_refused_with_gobgp_4() {
    every_field::<OfGobgp<4>>("t-fields-gobgp4", Daemon::Gobgp);
}

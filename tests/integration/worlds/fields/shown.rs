//! What shows where.

use super::VIP;
use super::probes::Shows;
use crate::worlds::estate::Estate;
use novaedge_lab::{NodeId, Routing};
use serde_json::Value;

pub fn shown(estate: &Estate, shows: &Shows) -> Result<(), String> {
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

fn told(error: anyhow::Error) -> String {
    format!("{error:#}")
}

pub fn only_its_own_peer(estate: &Estate) -> Result<(), String> {
    session(estate, "10.0.0.1", |_| true)?;
    let status = estate.status(1)?;
    let peers: Vec<&String> =
        status["routing"]["peers"].as_object().into_iter().flatten().map(|(peer, _)| peer).collect();
    if peers == ["10.0.0.254"] { Ok(()) } else { Err(format!("{peers:?}")) }
}

/// FRR tells its peers with the next session.
pub fn agreed_on_restarting(estate: &Estate) -> Result<(), String> {
    let shown = |session: &Value| session.to_string().contains("\"receivedRestartTimer\":60");
    session(estate, "10.0.0.1", |_| true)?;
    let outcome = session(estate, "10.0.0.1", shown);
    if outcome.is_err() {
        estate.lab.tor().ask("bgpd", "clear bgp 10.0.0.1").map_err(told)?;
    }
    outcome
}

pub fn at_its_cost(estate: &Estate) -> Result<(), String> {
    let (cost, kind) = estate.lab.tor().ospf_cost(VIP).map_err(told)?;
    if cost == 35 { Ok(()) } else { Err(format!("{cost} {kind}")) }
}

pub fn by_its_router_id(estate: &Estate) -> Result<(), String> {
    let neighbors = estate.lab.tor().ask_json("ospfd", "show ip ospf neighbor json").map_err(told)?;
    if neighbors.to_string().contains("\"10.8.8.8\"") { Ok(()) } else { Err(neighbors.to_string()) }
}

pub fn restarts_gracefully(estate: &Estate) -> Result<(), String> {
    at_its_cost(estate)?;
    let node = estate.lab.node(1);
    let (running, wanted) = match node.routing() {
        Routing::Bird(bird) => (std::fs::read_to_string(bird.include()).unwrap(), "graceful restart on;"),
        _ => (node.frr().ask("ospfd", "show running-config").map_err(told)?, "graceful-restart"),
    };
    if running.contains(wanted) { Ok(()) } else { Err(running) }
}

/// The ToR's BFD session with the node.
fn bfd(estate: &Estate) -> Result<Value, String> {
    let peers = estate.lab.tor().ask_json("bfdd", "show bfd peers json").map_err(told)?;
    let mut all = peers.as_array().into_iter().flatten();
    all.find(|peer| peer["peer"] == "10.0.0.1" && peer["status"] == "up").cloned().ok_or(peers.to_string())
}

pub fn watched(estate: &Estate) -> Result<(), String> {
    let session = bfd(estate)?;
    let right = session["remote-transmit-interval"] == 100 && session["remote-detect-multiplier"] == 3;
    if right { Ok(()) } else { Err(session.to_string()) }
}

pub fn echoes(estate: &Estate) -> Result<(), String> {
    bfd(estate)?;
    let status = estate.status(1)?;
    let echo = &status["routing"]["bfd"]["10.0.0.254"];
    if echo["state"] == "Up" && echo.to_string().contains("\"echo_interval_ms\":100") {
        Ok(())
    } else {
        Err(echo.to_string())
    }
}

pub fn watched_from_afar(estate: &Estate) -> Result<(), String> {
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

//! FRR's configuration language, as far as telling ours from the operator's needs it. Pure.
//!
//! The same reader takes what we render and what a daemon prints for `show running-config`. Both nest by
//! indentation. What is ours is sorted into *objects*, each with its lines; of the rest only that is kept
//! which could stand in our way ([`Foreign`]).
//!
//! | object | ours when |
//! |---|---|
//! | route map, BFD profile | its name begins with `NOVAEDGE-` |
//! | network | it names one of our route maps |
//! | neighbour | its description is `managed-by-novaedge`, or it uses one of our route maps |
//! | instance | it holds the empty peer group `NOVAEDGE`; of its own lines, those that we write |
//!
//! [`ospf`] has the same for OSPF.

mod ospf;

use super::home::Home;
use crate::model::net::HostRoute;
use crate::model::ospf::Version;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// A configuration line and the sections around it, outermost first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    pub within: Arc<[String]>,
    pub text: String,
}

/// A thing of ours inside a daemon, by what the daemon knows it by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    Profile(String),
    /// The whole head of one entry: `route-map NOVAEDGE-IN deny 10`.
    RouteMap(String),
    Instance(u32),
    Neighbor(u32, IpAddr),
    Network(u32, HostRoute),
    /// The address that OSPFv3 always has (see [`super::view::ospf`]).
    Anchor,
    /// OSPFv3 at `lo`.
    Hosts,
    /// What zebra hears from OSPF, and keeps to itself.
    Unheard(Version),
    /// OSPF's instance, with its router id: it changes that only by starting anew.
    Ospf(Version, Ipv4Addr),
    /// An interface, as far as OSPF goes.
    Adjacency(Version, String),
    /// A host route of OSPF.
    Prefix(HostRoute),
}

/// What of ours a configuration holds. Lines are in the order in which they were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    pub objects: BTreeMap<Object, Vec<Line>>,
    pub foreign: Foreign,
}

/// What the operator has where we have something too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Foreign {
    /// The operator's own BGP instance.
    pub instance: Option<u32>,
    pub neighbors: BTreeSet<IpAddr>,
    /// Prefixes that the operator announces, with the operator's line.
    pub networks: BTreeMap<HostRoute, String>,
    /// The operator's lines in the BGP instance, ours or not, that go when it goes.
    pub instance_lines: usize,
    /// The operator's instance announces prefixes that the kernel does not have.
    pub unchecked_networks: bool,
    /// OSPF's instances in which the operator has lines that go when it goes.
    pub ospf: BTreeSet<Version>,
    /// Where the operator says what zebra takes of OSPF.
    pub heard: BTreeSet<Version>,
}

impl Config {
    /// Reads a configuration; never fails, since what is not understood is not ours.
    pub fn parse(text: &str) -> Self {
        let lines = nest(text);
        let marks = Marks::find(&lines);
        let mut config = Self::default();
        let activated = implied_activations(&lines, &marks);
        let lines = lines.into_iter().chain(activated);
        for line in lines {
            match owner(&line, &marks) {
                Owner::Us(object) => config.objects.entry(object).or_default().push(line),
                Owner::Operator => config.foreign.note(&line),
                Owner::OspfOperator(version) => drop(config.foreign.ospf.insert(version)),
                Owner::ZebraOperator(version) => drop(config.foreign.heard.insert(version)),
                Owner::Nobody => {}
            }
        }
        config
    }

    /// Takes in what a daemon has; of objects that live elsewhere it has copies that do not count.
    pub fn add(&mut self, other: Self, home: Home) {
        let Self { objects, foreign } = other;
        self.objects.extend(objects.into_iter().filter(|(object, _)| Home::of(object) == home));
        if home == Home::Bgpd {
            self.foreign =
                Foreign { ospf: self.foreign.ospf.clone(), heard: self.foreign.heard.clone(), ..foreign };
        } else {
            self.foreign.ospf.extend(foreign.ospf);
            self.foreign.heard.extend(foreign.heard);
        }
    }

    /// Whether OSPF of this version is ours here.
    pub fn has_ospf(&self, version: Version) -> bool {
        self.objects.keys().any(|object| matches!(object, Object::Ospf(of, _) if *of == version))
    }
}

impl Foreign {
    fn note(&mut self, line: &Line) {
        let Some(asn) = instance_of(line) else { return };
        if line.within.is_empty() {
            self.instance = Some(asn);
            return;
        }
        self.instance_lines += 1;
        match words(&line.text).as_slice() {
            ["neighbor", peer, ..] => self.neighbors.extend(peer.parse::<IpAddr>()),
            ["network", prefix, ..] => {
                self.networks.extend(HostRoute::parse(prefix).map(|prefix| (prefix, line.text.clone())));
            }
            ["no", "bgp", "network", "import-check"] => self.unchecked_networks = true,
            _ => {}
        }
    }
}

/// Gives each line the sections around it, by indentation. Ends of sections and comments are left out.
fn nest(text: &str) -> Vec<Line> {
    let mut open: Vec<(usize, String)> = Vec::new();
    let mut within: Arc<[String]> = Arc::new([]);
    let mut lines = Vec::new();
    for line in text.lines() {
        let text = line.trim();
        if text.is_empty() || text.starts_with('!') || matches!(text, "exit" | "exit-address-family" | "end")
        {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let depth = open.iter().take_while(|(outer, _)| *outer < indent).count();
        if depth != within.len() {
            within = open[..depth].iter().map(|(_, text)| text.clone()).collect();
        }
        open.truncate(depth);
        open.push((indent, text.to_owned()));
        lines.push(Line { within: within.clone(), text: ospf::unnumbered(text) });
    }
    lines
}

/// In an instance without `no bgp default ipv4-unicast`, FRR activates IPv4 for every neighbour and prints
/// only where that was undone. These are the lines that it does not print.
fn implied_activations(lines: &[Line], marks: &Marks) -> Vec<Line> {
    let Some(head) = lines.iter().find(|line| line.within.is_empty() && instance_of(line).is_some()) else {
        return Vec::new();
    };
    let has = |text: &str| lines.iter().any(|line| instance_of(line).is_some() && line.text == text);
    if has("no bgp default ipv4-unicast") {
        return Vec::new();
    }
    let within: Arc<[String]> = [head.text.clone(), "address-family ipv4 unicast".to_owned()].into();
    let activate = |peer: &IpAddr| format!("neighbor {peer} activate");
    let implied = marks.neighbors.iter().map(activate).filter(|text| !has(&format!("no {text}")));
    implied.map(|text| Line { within: within.clone(), text }).collect()
}

/// What shows that the instance, and which neighbours in it, are ours.
#[derive(Debug, Default)]
struct Marks {
    instance: bool,
    neighbors: BTreeSet<IpAddr>,
    ospf: ospf::Marks,
}

impl Marks {
    fn find(lines: &[Line]) -> Self {
        let mut marks = Self { ospf: ospf::Marks::find(lines), ..Self::default() };
        for line in lines.iter().filter(|line| instance_of(line).is_some()) {
            match words(&line.text).as_slice() {
                ["neighbor", "NOVAEDGE", "peer-group"] => marks.instance = true,
                ["neighbor", peer, "description", "managed-by-novaedge"] => {
                    marks.neighbors.extend(peer.parse::<IpAddr>());
                }
                ["neighbor", peer, "route-map", map, _] if map.starts_with("NOVAEDGE-") => {
                    marks.neighbors.extend(peer.parse::<IpAddr>());
                }
                _ => {}
            }
        }
        marks
    }
}

enum Owner {
    Us(Object),
    /// In the BGP instance of the default VRF, and not ours.
    Operator,
    /// In an OSPF instance, and not ours.
    OspfOperator(Version),
    /// The operator says what zebra takes of OSPF.
    ZebraOperator(Version),
    /// Elsewhere; no business of ours.
    Nobody,
}

fn owner(line: &Line, marks: &Marks) -> Owner {
    let outermost = line.within.first().unwrap_or(&line.text);
    if outermost.starts_with("route-map NOVAEDGE-") {
        return Owner::Us(Object::RouteMap(outermost.clone()));
    }
    if outermost == "bfd" {
        let inner = line.within.get(1).unwrap_or(&line.text);
        let name = inner.strip_prefix("profile ").filter(|name| name.starts_with("NOVAEDGE-"));
        return name.map_or(Owner::Nobody, |name| Owner::Us(Object::Profile(name.to_owned())));
    }
    match instance_of(line) {
        Some(asn) => owner_in_instance(line, asn, marks),
        None => ospf::owner(line, &marks.ospf).unwrap_or(Owner::Nobody),
    }
}

fn owner_in_instance(line: &Line, asn: u32, marks: &Marks) -> Owner {
    if line.text.starts_with("address-family ") {
        return Owner::Nobody;
    }
    match words(&line.text).as_slice() {
        ["neighbor", peer, ..] if peer.parse().is_ok_and(|peer| marks.neighbors.contains(&peer)) => {
            peer.parse().map_or(Owner::Operator, |peer| Owner::Us(Object::Neighbor(asn, peer)))
        }
        ["network", prefix, "route-map", map] if map.starts_with("NOVAEDGE-") => {
            HostRoute::parse(prefix).map_or(Owner::Operator, |route| Owner::Us(Object::Network(asn, route)))
        }
        ["router", ..]
        | ["neighbor", "NOVAEDGE", ..]
        | ["bgp", "router-id" | "graceful-restart", ..]
        | ["coalesce-time", _]
        | ["bgp", "network", "import-check"]
        | ["no", "bgp", "network", "import-check"]
        | ["no", "bgp", "default", "ipv4-unicast"]
            if marks.instance =>
        {
            Owner::Us(Object::Instance(asn))
        }
        _ => Owner::Operator,
    }
}

/// The AS of the BGP instance of the default VRF that the line opens or belongs to.
fn instance_of(line: &Line) -> Option<u32> {
    match words(line.within.first().unwrap_or(&line.text)).as_slice() {
        ["router", "bgp", asn] => asn.parse().ok(),
        _ => None,
    }
}

pub fn words(text: &str) -> Vec<&str> {
    text.split(' ').collect()
}

//! The same done by hand: what no driver can be faster than.

use novaedge_lab::Node;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

/// A kept connection to a node's bgpd that sends bare lines and checks nothing but that they were answered.
pub struct Floor(UnixStream);

impl Floor {
    pub fn new(node: &Node) -> Self {
        let stream = UnixStream::connect(node.vty_dir().join("bgpd.vty")).unwrap();
        let mut floor = Self(stream);
        floor.send(&["enable"]);
        floor
    }

    /// Announces prefixes in AS 64501's instance by way of `map`, in one write.
    pub fn announce(&mut self, prefixes: &[String], map: &str) {
        let lines = prefixes.iter().map(|prefix| format!("network {prefix} route-map {map}"));
        self.networks(lines);
    }

    pub fn withdraw(&mut self, prefixes: &[String]) {
        self.networks(prefixes.iter().map(|prefix| format!("no network {prefix}")));
    }

    fn networks(&mut self, lines: impl Iterator<Item = String>) {
        let enter = ["configure terminal", "router bgp 64501", "address-family ipv4 unicast"].map(str::to_owned);
        let all: Vec<String> = enter.into_iter().chain(lines).chain(["end".to_owned()]).collect();
        self.send(&all);
    }

    fn send(&mut self, lines: &[impl AsRef<str>]) {
        let request: String = lines.iter().flat_map(|line| [line.as_ref(), "\0"]).collect();
        self.0.write_all(request.as_bytes()).unwrap();
        let mut answered = 0;
        let mut chunk = [0; 4096];
        let mut last = Vec::new();
        while answered < lines.len() {
            let read = self.0.read(&mut chunk).unwrap();
            assert!(read > 0, "bgpd hung up");
            last.extend_from_slice(&chunk[..read]);
            // Every answer ends with three NULs and a code.
            while let Some(end) = last.windows(4).position(|end| end[..3] == [0, 0, 0]) {
                last.drain(..end + 4);
                answered += 1;
            }
        }
    }
}

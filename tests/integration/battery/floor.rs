//! The same done by hand: what no driver can be faster than.

use super::frr::OfFrr;
use super::plans::Plan;
use super::scale::{MANY, all_routed, hold_all, none_routed, plan, prefix};
use super::world::{SOON, World};
use novaedge_lab::{Fib, Node};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

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
        let enter =
            ["configure terminal", "router bgp 64501", "address-family ipv4 unicast"].map(str::to_owned);
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

/// Spec: the median of eleven is at most half as much again as by hand, and 50 ms.
pub const SAMPLES: usize = 11;

fn bound(by_hand: Duration) -> Duration {
    by_hand * 3 / 2 + Duration::from_millis(50)
}

pub fn median(mut samples: Vec<Duration>) -> Duration {
    samples.sort();
    samples[samples.len() / 2]
}

/// The map that our `network` lines name: what announces by hand must name it too.
fn class(node: &Node) -> String {
    let running = node.frr().ask("bgpd", "show running-config").unwrap();
    let mut maps =
        running.lines().filter_map(|line| line.trim().strip_prefix("network ")?.split_once(" route-map "));
    maps.next().unwrap().1.to_owned()
}

/// One more at a thousand, ours and by hand in turns.
#[test]
fn one_more_takes_what_it_takes_by_hand() {
    let mut world = World::<OfFrr>::new("floor-one");
    hold_all(&world, MANY + 1);
    world.apply(&plan(MANY));
    all_routed(&world, Instant::now(), MANY);
    let (mut hand, class, more) = (Floor::new(world.node()), class(world.node()), prefix(MANY));
    let (few, many) = (plan(MANY), plan(MANY + 1));
    let (mut ours, mut floor) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    for _ in 0..SAMPLES {
        let since = Instant::now();
        world.try_apply(&many).unwrap();
        ours.0.push(world.routed_since(&more, since));
        let since = Instant::now();
        world.try_apply(&few).unwrap();
        ours.1.push(world.unrouted_since(&more, since));

        let since = Instant::now();
        hand.announce(std::slice::from_ref(&more), &class);
        floor.0.push(world.routed_since(&more, since));
        let since = Instant::now();
        hand.withdraw(std::slice::from_ref(&more));
        floor.1.push(world.unrouted_since(&more, since));
    }
    compare("announce one more", median(ours.0), median(floor.0));
    compare("withdraw one", median(ours.1), median(floor.1));
}

/// A thousand from nothing and back, ours and by hand in turns.
#[test]
fn a_thousand_take_what_they_take_by_hand() {
    let mut world = World::<OfFrr>::new("floor-all");
    hold_all(&world, MANY);
    world.apply(&plan(1));
    all_routed(&world, Instant::now(), 1);
    let (mut hand, class) = (Floor::new(world.node()), class(world.node()));
    let (none, many) = (Plan::to_the_tor(), plan(MANY));
    let prefixes: Vec<String> = (0..MANY).map(prefix).collect();
    let (mut ours, mut floor) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    world.try_apply(&none).unwrap();
    none_routed(&world, Instant::now());
    for _ in 0..SAMPLES {
        let since = Instant::now();
        world.try_apply(&many).unwrap();
        ours.0.push(all_routed(&world, since, MANY));
        // The maps of the class stay for the other half of the turn.
        hand.withdraw(&prefixes[1..]);
        all_gone_but_one(&world);
        let since = Instant::now();
        hand.announce(&prefixes[1..], &class);
        floor.0.push(all_routed(&world, since, MANY));
        let since = Instant::now();
        hand.withdraw(&prefixes[1..]);
        floor.1.push(all_gone_but_one(&world) - since);
        hand.announce(&prefixes[1..], &class);
        all_routed(&world, Instant::now(), MANY);
        let since = Instant::now();
        world.try_apply(&none).unwrap();
        ours.1.push(none_routed(&world, since));
    }
    compare("announce a thousand", median(ours.0), median(floor.0));
    compare("withdraw a thousand", median(ours.1), median(floor.1));
}

fn all_gone_but_one(world: &World<OfFrr>) -> Instant {
    let gone = |fib: &Fib| (1..MANY).all(|k| fib.nodes(prefix(k).parse().unwrap()).is_empty());
    world.fib.wait("all but one prefix gone", Instant::now(), SOON, gone).unwrap()
}

pub fn compare(what: &str, ours: Duration, by_hand: Duration) {
    eprintln!("{what}: ours {ours:?}, by hand {by_hand:?}");
    assert!(ours <= bound(by_hand), "{what}: {ours:?}, and by hand {by_hand:?}");
}

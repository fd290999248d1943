//! The same done by hand with GoBGP: the paths in one stream, and nothing checked.

use super::floor::{SAMPLES, compare, median};
use super::gobgp::OfGobgp;
use super::plans::Plan;
use super::scale::{MANY, all_routed, hold_all, none_routed, plan, prefix};
use super::world::World;
use hyper_util::rt::{TokioExecutor, TokioIo};
use novaedge::routing::gobgp::proto::api::go_bgp_service_client::GoBgpServiceClient;
use novaedge::routing::gobgp::proto::apipb::gobgp_api_client::GobgpApiClient;
use novaedge::routing::gobgp::proto::{AddPathStreamRequest, Family, ListPathRequest, Path};
use novaedge::runtime::channel::Channel;
use std::time::Instant;
use tokio::net::UnixStream;
use tokio::runtime::Runtime;

/// A kept connection to a node's gobgpd.
struct Hand {
    runtime: Runtime,
    client: Client,
}

enum Client {
    V3(GobgpApiClient<Channel>),
    V4(GoBgpServiceClient<Channel>),
}

impl Hand {
    fn new<const MAJOR: u8>(world: &World<OfGobgp<MAJOR>>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let endpoint = world.node().gobgp().endpoint();
        let channel = runtime.block_on(async {
            let stream = UnixStream::connect(endpoint.strip_prefix("unix://").unwrap()).await.unwrap();
            let builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
            let (channel, driver) = builder.handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(driver);
            Channel::new(channel)
        });
        let origin = http::Uri::from_static("http://gobgpd");
        let client = match MAJOR {
            3 => Client::V3(GobgpApiClient::with_origin(channel, origin)),
            _ => Client::V4(GoBgpServiceClient::with_origin(channel, origin)),
        };
        Self { runtime, client }
    }

    /// The global table is the first of the tables, which version 3 counts from 0.
    fn table(&self) -> u32 {
        if matches!(self.client, Client::V3(_)) { 0 } else { 1 }
    }

    /// What gobgpd has, to be said again.
    fn paths(&mut self) -> Vec<Path> {
        let request = ListPathRequest {
            table_type: self.table(),
            family: Some(Family { afi: 1, safi: 1 }),
            enable_only_binary: true,
        };
        let Self { runtime, client } = self;
        runtime.block_on(async {
            let listed = match client {
                Client::V3(client) => client.list_path(request).await,
                Client::V4(client) => client.list_path(request).await,
            };
            let mut stream = listed.unwrap().into_inner();
            let mut paths = Vec::new();
            while let Some(one) = stream.message().await.unwrap() {
                paths.extend(one.destination.unwrap().paths);
            }
            paths
        })
    }

    fn say(&mut self, paths: &[Path], is_withdraw: bool) {
        let table_type = self.table();
        let said = |path: &Path| Path { is_withdraw, neighbor_ip: String::new(), ..path.clone() };
        let messages: Vec<_> = paths
            .chunks(500)
            .map(|some| AddPathStreamRequest { table_type, paths: some.iter().map(said).collect() })
            .collect();
        let messages = futures_util::stream::iter(messages);
        let Self { runtime, client } = self;
        runtime.block_on(async {
            match client {
                Client::V3(client) => client.add_path_stream(messages).await.unwrap(),
                Client::V4(client) => client.add_path_stream(messages).await.unwrap(),
            }
        });
    }
}

/// One more at a thousand, ours and by hand in turns.
fn one_more<const MAJOR: u8>() {
    let mut world = World::<OfGobgp<MAJOR>>::new("floor-one");
    hold_all(&world, MANY + 1);
    let (many, few, more) = (plan(MANY + 1), plan(MANY), prefix(MANY));
    world.apply(&many);
    all_routed(&world, Instant::now(), MANY + 1);
    let mut hand = Hand::new(&world);
    let nlri: Vec<u8> = [32].into_iter().chain(octets(&more)).collect();
    let paths: Vec<Path> = hand.paths().into_iter().filter(|path| path.nlri_binary == nlri).collect();
    assert_eq!(paths.len(), 1);
    world.apply(&few);
    world.unrouted(&more);
    let (mut ours, mut floor) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    for _ in 0..SAMPLES {
        let since = Instant::now();
        world.try_apply(&many).unwrap();
        ours.0.push(world.routed_since(&more, since));
        let since = Instant::now();
        world.try_apply(&few).unwrap();
        ours.1.push(world.unrouted_since(&more, since));
        let since = Instant::now();
        hand.say(&paths, false);
        floor.0.push(world.routed_since(&more, since));
        let since = Instant::now();
        hand.say(&paths, true);
        floor.1.push(world.unrouted_since(&more, since));
    }
    compare(&format!("gobgp {MAJOR}: announce one more"), median(ours.0), median(floor.0));
    compare(&format!("gobgp {MAJOR}: withdraw one"), median(ours.1), median(floor.1));
}

fn octets(prefix: &str) -> [u8; 4] {
    prefix.split('/').next().unwrap().parse::<std::net::Ipv4Addr>().unwrap().octets()
}

/// A thousand from nothing and back, ours and by hand in turns.
fn a_thousand<const MAJOR: u8>() {
    let mut world = World::<OfGobgp<MAJOR>>::new("floor-all");
    hold_all(&world, MANY);
    let (all, none) = (plan(MANY), Plan::to_the_tor());
    world.apply(&all);
    all_routed(&world, Instant::now(), MANY);
    let mut hand = Hand::new(&world);
    let paths = hand.paths();
    assert_eq!(paths.len(), MANY as usize);
    let (mut ours, mut floor) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    for _ in 0..SAMPLES {
        world.try_apply(&none).unwrap();
        none_routed(&world, Instant::now());
        let since = Instant::now();
        world.try_apply(&all).unwrap();
        ours.0.push(all_routed(&world, since, MANY));
        let since = Instant::now();
        hand.say(&paths, true);
        floor.1.push(none_routed(&world, since));
        let since = Instant::now();
        hand.say(&paths, false);
        floor.0.push(all_routed(&world, since, MANY));
        let since = Instant::now();
        world.try_apply(&none).unwrap();
        ours.1.push(none_routed(&world, since));
    }
    compare(&format!("gobgp {MAJOR}: announce a thousand"), median(ours.0), median(floor.0));
    compare(&format!("gobgp {MAJOR}: withdraw a thousand"), median(ours.1), median(floor.1));
}

#[test]
fn one_more_takes_what_it_takes_by_hand_with_version_3() {
    one_more::<3>();
}

#[test]
fn one_more_takes_what_it_takes_by_hand_with_version_4() {
    one_more::<4>();
}

#[test]
fn a_thousand_take_what_they_take_by_hand_with_version_3() {
    a_thousand::<3>();
}

#[test]
fn a_thousand_take_what_they_take_by_hand_with_version_4() {
    a_thousand::<4>();
}

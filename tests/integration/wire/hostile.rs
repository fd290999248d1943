//! Agents that mean harm. What they can cost is bounded, and a good agent does not notice them.

use super::content::{bulletin, name, snapshot, term, vips};
use super::stage::{Agent, Controller, PATIENCE, Pki, fixed};
use bytes::Bytes;
use futures_util::stream::iter;
use http_body_util::{BodyExt, Full};
use novaedge::runtime::channel::Channel;
use novaedge::wire::client::connect::connect;
use novaedge::wire::deliver::STALL;
use novaedge::wire::proto::estate_client::EstateClient;
use novaedge::wire::proto::{Answer, Entry, Part, Rejected, Resend, Taken, answer};
use novaedge::wire::server::metrics::Refusal;
use novaedge::wire::tls::Security;
use novaedge::wire::{answer as say, schema};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tonic::body::Body;
use tower::{Service, ServiceExt};

const SEED: u64 = 0x6e6f_7661_6564_6765;

/// An agent by certificate, without manners.
async fn intruder(controller: &Controller, security: &Security) -> (Channel, JoinHandle<()>) {
    let connected = connect(&controller.endpoint(), security).await.unwrap();
    let driver = tokio::spawn(async move { drop(connected.driver.await) });
    (connected.channel, driver)
}

fn client(channel: &Channel) -> EstateClient<Channel> {
    EstateClient::with_origin(channel.clone(), http::Uri::from_static("https://novaedge/"))
}

/// Memory that this process has in use, in bytes.
pub fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

/// Both ends of a thousand connections are ours.
pub fn allow_many_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
}

/// A good agent hears of a change within a second.
async fn all_is_well(controller: &Controller, agent: &mut Agent, generation: u64) {
    let since = Instant::now();
    let vips = vips(u32::try_from(generation).unwrap(), 0);
    let orders = ["n1", "n2"].map(|node| snapshot(node, generation, &vips));
    controller.bulletins.send_replace(bulletin(term(1), &orders));
    agent.obtains(&orders[0]).await;
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
}

fn noise(random: &mut fastrand::Rng) -> Part {
    let mut bytes = |most: usize| -> Bytes {
        let length = random.usize(..most);
        std::iter::repeat_with(|| random.u8(..)).take(length).collect::<Vec<u8>>().into()
    };
    let key = |bytes: Bytes| String::from_utf8_lossy(&bytes).into_owned();
    let kinds = ["vip/", "node", "peer/", "", "held/"];
    let mut entries = Vec::new();
    for kind in kinds {
        entries.push(Entry { key: format!("{kind}{}", key(bytes(9))), value: bytes(30) });
    }
    let (removed, digest) = (vec![key(bytes(9))], bytes(42));
    entries.truncate(random.usize(..=kinds.len()));
    let (schema, generation) = (random.u32(..3), random.u64(..3));
    Part { schema, term: None, generation, whole: random.bool(), entries, removed, digest }
}

fn answers(random: &mut fastrand::Rng) -> Answer {
    let generation = random.u64(..4);
    let rejected = vec![Rejected { key: "x".repeat(random.usize(..5000)), reason: String::new() }];
    let answer = match random.u8(..4) {
        0 => Some(answer::Answer::Hello(schema::hello(None))),
        1 => Some(answer::Answer::Taken(Taken { generation, rejected })),
        2 => Some(answer::Answer::Resend(Resend { generation, reason: "y".repeat(5000) })),
        _ => None,
    };
    Answer { answer }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn noise_in_place_of_parts_and_answers() {
    let pki = Pki::new();
    let orders = ["n1", "n2"].map(|node| snapshot(node, 1, &vips(1, 0)));
    let controller = Controller::start(fixed(pki.controller()), bulletin(term(1), &orders)).await;
    let mut good = Agent::start(controller.endpoint(), pki.agent("n1"), "n1");
    good.obtains(&orders[0]).await;
    let (security, mut random) = (pki.agent("n2"), fastrand::Rng::with_seed(SEED));
    let (channel, driver) = intruder(&controller, &security).await;
    for round in 0..100 {
        let parts: Vec<Part> = (0..random.usize(..9)).map(|_| noise(&mut random)).collect();
        let mut said: Vec<Answer> = (0..random.usize(..9)).map(|_| answers(&mut random)).collect();
        if round % 2 == 0 {
            said.insert(0, say::hello(schema::hello(None)));
        }
        let mut reporting = client(&channel).report(iter(parts)).await.unwrap().into_inner();
        let mut watching = client(&channel).watch(iter(said)).await.unwrap().into_inner();
        let ends = async {
            while let Ok(Some(_)) = reporting.message().await {}
            while let Ok(Some(_)) = watching.message().await {}
        };
        timeout(PATIENCE, ends).await.expect("whoever has said all, or nonsense, is let go");
    }
    assert!(!driver.is_finished(), "the connection is as good as it was");
    let report = controller.attendance.borrow()[&name("n2")].status.clone();
    assert!(report.is_none(), "{report:?}");
    all_is_well(&controller, &mut good, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_a_gibibyte_is_refused_by_its_announcement() {
    let pki = Pki::new();
    let orders = ["n1", "n2"].map(|node| snapshot(node, 1, &vips(1, 0)));
    let controller = Controller::start(fixed(pki.controller()), bulletin(term(1), &orders)).await;
    let mut good = Agent::start(controller.endpoint(), pki.agent("n1"), "n1");
    good.obtains(&orders[0]).await;
    let (mut channel, _driver) = intruder(&controller, &pki.agent("n2")).await;
    let before = resident();
    for call in ["Watch", "Report"] {
        let announced = Full::new(Bytes::from_static(&[0, 0x40, 0, 0, 0, 1, 2, 3]));
        let request = http::Request::post(format!("https://novaedge/novaedge.v1.Estate/{call}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Body::new(announced))
            .unwrap();
        let response = channel.ready().await.unwrap().call(request).await.unwrap();
        let ended = timeout(PATIENCE, response.into_body().collect()).await.unwrap().unwrap();
        let status = ended.trailers().and_then(|trailers| trailers.get("grpc-status")).cloned();
        assert_eq!(status.unwrap(), "11", "OUT_OF_RANGE");
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 32 << 20, "{grown} bytes");
    all_is_well(&controller, &mut good, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_nothing_costs_little_and_is_given_up() {
    let pki = Pki::new();
    let long = vips(20_000, 0);
    let orders = [snapshot("n1", 1, &vips(1, 0)), snapshot("n2", 1, &long)];
    let controller = Controller::start(fixed(pki.controller()), bulletin(term(1), &orders)).await;
    let mut good = Agent::start(controller.endpoint(), pki.agent("n1"), "n1");
    good.obtains(&orders[0]).await;
    let (channel, driver) = intruder(&controller, &pki.agent("n2")).await;
    let hello = iter([say::hello(schema::hello(None))]);
    let open = futures_util::StreamExt::chain(hello, futures_util::stream::pending());
    let unread = client(&channel).watch(open).await.unwrap();
    let (since, before) = (Instant::now(), resident());
    let mut changes = tokio::time::interval(Duration::from_millis(100));
    let mut generation = 1;
    while !driver.is_finished() {
        changes.tick().await;
        generation += 1;
        let vips = vips(u32::try_from(generation).unwrap(), 0);
        let orders = [snapshot("n1", generation, &vips), snapshot("n2", generation, &long)];
        controller.bulletins.send_replace(bulletin(term(1), &orders));
        good.obtains(&orders[0]).await;
        assert!(since.elapsed() < STALL * 2, "it is still connected");
    }
    let grown = resident().saturating_sub(before);
    assert!(since.elapsed() >= STALL, "too early");
    eprintln!("given up after {:?}, {generation} changes, {grown} bytes", since.elapsed());
    assert!(grown < 64 << 20, "{grown} bytes");
    drop(unread);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_half_open_connections() {
    allow_many_files();
    let pki = Pki::new();
    let orders = ["n1", "n2"].map(|node| snapshot(node, 1, &vips(1, 0)));
    let controller = Controller::start(fixed(pki.controller()), bulletin(term(1), &orders)).await;
    let mut good = Agent::start(controller.endpoint(), pki.agent("n1"), "n1");
    good.obtains(&orders[0]).await;
    let before = resident();
    let mut strangers = Vec::new();
    for _ in 0..1000 {
        strangers.push(TcpStream::connect(controller.address).await.unwrap());
    }
    let since = Instant::now();
    let mut late = Agent::start(controller.endpoint(), pki.agent("n2"), "n2");
    late.obtains(&orders[1]).await;
    eprintln!("an agent is let in after {:?}", since.elapsed());
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
    controller.refuses(Refusal::Crowded, 1000 - 128).await;
    let grown = resident().saturating_sub(before);
    eprintln!("{grown} bytes");
    assert!(grown < 64 << 20, "{grown} bytes");
    all_is_well(&controller, &mut good, 2).await;
    controller.refuses(Refusal::TimedOut, 100).await;
}

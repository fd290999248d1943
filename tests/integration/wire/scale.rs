//! How it goes when the estate is large. What is measured is printed.

use super::content::{bulletin, name, snapshot, status, term, vip, vips};
use super::hostile::{allow_many_files, resident};
use super::stage::{Agent, Controller, PATIENCE, Pki, fixed};
use novaedge::model::name::Name;
use novaedge::model::snapshot::Snapshot;
use novaedge::model::vip::Vip;
use novaedge::wire::client::connect::connect;
use novaedge::wire::orders;
use novaedge::wire::page::{Digest, Page};
use novaedge::wire::proto::estate_client::EstateClient;
use novaedge::wire::proto::{Answer, Taken, answer};
use novaedge::wire::server::{Bulletin, Limits};
use novaedge::wire::tls::Security;
use novaedge::wire::{NODE_HEADER, answer as say, schema};
use prost::Message;
use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A controller's runtime has one thread, so that what it costs can be read.
struct Alone {
    runtime: Handle,
    schedule: String,
    _end: mpsc::Sender<()>,
}

impl Alone {
    fn new() -> Self {
        let (end, mut ended) = mpsc::channel::<()>(1);
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime: Runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let thread = rustix::thread::gettid().as_raw_nonzero();
            ready.send((runtime.handle().clone(), format!("/proc/self/task/{thread}/schedstat"))).unwrap();
            runtime.block_on(ended.recv());
        });
        let (runtime, schedule) = is_ready.recv().unwrap();
        Self { runtime, schedule, _end: end }
    }

    async fn start(&self, at: SocketAddr, security: Security, first: Arc<Bulletin>) -> Controller {
        // A thousand nodes have a thousand addresses, and processors of their own; here they share one machine.
        let handshake = Duration::from_secs(20);
        let limits = Limits { strangers_per_address: 1000, handshake, ..Limits::default() };
        self.runtime.spawn(Controller::at(at, security, first, limits)).await.unwrap()
    }

    /// Time on a processor so far.
    fn busy(&self) -> Duration {
        let numbers = fs::read_to_string(&self.schedule).unwrap();
        Duration::from_nanos(numbers.split(' ').next().unwrap().parse().unwrap())
    }
}

/// An agent that has the page with this digest, takes every other, and keeps none; tells how long each was.
async fn taker(controller: Arc<Controller>, node: Name, has: Digest, took: mpsc::Sender<usize>) {
    let connected = connect(&controller.endpoint(), &Security::Insecure).await.unwrap();
    tokio::spawn(connected.driver);
    let (answers, mut outgoing) = mpsc::channel(2);
    answers.send(say::hello(schema::hello(Some(has)))).await.unwrap();
    let outgoing = futures_util::stream::poll_fn(move |context| outgoing.poll_recv(context));
    let mut request = tonic::Request::new(outgoing);
    request.metadata_mut().insert(NODE_HEADER, node.as_str().parse().unwrap());
    let origin = http::Uri::from_static("https://novaedge/");
    let mut client = EstateClient::with_origin(connected.channel, origin);
    let mut parts = client.watch(request).await.unwrap().into_inner();
    let mut length = 0;
    while let Ok(Some(part)) = parts.message().await {
        length += part.encoded_len();
        if !part.digest.is_empty() {
            let taken = Taken { generation: part.generation, rejected: vec![] };
            answers.send(Answer { answer: Some(answer::Answer::Taken(taken)) }).await.unwrap();
            took.send(std::mem::take(&mut length)).await.unwrap();
        }
    }
}

const NODES: usize = 200;
const ANYWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn estate(generation: u64, vips: &Arc<BTreeMap<Name, Arc<Vip>>>) -> Vec<Arc<Snapshot>> {
    (0..NODES).map(|node| snapshot(&format!("n{node}"), generation, vips)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_vip_of_ten_thousand_on_two_hundred_nodes() {
    allow_many_files();
    let alone = Alone::new();
    let mut vips = vips(10_000, 0);
    let nodes = estate(1, &vips);
    let begun = alone.busy();
    let controller = Arc::new(alone.start(ANYWHERE, Security::Insecure, bulletin(term(1), &nodes)).await);
    let Page(sheets) = orders::page(&nodes[0]);
    let (took, mut taken) = mpsc::channel(NODES);
    for node in &nodes {
        let own = Arc::new(orders::own(node));
        let has = Page(vec![Arc::clone(&sheets[0]), Arc::clone(&sheets[1]), own]).digest();
        tokio::spawn(taker(Arc::clone(&controller), node.node.clone(), has, took.clone()));
    }
    let mut round = async || {
        let mut longest = 0;
        for _ in 0..NODES {
            longest = timeout(PATIENCE, taken.recv()).await.unwrap().unwrap().max(longest);
        }
        longest
    };
    round().await;
    eprintln!("all of it, written and connected: {:?}", alone.busy() - begun);
    let mut costs = Vec::new();
    for generation in 2..9 {
        Arc::make_mut(&mut vips).insert(name("vip-77"), vip(77, generation));
        let nodes = bulletin(term(1), &estate(generation.into(), &vips));
        let before = alone.busy();
        controller.bulletins.send_replace(nodes);
        let longest = round().await;
        costs.push(alone.busy() - before);
        assert!(longest <= 5000, "{longest} bytes to one agent");
    }
    costs.sort();
    eprintln!("one VIP changed: {costs:?}");
    assert!(costs[costs.len() / 2] <= Duration::from_millis(100), "{costs:?}");
}

/// How long it takes is printed and not judged: the agents need most of the machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_agents_come_back_at_once() {
    const AGENTS: usize = 1000;
    allow_many_files();
    let (alone, pki) = (Alone::new(), Pki::new());
    let vips = vips(50, 0);
    let names: Vec<String> = (0..AGENTS).map(|node| format!("n{node}")).collect();
    let nodes: Vec<_> = names.iter().map(|node| snapshot(node, 1, &vips)).collect();
    let security = fixed(pki.controller());
    let first = alone.start(ANYWHERE, security.clone(), bulletin(term(1), &nodes)).await;
    let address = first.address;
    let agents: Vec<Agent> = names
        .iter()
        .map(|node| {
            let agent = Agent::start(first.endpoint(), pki.agent(node), node);
            agent.reports.send_replace(Some(status(node, 1)));
            agent
        })
        .collect();
    let mut first = first;
    let all = |controller: &mut Controller, generation| {
        let mut attendance = controller.attendance.clone();
        async move {
            let there = attendance.wait_for(|all| {
                let taken = |a: &&_| there(a, generation);
                all.values().filter(taken).count() == AGENTS
            });
            timeout(6 * PATIENCE, there).await.expect("not all are there").unwrap();
        }
    };
    let since = Instant::now();
    all(&mut first, 1).await;
    eprintln!("the first time: {:?}, {} MiB", since.elapsed(), resident() >> 20);
    drop(first);

    // The next controller has other orders, and the agents' session tickets are good.
    let nodes: Vec<_> =
        nodes.iter().map(|node| snapshot(node.node.as_str(), 2, &super::content::vips(50, 1))).collect();
    let (since, busy) = (Instant::now(), alone.busy());
    let mut second = alone.start(address, security, bulletin(term(2), &nodes)).await;
    all(&mut second, 2).await;
    eprintln!(
        "again: {:?}, {:?} of the controller, {} MiB",
        since.elapsed(),
        alone.busy() - busy,
        resident() >> 20
    );
    assert!(resident() < 1 << 30, "{} bytes", resident());
    drop(agents);
}

fn there(attendance: &novaedge::model::attendance::Attendance, generation: u64) -> bool {
    attendance.alive && attendance.status.is_some() && attendance.taken == Some(generation)
}

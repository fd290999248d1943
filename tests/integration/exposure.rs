//! `netfilter` against the real kernel: what passes to a VIP, what does not, and never a gap.

use crate::inside::inside;
use novaedge::model::net::Transport;
use novaedge::model::observed::Guarded;
use novaedge::netfilter::{self, Nft};
use novaedge::plan::ExposurePlan;
use novaedge_lab::eventually::{eventually, eventually_async};
use novaedge_lab::netns::{Netns, OwnedNetns};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

const VIPS: [&str; 2] = ["10.200.0.20", "2001:db8::50"];
const OWN: [&str; 2] = ["10.1.2.2", "fd00:1:2::2"];
const SERVICE: u16 = 80;
const SSHD: u16 = 22;

/// client ── router ── node. The node has the VIPs, and listens on the wildcard address.
struct World {
    client: OwnedNetns,
    router: OwnedNetns,
    node: OwnedNetns,
    listeners: Vec<TcpListener>,
    _alone: MutexGuard<'static, ()>,
}

impl World {
    fn new(name: &str) -> Self {
        let alone = crate::WORLD.lock().unwrap_or_else(PoisonError::into_inner);
        let netns = |part: &str| Netns::create(&format!("link-{name}-{part}")).unwrap();
        let (client, router, node) = (netns("c"), netns("r"), netns("n"));
        for netns in [&client, &router, &node] {
            // A link-local address at once: neighbours are asked with it.
            netns.sysctl(&[("ipv6.conf.default.accept_dad", "0"), ("ipv4.ping_group_range", "0 0")]).unwrap();
        }
        router.sysctl(&[("ipv4.ip_forward", "1"), ("ipv6.conf.all.forwarding", "1")]).unwrap();
        let cables = format!(
            "link add eth0 type veth peer name eth0 netns {}
             link add eth1 type veth peer name eth0 netns {}
             address add 10.1.1.1/24 dev eth0
             address add fd00:1:1::1/64 dev eth0 nodad
             address add 10.1.2.1/24 dev eth1
             address add fd00:1:2::1/64 dev eth1 nodad
             link set eth0 up
             link set eth1 up
             route add 10.200.0.0/16 via 10.1.2.2
             route add 2001:db8::/32 via fd00:1:2::2",
            client.name(),
            node.name()
        );
        router.ip_batch(&cables).unwrap();
        for (end, net) in [(&client, 1), (&node, 2)] {
            let addresses = format!(
                "address add 10.1.{net}.2/24 dev eth0
                 address add fd00:1:{net}::2/64 dev eth0 nodad
                 link set eth0 up
                 route add default via 10.1.{net}.1
                 route add default via fd00:1:{net}::1"
            );
            end.ip_batch(&addresses).unwrap();
        }
        node.ip_batch("address add 10.200.0.20/32 dev lo\naddress add 2001:db8::50/128 dev lo nodad")
            .unwrap();
        let wildcard = |port| node.run(|| TcpListener::bind(("::", port)).unwrap());
        let listeners = vec![wildcard(SSHD), wildcard(SERVICE)];
        Self { client, router, node, listeners, _alone: alone }
    }

    fn guard(&self, plan: &ExposurePlan) {
        inside(&self.node, async || Nft::new().guard(plan).await.unwrap());
    }

    /// The TCP connection from the client, or how it failed.
    fn connect(&self, ip: &str, port: u16) -> Result<TcpStream, ErrorKind> {
        connect(&self.client, ip, port, Duration::from_millis(300))
    }

    /// Whether an echo request of `size` bytes is answered.
    fn ping(&self, ip: &str, size: usize) -> bool {
        let (domain, protocol, request) = match ip.parse().unwrap() {
            IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4, 8),
            IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6, 128),
        };
        let socket = self.client.run(|| Socket::new(domain, Type::DGRAM, Some(protocol)).unwrap());
        socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let mut message = vec![0; size];
        message[0] = request;
        socket.send_to(&message, &SocketAddr::new(ip.parse().unwrap(), 0).into()).unwrap();
        (&socket).read(&mut message).is_ok_and(|length| length == size)
    }
}

fn connect(from: &Netns, ip: &str, port: u16, patience: Duration) -> Result<TcpStream, ErrorKind> {
    let to = SocketAddr::new(ip.parse().unwrap(), port);
    from.run(|| TcpStream::connect_timeout(&to, patience).map_err(|error| error.kind()))
}

fn exposing(services: &[(Transport, u16)]) -> ExposurePlan {
    let addresses: BTreeSet<IpAddr> = VIPS.iter().map(|ip| ip.parse().unwrap()).collect();
    let all =
        addresses.iter().flat_map(|&ip| services.iter().map(move |&(t, p)| (ip, t, p.try_into().unwrap())));
    ExposurePlan { services: all.collect(), addresses: addresses.clone(), muted: BTreeSet::new() }
}

fn web() -> ExposurePlan {
    exposing(&[(Transport::Tcp, SERVICE)])
}

#[test]
fn a_vip_exposes_its_services_and_icmp_and_the_host_stays_as_it_was() {
    let world = World::new("nf-expose");
    for ip in VIPS {
        assert!(
            world.connect(ip, SSHD).is_ok(),
            "reachable at {ip} without the table: else this proves nothing"
        );
    }
    world.guard(&web());
    for ip in VIPS {
        assert!(world.connect(ip, SERVICE).is_ok(), "the service at {ip}");
        assert_eq!(world.connect(ip, SSHD).unwrap_err(), ErrorKind::TimedOut, "sshd at {ip}");
        let local = connect(&world.node, ip, SSHD, Duration::from_millis(300));
        assert_eq!(local.unwrap_err(), ErrorKind::TimedOut, "sshd at {ip}, from the node itself");
        let local = connect(&world.node, ip, SERVICE, Duration::from_millis(300));
        assert!(local.is_ok(), "the service at {ip}, from the node itself");
        for size in [64, 4000] {
            assert!(world.ping(ip, size), "{size} bytes to {ip} come back");
        }
    }
    for ip in OWN {
        assert!(world.connect(ip, SSHD).is_ok(), "sshd at the node's own {ip}");
        assert_eq!(world.connect(ip, 4444).unwrap_err(), ErrorKind::ConnectionRefused, "as without us");
    }
}

#[test]
fn path_mtu_discovery_works_through_a_vip() {
    const MUCH: usize = 200_000;
    let world = World::new("nf-pmtu");
    world.guard(&web());
    // Narrower than either end knows.
    world.router.ip("link set eth0 mtu 1300").unwrap();
    for ip in VIPS {
        let mut client = world.connect(ip, SERVICE).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let (mut served, _) = world.listeners[1].accept().unwrap();
        let sender = std::thread::spawn(move || served.write_all(&vec![7; MUCH]));
        let mut received = Vec::new();
        client.read_to_end(&mut received).unwrap();
        sender.join().unwrap().unwrap();
        assert_eq!(received.len(), MUCH, "{ip}");
    }
}

#[test]
fn a_mute_drops_new_connections_silently_and_keeps_the_old() {
    let world = World::new("nf-mute");
    world.guard(&web());
    for ip in VIPS {
        let mut before = world.connect(ip, SERVICE).unwrap();
        let (mut served, _) = world.listeners[1].accept().unwrap();
        let muted = ExposurePlan { muted: BTreeSet::from([ip.parse().unwrap()]), ..web() };
        world.guard(&muted);
        assert_eq!(world.connect(ip, SERVICE).unwrap_err(), ErrorKind::TimedOut);

        before.write_all(b"still here?").unwrap();
        let mut heard = [0; 11];
        served.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"still here?");

        // One that began muted gets through with its own retransmission, as soon as it may.
        std::thread::scope(|scope| {
            let patient = scope.spawn(|| connect(&world.client, ip, SERVICE, Duration::from_secs(10)));
            eventually("a SYN is on its way", Duration::from_secs(2), || {
                let sockets = world.client.exec("ss", &["-Htn", "state", "syn-sent"])?;
                anyhow::ensure!(sockets.contains(ip), "no connection to {ip}: {sockets}");
                Ok::<_, anyhow::Error>(())
            })
            .unwrap();
            world.guard(&web());
            assert!(patient.join().unwrap().is_ok());
        });
        drop(world.listeners[1].accept().unwrap());
    }
}

/// Replacing a whole table under a flood: not one datagram passes that should not, not one is lost that
/// should pass.
#[test]
fn an_agent_that_starts_adopts_the_table_without_a_gap() {
    const REPLACEMENTS: usize = 50;
    let world = World::new("nf-gap");
    let plan = exposing(&[(Transport::Udp, 53)]);
    world.guard(&plan);
    let listener = |port| {
        let socket = world.node.run(|| UdpSocket::bind(("::", port)).unwrap());
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        socket
    };
    let (hidden, service) = (listener(5353), listener(53));
    let (done, answered) = (AtomicBool::new(false), AtomicBool::new(false));
    let (asked, flooded) = std::thread::scope(|scope| {
        scope.spawn(|| echo(&service, &answered));
        let asking = scope.spawn(|| ask(&world.client, (VIPS[0], 53), &done));
        let flooding = scope.spawn(|| flood(&world.client, (VIPS[0], 5353), &done));
        for _ in 0..REPLACEMENTS {
            world.guard(&plan);
        }
        done.store(true, Ordering::Relaxed);
        let counts = (asking.join().unwrap(), flooding.join().unwrap());
        answered.store(true, Ordering::Relaxed);
        counts
    });
    let leaked = std::iter::from_fn(|| hidden.recv(&mut [0; 8]).ok()).count();
    eprintln!("{REPLACEMENTS} replacements under {flooded} datagrams and {} questions", asked.0);
    assert!(flooded > 1000 && asked.0 > 100, "there was load");
    assert_eq!((leaked, asked.1), (0, 0), "leaked, unanswered");
}

fn echo(socket: &UdpSocket, done: &AtomicBool) {
    let mut bytes = [0; 8];
    while !done.load(Ordering::Relaxed) {
        if let Ok((length, from)) = socket.recv_from(&mut bytes) {
            socket.send_to(&bytes[..length], from).unwrap();
        }
    }
}

/// Questions asked one after the other, and how many had no answer.
fn ask(client: &Netns, to: (&str, u16), done: &AtomicBool) -> (u64, u64) {
    let socket = client.run(|| UdpSocket::bind("0.0.0.0:0").unwrap());
    socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let (mut asked, mut unanswered) = (0u64, 0);
    while !done.load(Ordering::Relaxed) {
        socket.send_to(&asked.to_be_bytes(), to).unwrap();
        let mut bytes = [0; 8];
        let answered = socket.recv(&mut bytes).is_ok() && bytes == asked.to_be_bytes();
        unanswered += u64::from(!answered);
        asked += 1;
    }
    (asked, unanswered)
}

/// Sends until done, with pauses that leave the machine to others.
fn flood(client: &Netns, to: (&str, u16), done: &AtomicBool) -> u64 {
    let socket = client.run(|| UdpSocket::bind("0.0.0.0:0").unwrap());
    let mut sent = 0;
    while !done.load(Ordering::Relaxed) {
        for _ in 0..20 {
            socket.send_to(b"leak", to).unwrap();
            sent += 1;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    sent
}

#[test]
fn the_driver_brings_the_table_back_by_itself_and_takes_it_away_at_the_end() {
    let world = World::new("nf-drive");
    let node = &world.node;
    let table = || node.exec("nft", &["--stateless", "list", "table", "inet", "novaedge"]);
    inside(node, async || {
        let (plans, plan) = watch::channel(Arc::new(ExposurePlan::default()));
        let (seen, mut guarded) = watch::channel(Guarded::default());
        let driver = tokio::spawn(netfilter::drive(Nft::new(), plan, seen));
        plans.send(Arc::new(web())).unwrap();
        guarded.wait_for(|guarded| guarded.addresses == web().addresses).await.unwrap();
        let whole = table().unwrap();
        node.nft("flush ruleset\nadd table inet theirs").unwrap();
        eventually_async("the table is back", Duration::from_secs(3), async || {
            let now = table().map_err(|error| error.to_string())?;
            if now == whole { Ok(()) } else { Err(now) }
        })
        .await
        .unwrap();

        plans.send(Arc::new(ExposurePlan::default())).unwrap();
        guarded.wait_for(|guarded| guarded.addresses.is_empty()).await.unwrap();
        assert!(table().is_err(), "no leftovers");
        drop(plans);
        driver.await.unwrap();
    });
    assert_eq!(node.exec("nft", &["list", "tables"]).unwrap().trim(), "table inet theirs");
}

#[test]
fn what_others_do_to_the_table_is_undone_and_nothing_of_theirs_is_touched() {
    let world = World::new("nf-heal");
    let node = &world.node;
    node.nft("table inet theirs { chain c { type filter hook input priority 0; tcp dport 9 drop; }; }")
        .unwrap();
    let theirs = node.exec("nft", &["list", "table", "inet", "theirs"]).unwrap();
    let table =
        || node.exec("nft", &["--stateless", "list", "table", "inet", "novaedge"]).unwrap_or_default();
    let harm = [
        "delete table inet novaedge",
        "flush chain inet novaedge vip4",
        "add element inet novaedge services4 { 10.200.0.20 . tcp . 22 }",
        "delete element inet novaedge vips6 { 2001:db8::50 }",
        "add element inet novaedge vips4 { 10.9.9.9 comment \"a form that we never write\" }",
        "insert rule inet novaedge input accept",
        "add chain inet novaedge surprise",
    ];
    inside(node, async || {
        let mut nft = Nft::new();
        nft.guard(&web()).await.unwrap();
        let whole = table();
        for harm in harm {
            node.nft(harm).unwrap();
            assert_ne!(table(), whole);
            nft.guard(&web()).await.unwrap();
            assert_eq!(table(), whole, "after {harm}");
        }
    });
    assert_eq!(node.exec("nft", &["list", "table", "inet", "theirs"]).unwrap(), theirs);
}

#[test]
fn a_table_of_another_shape_is_replaced() {
    let world = World::new("nf-shape");
    let old = "table inet novaedge { set vips4 { type ipv4_addr; flags interval; }; chain input { type filter hook input priority 5; accept; }; }";
    world.node.nft(old).unwrap();
    world.guard(&web());
    assert_eq!(world.connect(VIPS[0], SSHD).unwrap_err(), ErrorKind::TimedOut);
    assert!(world.connect(VIPS[0], SERVICE).is_ok());
}

#[test]
fn one_more_vip_among_a_thousand_costs_a_few_milliseconds() {
    let _alone = crate::WORLD.lock().unwrap_or_else(PoisonError::into_inner);
    let node = Netns::create("link-nf-thousand").unwrap();
    let vip = |n: u16| -> IpAddr {
        match n % 2 {
            0 => format!("10.200.{}.{}", n / 200, n % 200 + 1).parse().unwrap(),
            _ => format!("2001:db8::{n:x}").parse().unwrap(),
        }
    };
    let plan = |count| {
        let addresses: BTreeSet<IpAddr> = (0..count).map(vip).collect();
        let services = addresses
            .iter()
            .flat_map(|&ip| [80u16, 443].map(|port| (ip, Transport::Tcp, port.try_into().unwrap())));
        ExposurePlan { services: services.collect(), addresses: addresses.clone(), muted: BTreeSet::new() }
    };
    let (thousand, more) = (plan(1000), plan(1001));
    inside(&node, async || {
        let mut nft = Nft::new();
        let mut timed = async |what: &str, plan: &ExposurePlan| {
            let started = Instant::now();
            nft.guard(plan).await.unwrap();
            eprintln!("{what}: {:?}", started.elapsed());
            assert_eq!(nft.guarded(), plan.addresses);
            started.elapsed()
        };
        timed("1000 VIPs from nothing", &thousand).await;
        let one = timed("one more", &more).await;
        timed("one less", &thousand).await;
        timed("nothing changed", &thousand).await;
        node.nft("add table inet theirs").unwrap();
        timed("somebody else's table changed", &thousand).await;
        assert!(one < Duration::from_millis(100), "{one:?}");
    });
    let printed = node.exec("nft", &["list", "set", "inet", "novaedge", "services6"]).unwrap();
    assert_eq!(printed.matches(" . tcp . 443").count(), 500);
}

//! The loop among drivers that do as they are told, under a leader that is a channel. The clock is paused.

use super::Orders;
use super::config::{Config, TERMINATION_GRACE_PERIOD};
use super::drivers::{Drivers, Ends};
use super::vip_loop;
use super::wish::Wish;
use crate::model::bgp::{Audience, BgpRoute, PathAttributes};
use crate::model::leaving::{Cause, Hold, Leaving};
use crate::model::name::Name;
use crate::model::net::HostRoute;
use crate::model::observed::{DaemonVersion, Guarded, Held, Observed, Served};
use crate::model::snapshot::Snapshot;
use crate::model::status::{NodeStatus, Phase};
use crate::model::term::Term;
use crate::model::vip::{Addresses, Reach, Vip};
use crate::plan::{ExposurePlan, LIFETIME, LinkPlan, ProxyPlan, RoutingPlan};
use crate::routing::{self, frr};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

const TERM: Term = Term { created: 1_800_000_000, transitions: 1 };

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn route(text: &str) -> HostRoute {
    HostRoute::parse(text).unwrap()
}

fn snapshot(vips: &[(&str, &str)]) -> Snapshot {
    let vip = |address: &str| Vip {
        addresses: Addresses::new([route(address)]).unwrap(),
        ports: BTreeSet::new(),
        reach: Reach::Bgp(BgpRoute {
            attributes: PathAttributes::default(),
            audience: Audience::Peers(BTreeSet::new()),
        }),
        used_ports: BTreeSet::new(),
        min_healthy_nodes: 1,
        withdraw_when_no_backends: true,
        drain_period: Duration::from_secs(2),
        needs: BTreeSet::new(),
    };
    let vips = vips.iter().map(|(vip_name, address)| (name(vip_name), Arc::new(vip(address))));
    Snapshot { vips: Arc::new(vips.collect()), ..Snapshot::empty(name("n1")) }
}

/// A node whose drivers obey at once, and the strings that its loop hangs on.
struct Node {
    snapshot: watch::Sender<Option<Arc<Snapshot>>>,
    leader: watch::Sender<Option<Term>>,
    drain: watch::Sender<bool>,
    end: CancellationToken,
    status: watch::Receiver<Option<Arc<NodeStatus>>>,
    announced: watch::Receiver<Observed>,
    running: JoinHandle<()>,
}

impl Node {
    fn start(first: Snapshot, leader: Option<Term>) -> Self {
        let (snapshot, newest) = watch::channel(None);
        let (leader, led_by) = watch::channel(leader);
        let (drain, drained) = watch::channel(false);
        let (status, seen) = watch::channel(None);
        let (_nothing, rejected) = watch::channel(Vec::new());
        let end = CancellationToken::new();
        let (drivers, announced) = obedient_drivers();
        let orders = Orders { snapshot: newest, rejected, leader: led_by, before: None };
        let (config, ended) = (config(), end.clone());
        let running = tokio::spawn(async move {
            let wish = Wish::new(drained, config.termination_grace_period);
            vip_loop::run(&config, orders, drivers, wish, status, ended).await;
        });
        snapshot.send_replace(Some(Arc::new(first)));
        Self { snapshot, leader, drain, end, status: seen, announced, running }
    }

    fn say(&self, snapshot: Snapshot) {
        self.snapshot.send_replace(Some(Arc::new(snapshot)));
    }

    async fn until(&mut self, what: &str, holds: impl Fn(&NodeStatus) -> bool) -> Arc<NodeStatus> {
        let waited = self.status.wait_for(|status| status.as_deref().is_some_and(&holds));
        let found = timeout(Duration::from_secs(120), waited).await.map(|status| status.unwrap().clone());
        match found {
            Ok(status) => status.unwrap(),
            Err(_) => panic!("{what}: {:#?}", self.status.borrow()),
        }
    }

    async fn until_phase(&mut self, vip: &str, phase: Phase) -> Arc<NodeStatus> {
        let vip = name(vip);
        self.until(&format!("{vip} is {phase:?}"), |s| s.vips.get(&vip).is_some_and(|vip| vip.phase == phase))
            .await
    }

    /// How long the loop goes on.
    async fn end(self) -> Duration {
        let since = Instant::now();
        timeout(Duration::from_secs(300), self.running).await.expect("it ends").unwrap();
        since.elapsed()
    }
}

fn config() -> Config {
    Config {
        node: name("n1"),
        state_dir: "unused".into(),
        admin_socket: "unused".into(),
        metrics_address: "127.0.0.1:0".parse().unwrap(),
        daemon: routing::Choice::Frr(frr::Options { vty_dir: "unused".into(), startup_config: None }),
        proxy_cores: NonZeroUsize::MIN,
        termination_grace_period: TERMINATION_GRACE_PERIOD,
    }
}

fn ends<Plan, Seen: Default>(
    nothing: Plan,
) -> (Ends<Plan, Seen>, watch::Receiver<Arc<Plan>>, watch::Sender<Seen>) {
    let (plans, inbox) = watch::channel(Arc::new(nothing));
    let (outbox, seen) = watch::channel(Seen::default());
    (Ends { plans, seen }, inbox, outbox)
}

fn obey<Plan: Send + Sync + 'static, Seen: Send + Sync + 'static>(
    mut inbox: watch::Receiver<Arc<Plan>>,
    outbox: watch::Sender<Seen>,
    carried_out: impl Fn(&Plan) -> Seen + Send + 'static,
) {
    tokio::spawn(async move {
        while inbox.changed().await.is_ok() {
            let seen = carried_out(&inbox.borrow_and_update());
            outbox.send_replace(seen);
        }
    });
}

fn obedient_drivers() -> (Drivers, watch::Receiver<Observed>) {
    let (link, inbox, outbox) = ends(LinkPlan { addresses: BTreeSet::new(), lifetime: LIFETIME });
    outbox.send_replace(Held::default());
    obey(inbox, outbox, |plan: &LinkPlan| Held { addresses: plan.addresses.clone(), ..Held::default() });
    let (exposure, inbox, outbox) = ends(ExposurePlan::default());
    obey(inbox, outbox, |plan: &ExposurePlan| Guarded { addresses: plan.addresses.clone(), trouble: None });
    let (routing, inbox, outbox) = ends(RoutingPlan::default());
    let observed = |plan: &RoutingPlan| Observed {
        daemon: Some(DaemonVersion { name: "frr".into(), version: "8.4.4".into() }),
        announced: plan.announcements.keys().copied().collect(),
        ..Observed::default()
    };
    outbox.send_replace(observed(&RoutingPlan::default()));
    let announced = routing.seen.clone();
    obey(inbox, outbox, observed);
    let (proxy, inbox, outbox) = ends(ProxyPlan::default());
    obey(inbox, outbox, |_: &ProxyPlan| Served::default());
    (Drivers { link, exposure, routing, proxy, router_id: Ipv4Addr::LOCALHOST, uplink: None }, announced)
}

fn reasons(status: &NodeStatus, vip: &str) -> Vec<String> {
    status.vips[&name(vip)].reasons.iter().map(|reason| reason.reason.clone()).collect()
}

const BOTH: [(&str, &str); 2] = [("one", "10.200.0.61"), ("two", "10.200.0.62")];

/// No peer is up here, so this is as far as a VIP gets.
const SERVED: Phase = Phase::Ready;

fn said(vips: &[(&str, Leaving)]) -> Snapshot {
    let leaving: BTreeMap<_, _> = vips.iter().map(|(vip, word)| (name(vip), word.clone())).collect();
    Snapshot { leaving, ..snapshot(&BOTH) }
}

#[tokio::test(start_paused = true)]
async fn without_a_leader_a_drain_is_carried_out_at_once_and_taken_back() {
    let mut node = Node::start(snapshot(&BOTH), None);
    node.until_phase("one", SERVED).await;
    node.drain.send_replace(true);
    let status = node.until("both are gone", |s| s.held.is_empty()).await;
    assert_eq!(status.wish, Some(Cause::Drain));
    assert!(status.vips.values().all(|vip| vip.phase == Phase::Withdrawn));
    assert_eq!(reasons(&status, "one"), ["Leaving"]);
    node.drain.send_replace(false);
    let status = node.until_phase("two", SERVED).await;
    assert_eq!((status.wish, status.held.len()), (None, 2));
}

#[tokio::test(start_paused = true)]
async fn a_led_node_waits_for_its_leaders_word_vip_by_vip() {
    let mut node = Node::start(snapshot(&BOTH), Some(TERM));
    node.until_phase("one", SERVED).await;
    node.drain.send_replace(true);
    let status = node.until("the wish is told", |s| s.wish == Some(Cause::Drain)).await;
    assert_eq!((status.term, status.vips[&name("one")].phase), (Some(TERM), SERVED));

    let by = Hold::OneByOne { leaver: name("n2") };
    let granted = Leaving::Granted { cause: Cause::Drain };
    node.say(said(&[("one", granted.clone()), ("two", Leaving::Held { cause: Cause::Drain, by })]));
    let status = node.until("one is released", |s| !s.held.contains(&route("10.200.0.61"))).await;
    assert_eq!(
        (status.vips[&name("one")].phase, status.vips[&name("two")].phase),
        (Phase::Withdrawn, SERVED)
    );
    assert_eq!(reasons(&status, "two")[0], "Held");

    node.drain.send_replace(false);
    node.say(snapshot(&BOTH));
    let status = node.until_phase("one", SERVED).await;
    assert!(reasons(&status, "two").iter().all(|reason| reason != "Held"));
}

#[tokio::test(start_paused = true)]
async fn the_end_waits_for_leave_and_goes_when_it_is_given() {
    let mut node = Node::start(snapshot(&BOTH), Some(TERM));
    node.until_phase("one", SERVED).await;
    node.end.cancel();
    let status = node.until("the wish is told", |s| s.wish == Some(Cause::Terminating)).await;
    assert_eq!(status.vips[&name("one")].phase, SERVED);
    let granted = Leaving::Granted { cause: Cause::Terminating };
    node.say(said(&[("one", granted.clone()), ("two", granted)]));
    let took = node.end().await;
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn the_end_waits_no_longer_than_the_grace_period() {
    let mut node = Node::start(snapshot(&BOTH), Some(TERM));
    node.until_phase("one", SERVED).await;
    node.end.cancel();
    let took = node.end().await;
    let late = TERMINATION_GRACE_PERIOD + Duration::from_secs(10);
    assert!(took >= TERMINATION_GRACE_PERIOD && took < late, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_falls_silent_is_not_waited_for() {
    let mut node = Node::start(snapshot(&BOTH), Some(TERM));
    node.until_phase("one", SERVED).await;
    node.end.cancel();
    node.until("the wish is told", |s| s.wish == Some(Cause::Terminating)).await;
    node.leader.send_replace(None);
    let took = node.end().await;
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_vip_that_is_deleted_and_comes_back_is_never_withdrawn() {
    let mut node = Node::start(snapshot(&BOTH), None);
    node.until_phase("two", SERVED).await;
    let mut announced = node.announced.clone();
    let lost = tokio::spawn(async move {
        let without = |seen: &Observed| !seen.announced.contains(&route("10.200.0.62"));
        timeout(Duration::from_secs(30), announced.wait_for(without)).await.is_ok()
    });
    node.say(snapshot(&BOTH[..1]));
    node.until("two has left the snapshot", |s| !s.vips.contains_key(&name("two"))).await;
    node.say(snapshot(&BOTH));
    node.until_phase("two", SERVED).await;
    assert!(!lost.await.unwrap(), "the route was withdrawn");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_vip_leaves_the_node_and_its_neighbour_alone() {
    let mut node = Node::start(snapshot(&BOTH), None);
    node.until_phase("two", SERVED).await;
    let since = Instant::now();
    node.say(snapshot(&BOTH[..1]));
    let status = node.until("two is released", |s| !s.held.contains(&route("10.200.0.62"))).await;
    assert!(since.elapsed() > Duration::from_secs(2), "it took its steps");
    assert_eq!(status.vips[&name("one")].phase, SERVED);
    assert!(status.held.contains(&route("10.200.0.61")));
}

//! A proxy in a namespace of its own, and the words to write its plans with.

use crate::inside::inside;
use anyhow::{Result, ensure};
use novaedge::model::backend::{Backend, Endpoint, LbPolicy, UpstreamProtocol};
use novaedge::model::http::{Hostname, Match, PathMatch, Rule, VirtualHost, WeightedBackend};
use novaedge::model::listener::{Listener, ListenerKey, Serves};
use novaedge::model::name::{Key, Name};
use novaedge::model::observed::{ListenerState, Served};
use novaedge::plan::ProxyPlan;
use novaedge::proxy::{Metrics, Options, drive};
use novaedge_lab::Netns;
use novaedge_lab::eventually_async;
use prometheus_client::registry::Registry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

pub const VIP: &str = "10.200.0.20";
pub const VIP6: &str = "2001:db8::50";
/// On the loopback device too, and no VIP.
pub const OTHER: &str = "10.200.0.99";
pub const SOON: Duration = Duration::from_secs(10);

pub fn vip() -> SocketAddr {
    SocketAddr::new(VIP.parse().unwrap(), 80)
}

/// A running proxy. Ends with the value.
pub struct Stage {
    plans: watch::Sender<Arc<ProxyPlan>>,
    pub seen: watch::Receiver<Served>,
    registry: Registry,
}

/// Runs `play` in a namespace `proxy-NAME` that has the VIPs, beside a proxy with two cores.
pub fn play(name: &str, play: impl AsyncFnOnce(&mut Stage) + Send) {
    let netns = Netns::create(&format!("proxy-{name}")).unwrap();
    for address in [VIP, OTHER] {
        netns.ip(&format!("addr add {address}/32 dev lo")).unwrap();
    }
    netns.ip(&format!("addr add {VIP6}/128 dev lo nodad")).unwrap();
    inside(&netns, async || {
        let mut stage = Stage::new();
        play(&mut stage).await;
    });
}

impl Stage {
    fn new() -> Self {
        let mut registry = Registry::default();
        let metrics = Metrics::new(&mut registry);
        let (plans, inbox) = watch::channel(Arc::default());
        let (report, seen) = watch::channel(Served::default());
        let options = Options { cores: NonZeroUsize::new(2).unwrap(), metrics };
        tokio::spawn(drive(options, inbox, report));
        Self { plans, seen, registry }
    }

    pub fn plan(&self, plan: &ProxyPlan) {
        self.plans.send_replace(Arc::new(plan.clone()));
    }

    /// Puts a plan in force: returns when all of its listeners, and no others, are bound, and its endpoints,
    /// and no others, are known. Without the latter, the report of a plan with the same ports would do.
    pub async fn serve(&self, plan: &ProxyPlan) {
        self.plan(plan);
        let wanted = &plan.serving.listeners;
        let of_plan =
            |backend: &Backend| backend.endpoints.iter().map(|e| e.address).collect::<BTreeSet<_>>();
        let endpoints: BTreeMap<_, _> = plan.serving.backends.iter().map(|(k, b)| (k, of_plan(b))).collect();
        let what = "the plan's listeners are bound";
        self.until(what, |served| {
            let bound = served.listeners.values().all(|state| *state == ListenerState::Bound);
            ensure!(bound && served.listeners.keys().eq(wanted.keys()), "{:?}", served.listeners);
            let known = served.backends.iter().map(|(k, b)| (k, b.endpoints.keys().copied().collect()));
            ensure!(known.collect::<BTreeMap<_, BTreeSet<_>>>() == endpoints, "{:?}", served.backends);
            Ok(())
        })
        .await;
    }

    /// What a scrape would get.
    pub fn metrics(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        text
    }

    /// Waits until the proxy's report satisfies `check`.
    pub async fn until<T>(&self, what: &str, check: impl Fn(&Served) -> Result<T>) -> T {
        eventually_async(what, SOON, async || check(&self.seen.borrow())).await.unwrap()
    }
}

pub fn key(name: &str) -> Key {
    Key::new(Name::parse("default").unwrap(), Name::parse(name).unwrap())
}

/// A plan with one HTTP listener on port 80 of both addresses, all of it to the backend `web`.
pub fn http(backend: Backend) -> ProxyPlan {
    let mut plan = ProxyPlan::default();
    listen(&mut plan, 80, Serves::Http(vec![any_host(vec![rule("/", &[("web", 1)])])]));
    plan.serving.backends.insert(key("web"), backend.into());
    plan
}

/// A plan with one TCP listener on port 80, to the backend `web`.
pub fn tcp(backend: Backend) -> ProxyPlan {
    let mut plan = ProxyPlan::default();
    listen(&mut plan, 80, Serves::Tcp(vec![WeightedBackend { backend: key("web"), weight: 1 }]));
    plan.serving.backends.insert(key("web"), backend.into());
    plan
}

pub fn listen(plan: &mut ProxyPlan, port: u16, serves: Serves) {
    let addresses = [VIP, VIP6].map(|address| address.parse::<IpAddr>().unwrap());
    let listener = Listener { addresses: addresses.into(), serves };
    plan.serving.listeners.insert(listener_key(port), listener.into());
}

pub fn listener_key(port: u16) -> ListenerKey {
    ListenerKey::try_from(format!("vip:{port}")).unwrap()
}

pub fn any_host(rules: Vec<Rule>) -> VirtualHost {
    VirtualHost { hostname: Hostname::Any, rules }
}

pub fn rule(prefix: &str, backends: &[(&str, u32)]) -> Rule {
    let share = |(name, weight): &(&str, u32)| WeightedBackend { backend: key(name), weight: *weight };
    let matches = Match {
        path: PathMatch::Prefix(prefix.to_owned()),
        method: None,
        headers: Vec::new(),
        query: Vec::new(),
    };
    Rule { route: key("route"), matches, backends: backends.iter().map(share).collect(), timeout: None }
}

/// A backend that speaks HTTP/1.1, with these endpoints of weight 1 and no health check.
pub fn backend(endpoints: &[SocketAddr]) -> Backend {
    let endpoint = |address: &SocketAddr| Endpoint { address: *address, weight: 1, node: None };
    Backend {
        endpoints: endpoints.iter().map(endpoint).collect(),
        policy: LbPolicy::RoundRobin,
        protocol: UpstreamProtocol::Http1,
        connect_timeout: Duration::from_secs(2),
        idle_timeout: Duration::from_secs(60),
        health_check: None,
    }
}

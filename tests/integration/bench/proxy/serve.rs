//! Our proxy as a process of its own: its driver and a fixed plan, nothing around it.

use super::contender::{Kind, Service};
use super::endpoint;
use anyhow::Result;
use novaedge::model::backend::{Backend, Endpoint, LbPolicy, UpstreamProtocol};
use novaedge::model::http::{Hostname, Match, PathMatch, Rule, VirtualHost, WeightedBackend};
use novaedge::model::listener::{Listener, ListenerKey, Serves};
use novaedge::model::name::{Key, Name};
use novaedge::model::observed::Served;
use novaedge::plan::ProxyPlan;
use novaedge::proxy::{Metrics, Options, drive};
use prometheus_client::registry::Registry;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

pub fn run() -> Result<()> {
    let (plans, inbox) = watch::channel(Arc::default());
    plans.send_replace(Arc::new(plan()?));
    let mut registry = Registry::default();
    let options = Options { cores: NonZeroUsize::MIN, metrics: Metrics::new(&mut registry) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(drive(options, inbox, watch::Sender::new(Served::default())));
    Ok(())
}

fn plan() -> Result<ProxyPlan> {
    let key = Key::new(Name::parse("bench")?, Name::parse("endpoint")?);
    let share = vec![WeightedBackend { backend: key.clone(), weight: 1 }];
    let matches = Match {
        path: PathMatch::Prefix("/".to_owned()),
        method: None,
        headers: Vec::new(),
        query: Vec::new(),
    };
    let rule = Rule { route: key.clone(), matches, backends: share.clone(), timeout: None };
    let hosts = vec![VirtualHost { hostname: Hostname::Any, rules: vec![rule] }];
    let mut plan = ProxyPlan::default();
    for (service, serves) in [(Service::Http1, Serves::Http(hosts)), (Service::Tcp, Serves::Tcp(share))] {
        let name = ListenerKey::try_from(format!("bench:{}", Kind::NovaEdge.port(service)))?;
        let addresses = [IpAddr::V4(Ipv4Addr::LOCALHOST)].into();
        plan.serving.listeners.insert(name, Listener { addresses, serves }.into());
    }
    let endpoint = Endpoint { address: (Ipv4Addr::LOCALHOST, endpoint::PORT).into(), weight: 1, node: None };
    let backend = Backend {
        endpoints: vec![endpoint],
        policy: LbPolicy::RoundRobin,
        protocol: UpstreamProtocol::Http1,
        connect_timeout: Duration::from_secs(2),
        idle_timeout: Duration::from_secs(60),
        health_check: None,
    };
    plan.serving.backends.insert(key, backend.into());
    Ok(plan)
}

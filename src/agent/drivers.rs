//! Starts the four drivers, and holds an inbox (the newest plan) and an outbox (what it sees) of each.

use super::config::Config;
use super::metrics;
use crate::l2;
use crate::model::net::InterfaceName;
use crate::model::observed::{Guarded, Held, Observed, Served};
use crate::netfilter;
use crate::plan::{ExposurePlan, LIFETIME, LinkPlan, ProxyPlan, RoutingPlan};
use crate::proxy;
use crate::routing::{self, bird, frr, gobgp};
use crate::runtime::tasks::Tasks;
use prometheus_client::registry::Registry;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::sync::watch;

#[derive(Debug)]
pub struct Drivers {
    pub link: Ends<LinkPlan, Held>,
    pub exposure: Ends<ExposurePlan, Guarded>,
    pub routing: Ends<RoutingPlan, Observed>,
    pub proxy: Ends<ProxyPlan, Served>,
    /// The router id that this node uses unless a VIP gives one.
    pub router_id: Ipv4Addr,
    /// The interface that OSPF is spoken on unless a VIP names others.
    pub uplink: Option<InterfaceName>,
}

/// The loop's ends of a driver's channels.
#[derive(Debug)]
pub struct Ends<Plan, Seen> {
    pub plans: watch::Sender<Arc<Plan>>,
    pub seen: watch::Receiver<Seen>,
}

/// The driver's ends.
type Driven<Plan, Seen> = (watch::Receiver<Arc<Plan>>, watch::Sender<Seen>);

fn channel<Plan, Seen: Default>(nothing: Plan) -> (Ends<Plan, Seen>, Driven<Plan, Seen>) {
    let (plans, inbox) = watch::channel(Arc::new(nothing));
    let (outbox, seen) = watch::channel(Seen::default());
    (Ends { plans, seen }, (inbox, outbox))
}

impl<Plan: PartialEq, Seen> Ends<Plan, Seen> {
    /// Hands the plan over, whether or not it differs: to the link driver, every plan is one refresh.
    pub fn hand_over(&self, plan: Plan) {
        self.plans.send_replace(Arc::new(plan));
    }

    /// Hands the plan over if it differs from the newest one.
    pub fn offer(&self, plan: Plan) {
        self.plans.send_if_modified(|newest| {
            let differs = **newest != plan;
            if differs {
                *newest = Arc::new(plan);
            }
            differs
        });
    }
}

/// No driver acts before the loop sends it a first plan: what an earlier agent left in place stays in
/// place until then.
pub async fn start(config: &Config, registry: &mut Registry, tasks: &mut Tasks) -> Drivers {
    let (link, (inbox, outbox)) = channel(LinkPlan { addresses: Default::default(), lifetime: LIFETIME });
    tasks.spawn("l2", l2::drive(l2::netlink::Netlink::new(), inbox, outbox));
    let (exposure, (inbox, outbox)) = channel(ExposurePlan::default());
    tasks.spawn("netfilter", netfilter::drive(netfilter::Nft::new(), inbox, outbox));
    let (routing, (inbox, outbox)) = channel(RoutingPlan::default());
    registry.register_collector(Box::new(metrics::Routing(routing.seen.clone())));
    match &config.daemon {
        routing::Choice::Frr(options) => {
            tasks.spawn("routing", routing::drive(frr::Frr::new(options.clone()), inbox, outbox));
        }
        routing::Choice::Bird(options) => {
            tasks.spawn("routing", routing::drive(bird::Bird::new(options.clone()), inbox, outbox));
        }
        routing::Choice::Gobgp(options) => {
            tasks.spawn("routing", routing::drive(gobgp::Gobgp::new(options), inbox, outbox));
        }
    }
    let (proxy, (inbox, outbox)) = channel(ProxyPlan::default());
    let options = proxy::Options { cores: config.proxy_cores, metrics: proxy::Metrics::new(registry) };
    tasks.spawn("proxy", proxy::drive(options, inbox, outbox));
    let router_id = l2::identity::router_id(&config.node).await;
    Drivers { link, exposure, routing, proxy, router_id, uplink: l2::identity::uplink().await }
}

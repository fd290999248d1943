//! Kinds whose behaviour comes with a later version: refused, never ignored.

use super::rejection::{Findings, Rejection};
use super::scene::Scene;
use crate::api::condition::Reason;

/// The class prefix by which a Service asks for a VIP of ours.
const LOAD_BALANCER_CLASS: &str = "novaedge.io/";

pub fn refuse(scene: &Scene, rejections: &mut Vec<Rejection>) {
    for key in scene.world.pools.keys().filter(|_| scene.pools.is_none()) {
        let message = "only a controller gives addresses out of pools, so that no two nodes give one twice; \
                       run novaedge-controller, or write the addresses into the VIPs";
        one(Findings::about("ProxyIPPool", key), "spec", message, rejections);
    }
    for (key, policy) in &scene.world.policies {
        let message = format!(
            "{:?} is not supported yet by this version; {:?} {} is served without it, so protect it otherwise",
            policy.spec.r#type, policy.spec.target_ref.kind, policy.spec.target_ref.name
        );
        one(Findings::about("ProxyPolicy", key), "spec", &message, rejections);
    }
    for (key, service) in &scene.world.services {
        let class = service.spec.as_ref().and_then(|spec| spec.load_balancer_class.as_ref());
        if class.is_some_and(|class| class.starts_with(LOAD_BALANCER_CLASS)) {
            let message = "load balancer Services are not supported yet by this version; write a ProxyVIP";
            one(Findings::about("Service", key), "spec.loadBalancerClass", message, rejections);
        }
    }
}

fn one(mut findings: Findings, field: &str, message: &str, rejections: &mut Vec<Rejection>) {
    findings.refuse(field, Reason::NotSupported, message);
    rejections.extend(findings.into_rejections());
}

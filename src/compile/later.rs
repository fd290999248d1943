//! Kinds whose behaviour comes with a later version: refused, never ignored.

use super::here::Here;
use super::rejection::{Findings, Rejection};
use crate::api::condition::Reason;

/// The class prefix by which a Service asks for a VIP of ours.
const LOAD_BALANCER_CLASS: &str = "novaedge.io/";

pub fn refuse(here: &Here, rejections: &mut Vec<Rejection>) {
    for key in here.world.pools.keys() {
        let message = "pools are not supported yet by this version; write the addresses into the VIPs";
        one(Findings::about("ProxyIPPool", key), "spec", message, rejections);
    }
    for (key, policy) in &here.world.policies {
        let message = format!(
            "{:?} is not supported yet by this version; {:?} {} is served without it, so protect it otherwise",
            policy.spec.r#type, policy.spec.target_ref.kind, policy.spec.target_ref.name
        );
        one(Findings::about("ProxyPolicy", key), "spec", &message, rejections);
    }
    for (key, service) in &here.world.services {
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

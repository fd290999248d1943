//! A backend as one core uses it: its balancer, and kept connections to each endpoint.

use super::endpoint::Endpoint;
use super::idle::Kept;
use super::registry::Group;
use crate::model::backend::Backend;
use crate::proxy::balance::{Balancer, Standing};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

pub struct Pool {
    pub settings: Arc<Backend>,
    pub members: Vec<Member>,
    balancer: Balancer,
}

#[derive(Clone)]
pub struct Member {
    pub endpoint: Arc<Endpoint>,
    weight: u32,
    pub kept: Rc<Kept>,
}

impl Pool {
    /// `before` is the same backend by an earlier plan. One that did not change stays; of one that did,
    /// the connections to endpoints that are still there.
    pub fn renew(group: &Group, before: Option<&Rc<Self>>) -> Rc<Self> {
        match before {
            Some(pool) if pool.serves(group) => Rc::clone(pool),
            _ => Rc::new(Self::new(group, before)),
        }
    }

    fn serves(&self, group: &Group) -> bool {
        let same = |(member, endpoint): (&Member, &Arc<Endpoint>)| Arc::ptr_eq(&member.endpoint, endpoint);
        self.settings == group.settings && self.members.iter().zip(&group.endpoints).all(same)
    }

    fn new(group: &Group, before: Option<&Rc<Self>>) -> Self {
        let settings = &group.settings;
        let same_protocol = before.filter(|pool| pool.settings.protocol == settings.protocol);
        let kept: HashMap<*const Endpoint, &Rc<Kept>> = same_protocol
            .iter()
            .flat_map(|pool| &pool.members)
            .map(|member| (Arc::as_ptr(&member.endpoint), &member.kept))
            .collect();
        let member = |(endpoint, weight): (&Arc<Endpoint>, u32)| Member {
            kept: kept.get(&Arc::as_ptr(endpoint)).map(|kept| Rc::clone(kept)).unwrap_or_default(),
            endpoint: Arc::clone(endpoint),
            weight,
        };
        let weights = settings.endpoints.iter().map(|endpoint| endpoint.weight);
        Self {
            members: group.endpoints.iter().zip(weights).map(member).collect(),
            balancer: Balancer::new(settings.policy),
            settings: Arc::clone(settings),
        }
    }

    /// The endpoint for the next request, none of `tried`. One that refused a connection a moment ago is
    /// chosen only when there is no other.
    pub fn choose(&self, tried: &[usize], now: Instant, dice: &mut fastrand::Rng) -> Option<usize> {
        let usable = |index: usize| {
            let member = &self.members[index];
            !tried.contains(&index) && member.endpoint.is_usable()
        };
        let preferred = |index: usize| usable(index) && !self.members[index].endpoint.is_avoided(now);
        self.pick(preferred, now, dice).or_else(|| self.pick(usable, now, dice))
    }

    fn pick(
        &self,
        eligible: impl Fn(usize) -> bool,
        now: Instant,
        dice: &mut fastrand::Rng,
    ) -> Option<usize> {
        let standing = |index: usize| {
            let member = &self.members[index];
            Standing {
                weight: if eligible(index) { member.weight } else { 0 },
                outstanding: member.endpoint.outstanding(),
            }
        };
        let latency = |index: usize| self.members[index].endpoint.latency(now);
        self.balancer.pick(self.members.len(), standing, latency, dice)
    }

    pub fn sweep(&self, now: Instant) {
        for member in &self.members {
            member.kept.sweep(now, self.settings.idle_timeout);
        }
    }
}

//! The clocks of leaving, one per address, around the pure steps of [`plan::leave`].

use crate::model::net::HostRoute;
use crate::model::snapshot::Snapshot;
use crate::plan::leave::{self, Moment};
use crate::plan::{Leave, NodeFacts};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Drivers that cannot let go by then (a daemon that does not answer) are not waited for: what is left
/// expires or is adopted by the next agent.
const LET_GO_LIMIT: Duration = Duration::from_secs(2);
/// What drivers report may be so much older than the plan that they were handed.
const REPORTS_AGE: Duration = Duration::from_millis(250);

/// In which step each leaving address is, and since when.
#[derive(Debug, Default)]
pub struct Departures {
    entered: BTreeMap<HostRoute, (Leave, Instant)>,
    /// Since when every address of the node is released.
    over: Option<Instant>,
}

impl Departures {
    /// As [`NodeFacts::leave`] has them.
    pub fn steps(&self) -> BTreeMap<HostRoute, Leave> {
        self.entered.iter().map(|(route, (step, _))| (*route, *step)).collect()
    }

    /// Whether any step may soon be over.
    pub fn are_under_way(&self) -> bool {
        self.entered.values().any(|(step, _)| step.is_under_way())
    }

    /// Lets the `leavers` begin or take their next step if it is time for it, and calls all other departures
    /// off. Each leaver comes with its drain period.
    pub fn advance(&mut self, leavers: &BTreeMap<HostRoute, Duration>, facts: &NodeFacts, now: Instant) {
        let before = std::mem::take(&mut self.entered);
        for (&route, &drain_period) in leavers {
            let next = next_step(before.get(&route), drain_period, route, facts, now);
            let since = before.get(&route).filter(|(step, _)| *step == next).map_or(now, |(_, since)| *since);
            self.entered.insert(route, (next, since));
        }
        log_changes(&before, &self.entered);
    }

    /// Whether [`Self::advance`] would change anything.
    pub fn are_due(&self, leavers: &BTreeMap<HostRoute, Duration>, facts: &NodeFacts, now: Instant) -> bool {
        leavers.iter().any(|(&route, &drain_period)| {
            let entered = self.entered.get(&route);
            Some(next_step(entered, drain_period, route, facts, now)) != entered.map(|(step, _)| *step)
        })
    }

    /// Whether nothing of ours is left on a node that is to leave everything: no address, no rule, no peer or
    /// neighbour in the daemon.
    pub fn is_over(&mut self, snapshot: &Snapshot, facts: &NodeFacts, now: Instant) -> bool {
        let mut current = snapshot.vips.values().flat_map(|vip| vip.addresses.iter());
        let released = |route: HostRoute| facts.step(route) == Leave::Released;
        if !current.all(released) || !facts.former.keys().copied().all(released) {
            self.over = None;
            return false;
        }
        let since = now.duration_since(*self.over.get_or_insert(now));
        let mut peers = snapshot.speaker.iter().flat_map(|speaker| speaker.peers.keys());
        let gone = facts.held.addresses.is_empty()
            && facts.guarded.addresses.is_empty()
            && !peers.any(|peer| facts.observed.peers.contains_key(peer))
            && (snapshot.ospf.is_none() || facts.observed.neighbors.is_empty());
        since >= LET_GO_LIMIT || (gone && since >= REPORTS_AGE)
    }
}

fn next_step(
    entered: Option<&(Leave, Instant)>,
    drain_period: Duration,
    route: HostRoute,
    facts: &NodeFacts,
    now: Instant,
) -> Leave {
    match entered {
        None => leave::first_step(route, facts),
        Some((step, since)) => {
            let moment = Moment::new(now.duration_since(*since), drain_period, route, facts);
            leave::step(*step, &moment)
        }
    }
}

type Entered = BTreeMap<HostRoute, (Leave, Instant)>;

/// A line for each step that was taken, however many addresses took it.
fn log_changes(before: &Entered, now: &Entered) {
    let mut taken: BTreeMap<Leave, Vec<HostRoute>> = BTreeMap::new();
    for (route, (step, _)) in now {
        if before.get(route).map(|(step, _)| step) != Some(step) {
            taken.entry(*step).or_default().push(*route);
        }
    }
    let back = before.keys().filter(|route| !now.contains_key(*route)).copied();
    taken.entry(Leave::Staying).or_default().extend(back);
    for (step, routes) in taken {
        if let Some(first) = routes.first() {
            tracing::info!(?step, %first, addresses = routes.len(), "leaving");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::observed::{DaemonVersion, Held, Observed, Traffic};
    use crate::plan::Formers;
    use std::net::Ipv4Addr;

    fn route(text: &str) -> HostRoute {
        HostRoute::parse(text).unwrap()
    }

    /// Both addresses are held and announced, and the daemon answers.
    fn facts() -> NodeFacts {
        let routes = [route("10.200.0.20"), route("10.200.0.21")];
        NodeFacts {
            held: Held { addresses: routes.into(), ..Held::default() },
            guarded: Default::default(),
            observed: Observed {
                daemon: Some(DaemonVersion { name: "frr".into(), version: "8.4.4".into() }),
                announced: routes.into(),
                ..Observed::default()
            },
            served: Default::default(),
            router_id: Ipv4Addr::LOCALHOST,
            uplink: None,
            leaving: BTreeMap::new(),
            leave: BTreeMap::new(),
            former: Formers::new(),
        }
    }

    #[test]
    fn each_address_walks_by_its_own_clock_and_may_turn_back() {
        let (a, b) = (route("10.200.0.20"), route("10.200.0.21"));
        let (mut departures, facts, start) = (Departures::default(), facts(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        let both = BTreeMap::from([(a, Duration::ZERO), (b, Duration::ZERO)]);
        let first = BTreeMap::from([(a, Duration::ZERO)]);
        assert!(departures.are_due(&first, &facts, at(0)));
        departures.advance(&first, &facts, at(0));
        assert!(!departures.are_due(&first, &facts, at(200)));
        assert!(departures.are_due(&first, &facts, at(300)));
        departures.advance(&first, &facts, at(300));
        departures.advance(&both, &facts, at(400));
        assert_eq!(departures.steps(), BTreeMap::from([(a, Leave::Muted), (b, Leave::Finishing)]));
        departures.advance(&both, &facts, at(600));
        assert_eq!(departures.steps(), BTreeMap::from([(a, Leave::Yielding), (b, Leave::Finishing)]));
        departures.advance(&first, &facts, at(700));
        assert_eq!(departures.steps(), BTreeMap::from([(a, Leave::Yielding)]));
        assert!(departures.are_under_way());
    }

    #[test]
    fn traffic_to_another_address_holds_nobody_up() {
        let (a, b) = (route("10.200.0.20"), route("10.200.0.21"));
        let (mut departures, mut facts, start) = (Departures::default(), facts(), Instant::now());
        facts.served.traffic.insert(b.address(), Traffic { connections: 9, in_flight: 2 });
        let both = BTreeMap::from([(a, Duration::ZERO), (b, Duration::ZERO)]);
        departures.advance(&both, &facts, start);
        departures.advance(&both, &facts, start + Duration::from_millis(300));
        assert_eq!(departures.steps(), BTreeMap::from([(a, Leave::Muted), (b, Leave::Finishing)]));
    }

    #[test]
    fn what_is_not_here_has_left_already() {
        let away = route("10.200.0.99");
        let mut departures = Departures::default();
        departures.advance(&BTreeMap::from([(away, Duration::ZERO)]), &facts(), Instant::now());
        assert_eq!(departures.steps(), BTreeMap::from([(away, Leave::Released)]));
        assert!(!departures.are_under_way());
    }
}

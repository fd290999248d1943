//! Which addresses live agents may have, so that none of them is given to another VIP (spec §2.10).
//!
//! A report tells what is on a node, but it may be older than a snapshot that is on its way there. So an agent
//! counts as holding what it reports, and what any snapshot carries that was sent to it since the one
//! that the report is about.

use crate::model::attendance::Attendance;
use crate::model::name::Name;
use crate::model::net::HostRoute;
use crate::model::status::NodeStatus;
use crate::model::term::Term;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Longer than the kernel keeps what a dead agent does not refresh (3 s), and routers what is withdrawn then.
const LINGERING: u64 = 8;

/// Older snapshots that an agent has not answered for are counted as one.
const REMEMBERED: usize = 8;

/// Nodes that were sent the same share it.
type Addresses = Arc<BTreeSet<HostRoute>>;

#[derive(Debug, Default)]
pub struct Holders(BTreeMap<Name, Holder>);

#[derive(Debug, Default)]
struct Holder {
    /// What was sent to the node, by generation.
    sent: BTreeMap<u64, Addresses>,
    reported: Option<Reported>,
}

/// A report of many addresses, hardly any of which was not sent. It is compared once.
#[derive(Debug)]
struct Reported {
    status: Arc<NodeStatus>,
    sent: Addresses,
    /// What it has besides.
    besides: BTreeSet<HostRoute>,
}

impl Holder {
    fn besides(&mut self, status: &Arc<NodeStatus>) -> &BTreeSet<HostRoute> {
        let sent = self.sent.first_key_value().map(|(_, sent)| Arc::clone(sent)).unwrap_or_default();
        let known = self.reported.take();
        let known =
            known.filter(|known| Arc::ptr_eq(&known.status, status) && Arc::ptr_eq(&known.sent, &sent));
        let compare = || Reported {
            status: Arc::clone(status),
            besides: status.held.difference(&sent).copied().collect(),
            sent,
        };
        &self.reported.insert(known.unwrap_or_else(compare)).besides
    }
}

impl Holders {
    /// To be noted before the snapshot goes out.
    pub fn sent(&mut self, node: &Name, generation: u64, addresses: Addresses) {
        let of_node = &mut self.0.entry(node.clone()).or_default().sent;
        match of_node.get_mut(&generation) {
            Some(known) => add(known, &addresses),
            None => drop(of_node.insert(generation, addresses)),
        }
        while of_node.len() > REMEMBERED {
            let Some((_, oldest)) = of_node.pop_first() else { break };
            if let Some(mut next) = of_node.first_entry() {
                add(next.get_mut(), &oldest);
            }
        }
    }

    /// Forgets the nodes that are no more.
    pub fn retain(&mut self, mut is_node: impl FnMut(&Name) -> bool) {
        self.0.retain(|node, _| is_node(node));
    }

    /// What live agents may have. `term` is this controller's own: what an agent says about the snapshots of
    /// another one proves nothing about ours. `now` is in Unix seconds.
    pub fn held(&mut self, agents: &BTreeMap<Name, Attendance>, term: Term, now: u64) -> BTreeSet<HostRoute> {
        let mut held = Addresses::default();
        let mut counted = BTreeSet::new();
        let counts = |agent: &Attendance| agent.alive || now.saturating_sub(agent.since) < LINGERING;
        for (node, agent) in agents.iter().filter(|(_, agent)| counts(agent)) {
            let holder = self.0.entry(node.clone()).or_default();
            if let Some(status) = &agent.status {
                if status.term == Some(term) {
                    holder.sent = holder.sent.split_off(&status.generation);
                }
                let besides = holder.besides(status);
                if !besides.is_subset(&held) {
                    Arc::make_mut(&mut held).extend(besides);
                }
            }
            for addresses in holder.sent.values().filter(|sent| counted.insert(Arc::as_ptr(sent))) {
                add(&mut held, addresses);
            }
        }
        Arc::unwrap_or_clone(held)
    }
}

/// Walking along both is much faster than looking each of thousands up, and most say nothing new.
fn add(known: &mut Addresses, more: &Addresses) {
    if known.is_empty() {
        *known = Arc::clone(more);
    } else if !more.is_subset(known) {
        Arc::make_mut(known).extend(&**more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Term = Term { created: 7, transitions: 0 };
    const NOW: u64 = 1000;
    const THEIRS: Term = Term { created: 6, transitions: 0 };

    fn node() -> Name {
        Name::parse("n1").unwrap()
    }

    fn routes(last: &[u8]) -> BTreeSet<HostRoute> {
        last.iter().map(|last| HostRoute::new([10, 0, 0, *last].into()).unwrap()).collect()
    }

    /// The agent of `n1`, which reports about a generation of somebody's and what it has.
    fn reports(term: Term, generation: u64, held: &[u8]) -> BTreeMap<Name, Attendance> {
        let status =
            NodeStatus { generation, term: Some(term), held: routes(held), ..NodeStatus::empty(node()) };
        [(node(), Attendance { alive: true, status: Some(Arc::new(status)), ..Attendance::default() })].into()
    }

    #[test]
    fn what_is_on_its_way_is_held_until_a_report_is_about_something_newer() {
        let mut holders = Holders::default();
        holders.sent(&node(), 1, routes(&[1]).into());
        holders.sent(&node(), 2, routes(&[2]).into());
        assert_eq!(holders.held(&reports(THEIRS, 9, &[9]), OURS, NOW), routes(&[1, 2, 9]));
        assert_eq!(holders.held(&reports(OURS, 1, &[]), OURS, NOW), routes(&[1, 2]));
        assert_eq!(holders.held(&reports(OURS, 2, &[1]), OURS, NOW), routes(&[1, 2]));
        assert_eq!(holders.held(&reports(OURS, 2, &[2]), OURS, NOW), routes(&[2]));
    }

    #[test]
    fn an_agent_that_is_not_heard_any_more_holds_on_for_a_while() {
        let mut holders = Holders::default();
        holders.sent(&node(), 1, routes(&[1, 2]).into());
        let mut agents = reports(OURS, 1, &[3]);
        let agent = agents.get_mut(&node()).unwrap();
        (agent.alive, agent.since) = (false, NOW);
        assert_eq!(holders.held(&agents, OURS, NOW), routes(&[1, 2, 3]));
        assert_eq!(holders.held(&agents, OURS, NOW - 1), routes(&[1, 2, 3]), "the clock was set back");
        assert_eq!(holders.held(&agents, OURS, NOW + LINGERING), routes(&[]));
    }

    #[test]
    fn an_agent_that_does_not_live_holds_nothing_until_it_does() {
        let mut holders = Holders::default();
        holders.sent(&node(), 1, routes(&[1]).into());
        let mut agents = reports(OURS, 1, &[1]);
        agents.get_mut(&node()).unwrap().alive = false;
        assert_eq!(holders.held(&agents, OURS, NOW), routes(&[]));
        agents.get_mut(&node()).unwrap().alive = true;
        assert_eq!(holders.held(&agents, OURS, NOW), routes(&[1]));
        holders.retain(|_| false);
        assert_eq!(
            holders.held(&[(node(), Attendance { alive: true, ..Attendance::default() })].into(), OURS, NOW),
            routes(&[])
        );
    }

    #[test]
    fn an_agent_that_never_answers_costs_a_bounded_memory_and_no_address() {
        let mut holders = Holders::default();
        for generation in 0..200 {
            holders.sent(&node(), generation, routes(&[u8::try_from(generation).unwrap()]).into());
        }
        assert_eq!(holders.0[&node()].sent.len(), REMEMBERED);
        let all: Vec<u8> = (0..200).collect();
        assert_eq!(holders.held(&reports(THEIRS, 0, &[]), OURS, NOW), routes(&all));
    }
}

//! From what the kernel has to what the plan says, and from what came out to the report. Pure.

use super::address::{KernelAddress, LOOPBACK};
use crate::model::net::HostRoute;
use crate::model::observed::{Held, OwnAddress};
use crate::plan::LinkPlan;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;

/// What to do, removals first.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Steps {
    /// Addresses with our mark that the plan does not name, or not like this.
    pub remove: Vec<KernelAddress>,
    pub add: BTreeSet<HostRoute>,
    pub refresh: BTreeSet<HostRoute>,
    /// What somebody else put on this host, and is left alone.
    pub taken: BTreeMap<HostRoute, KernelAddress>,
}

pub(super) fn steps(present: &[KernelAddress], plan: &LinkPlan) -> Steps {
    let held = held_by_us(present);
    let wanted =
        |a: &KernelAddress| a.host_route().is_some_and(|r| a.is_held(r) && plan.addresses.contains(&r));
    let foreign: BTreeMap<IpAddr, KernelAddress> =
        present.iter().filter(|a| !a.ours).map(|a| (a.address, *a)).collect();
    let mut steps = Steps {
        remove: present.iter().filter(|a| a.ours && !wanted(a)).copied().collect(),
        ..Steps::default()
    };
    for &route in &plan.addresses {
        match (held.contains(&route), foreign.get(&route.address())) {
            // Ours and alive; that another interface has it too was so when we took it, or is a choice
            // that somebody made since.
            (true, _) => drop(steps.refresh.insert(route)),
            (false, Some(other)) => drop(steps.taken.insert(route, *other)),
            (false, None) => drop(steps.add.insert(route)),
        }
    }
    steps
}

/// Addresses that were added just now, successfully, and came out without our mark: the kernel is older
/// than the mark.
pub(super) fn unmarked(present: &[KernelAddress], added: &BTreeSet<HostRoute>) -> Vec<KernelAddress> {
    let added_here = |a: &&KernelAddress| !a.ours && a.host_route().is_some_and(|r| added.contains(&r));
    present.iter().filter(added_here).copied().collect()
}

/// What is held, and why the rest of the plan is not, with what to do about it.
pub(super) fn report(
    plan: &LinkPlan,
    present: &[KernelAddress],
    taken: &BTreeMap<HostRoute, KernelAddress>,
    failed: &BTreeMap<IpAddr, io::Error>,
    interfaces: &BTreeMap<u32, String>,
) -> Held {
    let mut refused: BTreeMap<HostRoute, String> =
        taken.iter().map(|(&route, other)| (route, somebody_elses(other, interfaces))).collect();
    let addresses = held_by_us(present);
    for &route in plan.addresses.difference(&addresses) {
        if let Some(error) = failed.get(&route.address()) {
            refused.insert(route, kernel_refused(error));
        }
    }
    Held { addresses, own: own(present), refused, trouble: None }
}

pub(super) fn held_by_us(present: &[KernelAddress]) -> BTreeSet<HostRoute> {
    present.iter().filter_map(|found| found.host_route().filter(|&route| found.is_held(route))).collect()
}

/// The node's own addresses.
pub(super) fn own(present: &[KernelAddress]) -> BTreeSet<OwnAddress> {
    let own = present.iter().filter(|found| found.global && !found.ours && found.interface != LOOPBACK);
    own.map(|&KernelAddress { interface, address, prefix_len, .. }| OwnAddress {
        interface,
        address,
        prefix_len,
    })
    .collect()
}

fn somebody_elses(other: &KernelAddress, interfaces: &BTreeMap<u32, String>) -> String {
    let KernelAddress { address, prefix_len, interface, .. } = other;
    let device = interfaces.get(interface).cloned().unwrap_or_else(|| format!("interface {interface}"));
    format!(
        "{device} has {address}/{prefix_len} already, and NovaEdge did not put it there; remove it \
         (ip address del {address}/{prefix_len} dev {device}) or give the VIP another address"
    )
}

fn kernel_refused(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("{error}; the agent needs CAP_NET_ADMIN, and IPv6 must not be disabled on lo")
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn plan(addresses: &[&str]) -> LinkPlan {
        let addresses = addresses.iter().map(|text| HostRoute::parse(text).unwrap()).collect();
        LinkPlan { addresses, lifetime: Duration::from_secs(3) }
    }

    fn found(text: &str, interface: u32, ours: bool) -> KernelAddress {
        let net: ipnet::IpNet = text.parse().unwrap();
        KernelAddress { address: net.addr(), prefix_len: net.prefix_len(), interface, ours, global: true }
    }

    #[test]
    fn missing_ones_are_added_present_ones_refreshed_stale_ones_removed() {
        let stale = found("10.200.0.9/32", LOOPBACK, true);
        let present = [found("10.200.0.1/32", LOOPBACK, true), stale, found("127.0.0.1/8", LOOPBACK, false)];
        let todo = steps(&present, &plan(&["10.200.0.1", "2001:db8::50"]));
        assert_eq!(todo.remove, [stale]);
        assert_eq!(todo.add, plan(&["2001:db8::50"]).addresses);
        assert_eq!(todo.refresh, plan(&["10.200.0.1"]).addresses);
        assert!(todo.taken.is_empty());
    }

    #[test]
    fn an_operators_address_is_left_alone_and_the_report_says_what_to_do() {
        let theirs = [found("10.200.0.1/24", 2, false), found("2001:db8::50/128", LOOPBACK, false)];
        let plan = plan(&["10.200.0.1", "2001:db8::50"]);
        let todo = steps(&theirs, &plan);
        assert!(todo.remove.is_empty() && todo.add.is_empty() && todo.refresh.is_empty());
        let names = BTreeMap::from([(2, "eth0".to_owned()), (LOOPBACK, "lo".to_owned())]);
        let report = report(&plan, &theirs, &todo.taken, &BTreeMap::new(), &names);
        let words: Vec<&String> = report.refused.values().collect();
        assert!(words[0].contains("ip address del 10.200.0.1/24 dev eth0"), "{words:?}");
        assert!(words[1].contains("ip address del 2001:db8::50/128 dev lo"), "{words:?}");
    }

    #[test]
    fn a_failure_is_told_of_what_the_plan_asks_for_only() {
        let gone = || io::Error::from_raw_os_error(99);
        let failed = BTreeMap::from(["10.200.0.1", "10.200.0.2"].map(|ip| (ip.parse().unwrap(), gone())));
        let report = report(&plan(&["10.200.0.1"]), &[], &BTreeMap::new(), &failed, &BTreeMap::new());
        assert_eq!(report.refused.into_keys().collect::<BTreeSet<_>>(), plan(&["10.200.0.1"]).addresses);
    }

    #[test]
    fn our_mark_on_another_interface_is_not_what_the_plan_asks_for() {
        let elsewhere = found("10.200.0.1/32", 2, true);
        let todo = steps(&[elsewhere], &plan(&["10.200.0.1"]));
        assert_eq!(todo.remove, [elsewhere]);
        assert_eq!(todo.add, plan(&["10.200.0.1"]).addresses);
    }

    #[test]
    fn a_kernel_that_drops_the_mark_is_noticed() {
        let added = plan(&["10.200.0.1"]).addresses;
        let bare = found("10.200.0.1/32", LOOPBACK, false);
        assert_eq!(unmarked(&[bare], &added), [bare]);
        assert_eq!(unmarked(&[KernelAddress { ours: true, ..bare }], &added), []);
    }

    proptest! {
        /// Whatever is there: nothing foreign is touched, and each planned address has exactly one fate.
        #[test]
        fn every_planned_address_has_one_fate(
            present in proptest::collection::vec((0u8..6, 1u32..3, any::<bool>(), any::<bool>()), 0..12),
            wanted in proptest::collection::btree_set(0u8..6, 0..6),
        ) {
            let present: Vec<KernelAddress> = present
                .into_iter()
                .map(|(n, interface, ours, whole)| {
                    found(&format!("10.200.0.{n}/{}", if whole { 32 } else { 24 }), interface, ours)
                })
                .collect();
            let texts: Vec<String> = wanted.iter().map(|n| format!("10.200.0.{n}")).collect();
            let plan = plan(&texts.iter().map(String::as_str).collect::<Vec<_>>());
            let todo = steps(&present, &plan);
            prop_assert!(todo.remove.iter().all(|a| a.ours));
            for route in &plan.addresses {
                let fates = [
                    todo.add.contains(route),
                    todo.refresh.contains(route),
                    todo.taken.contains_key(route),
                ];
                prop_assert_eq!(fates.into_iter().filter(|&is| is).count(), 1);
            }
        }
    }
}

//! The transactions, as nft(8) reads them. Pure; every word of them is ours, an address or a number.

use crate::model::net::{Port, Transport};
use crate::plan::ExposurePlan;
use std::collections::BTreeSet;
use std::fmt::{Display, Write};
use std::net::IpAddr;

pub(super) const CHAINS: [&str; 3] = ["input", "vip4", "vip6"];
pub(super) const SETS: [&str; 6] = ["vips4", "vips6", "services4", "services6", "muted4", "muted6"];

/// The table's frame. Each line is a no-op where it is so already.
///
/// `input` runs before the host's own filters (priority 0), and only ever drops: what passes here is still
/// theirs to judge.
const FRAME: &str = "\
add table inet novaedge
add set inet novaedge vips4 { type ipv4_addr; }
add set inet novaedge vips6 { type ipv6_addr; }
add set inet novaedge services4 { type ipv4_addr . inet_proto . inet_service; }
add set inet novaedge services6 { type ipv6_addr . inet_proto . inet_service; }
add set inet novaedge muted4 { type ipv4_addr; }
add set inet novaedge muted6 { type ipv6_addr; }
add chain inet novaedge input { type filter hook input priority filter - 10; policy accept; }
add chain inet novaedge vip4
add chain inet novaedge vip6
";

/// The rules.
///
/// * A muted address answers no new connection, so that the client's retransmission meets another node;
///   what is established goes on.
/// * ICMP: echo requests, and the errors of RFC 1122 §3.2.2 and RFC 4443 §3 that connections need.
/// * IPv6: neighbours confirm that an address is alive by unicast (RFC 4861 §7.3), and fragments after the
///   first show no ports: the first one decides, without it they never become a packet (RFC 8200 §4.5).
/// * The node's own clients reach its VIP from the VIP's own address, so on lo answers pass too.
const RULES: &str = "\
add rule inet novaedge input ip daddr @vips4 goto vip4
add rule inet novaedge input ip6 daddr @vips6 goto vip6
add rule inet novaedge vip4 ip daddr @muted4 tcp flags & (fin | syn | rst | ack) == syn drop
add rule inet novaedge vip4 ip daddr . meta l4proto . th dport @services4 accept
add rule inet novaedge vip4 icmp type { echo-request, destination-unreachable, time-exceeded, parameter-problem } accept
add rule inet novaedge vip4 iif lo ip saddr . meta l4proto . th sport @services4 accept
add rule inet novaedge vip4 iif lo icmp type echo-reply accept
add rule inet novaedge vip4 counter drop
add rule inet novaedge vip6 ip6 daddr @muted6 tcp flags & (fin | syn | rst | ack) == syn drop
add rule inet novaedge vip6 ip6 daddr . meta l4proto . th dport @services6 accept
add rule inet novaedge vip6 icmpv6 type { echo-request, destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept
add rule inet novaedge vip6 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
add rule inet novaedge vip6 frag frag-off != 0 accept
add rule inet novaedge vip6 iif lo ip6 saddr . meta l4proto . th sport @services6 accept
add rule inet novaedge vip6 iif lo icmpv6 type echo-reply accept
add rule inet novaedge vip6 counter drop
";

/// Removes the table; nothing happens where there is none.
pub(super) fn removal() -> String {
    "add table inet novaedge\ndelete table inet novaedge\n".to_owned()
}

/// The table as the plan says, where a table of this shape holds what `found` says. Its hook is never
/// empty, and an element that stays is not touched.
pub(super) fn in_place(found: &ExposurePlan, plan: &ExposurePlan) -> String {
    let mut script = FRAME.to_owned();
    for chain in CHAINS {
        script += &format!("flush chain inet novaedge {chain}\n");
    }
    script + RULES + &change(found, plan)
}

/// The table from nothing, also where one of another shape was.
pub(super) fn anew(plan: &ExposurePlan) -> String {
    removal() + FRAME + RULES + &change(&ExposurePlan::default(), plan)
}

/// The elements that differ. Removals are first: within a transaction it makes no difference to packets.
pub(super) fn change(from: &ExposurePlan, to: &ExposurePlan) -> String {
    let (old, new) = (elements(from), elements(to));
    let mut script = String::new();
    for (verb, left, right) in [("delete", &old, &new), ("add", &new, &old)] {
        for (set, (left, right)) in SETS.iter().zip(left.iter().zip(right)) {
            let mut words = left.difference(right).peekable();
            if words.peek().is_some() {
                let words: Vec<&str> = words.map(String::as_str).collect();
                // A String takes whatever is written to it.
                let _ = writeln!(script, "{verb} element inet novaedge {set} {{ {} }}", words.join(", "));
            }
        }
    }
    script
}

/// The elements of each set, in the order of [`SETS`].
fn elements(plan: &ExposurePlan) -> [BTreeSet<String>; 6] {
    let service = |(address, transport, port): &(IpAddr, Transport, Port)| {
        (*address, format!("{address} . {transport} . {port}"))
    };
    let [vips4, vips6] = by_family(plan.addresses.iter().map(|a| (*a, a)));
    let [services4, services6] = by_family(plan.services.iter().map(service));
    let [muted4, muted6] = by_family(plan.muted.iter().map(|a| (*a, a)));
    [vips4, vips6, services4, services6, muted4, muted6]
}

fn by_family(items: impl Iterator<Item = (IpAddr, impl Display)>) -> [BTreeSet<String>; 2] {
    let mut families = [BTreeSet::new(), BTreeSet::new()];
    for (address, item) in items {
        families[usize::from(address.is_ipv6())].insert(item.to_string());
    }
    families
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(vips: &[&str], services: &[(&str, u16)]) -> ExposurePlan {
        let service = |&(a, p): &(&str, u16)| (a.parse().unwrap(), Transport::Tcp, Port::new(p).unwrap());
        ExposurePlan {
            addresses: vips.iter().map(|a| a.parse().unwrap()).collect(),
            services: services.iter().map(service).collect(),
            muted: BTreeSet::new(),
        }
    }

    #[test]
    fn one_more_vip_is_its_own_elements_and_nothing_else() {
        let before = plan(&["10.200.0.20"], &[("10.200.0.20", 80)]);
        let after = plan(&["10.200.0.20", "2001:db8::50"], &[("10.200.0.20", 80), ("2001:db8::50", 443)]);
        assert_eq!(
            change(&before, &after),
            "add element inet novaedge vips6 { 2001:db8::50 }\n\
             add element inet novaedge services6 { 2001:db8::50 . tcp . 443 }\n"
        );
        assert_eq!(
            change(&after, &before),
            "delete element inet novaedge vips6 { 2001:db8::50 }\n\
             delete element inet novaedge services6 { 2001:db8::50 . tcp . 443 }\n"
        );
        assert_eq!(change(&after, &after), "");
    }

    #[test]
    fn a_mute_is_one_element() {
        let open = plan(&["10.200.0.20"], &[]);
        let muted = ExposurePlan { muted: open.addresses.clone(), ..open.clone() };
        assert_eq!(change(&open, &muted), "add element inet novaedge muted4 { 10.200.0.20 }\n");
    }
}

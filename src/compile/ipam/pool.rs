//! `ProxyIPPool` → the addresses that it may give out. A bad entry is refused by itself; the good ones
//! keep serving.

use super::spans::{Span, Spans, number};
use crate::api::condition::Reason;
use crate::api::pool::PoolSpec;
use crate::compile::rejection::Findings;
use crate::model::net::Family;
use ipnet::IpNet;
use std::net::IpAddr;

/// The usable addresses of a pool, and how they are given out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pool {
    v4: Spans,
    v6: Spans,
    pub auto_assign: bool,
    /// Whole seconds, rounded up.
    pub reclaim_delay: u64,
}

impl Pool {
    pub fn read(spec: &PoolSpec, findings: &mut Findings) -> Self {
        let PoolSpec { cidrs, addresses, auto_assign, reclaim_delay } = spec;
        let blocks = cidrs.iter().enumerate().map(|(at, text)| (format!("spec.cidrs[{at}]"), block(text)));
        let singles =
            addresses.iter().enumerate().map(|(at, text)| (format!("spec.addresses[{at}]"), stretch(text)));
        let entries = blocks.chain(singles);
        let spans: Vec<Span> =
            entries.filter_map(|(field, entry)| findings.valid(field, entry.and_then(reachable))).collect();
        if cidrs.is_empty() && addresses.is_empty() {
            let message = "the pool has no address; give at least one of cidrs and addresses";
            findings.refuse("spec", Reason::Missing, message);
        }
        let of = |family| spans.iter().copied().filter(|span| span.family() == family).collect();
        let delay = reclaim_delay.get();
        Self {
            v4: of(Family::Ipv4),
            v6: of(Family::Ipv6),
            auto_assign: *auto_assign,
            reclaim_delay: delay.as_secs() + u64::from(delay.subsec_nanos() > 0),
        }
    }

    pub fn spans(&self, family: Family) -> &Spans {
        match family {
            Family::Ipv4 => &self.v4,
            Family::Ipv6 => &self.v6,
        }
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        self.spans(Family::of(address)).contains(number(address))
    }

    /// All its spans, of both families.
    pub fn all(&self) -> impl Iterator<Item = Span> {
        self.v4.as_slice().iter().chain(self.v6.as_slice()).copied()
    }
}

/// Why an entry is refused, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEntry {
    #[error("{0:?} is not a block; write one like 10.200.0.0/24 or 2001:db8::/112")]
    NoBlock(String),
    #[error("{0} is not the beginning of its block; write {1} to have all of it, or a range under addresses")]
    HostBits(IpNet, IpNet),
    #[error("{0:?} is not an address; write one like 10.200.1.10, or a range like 10.200.1.10-10.200.1.20")]
    NoAddress(String),
    #[error("{0} is a block; write it under cidrs")]
    Block(IpNet),
    #[error("{0} and {1} are of different families; a range has both ends in one")]
    Families(IpAddr, IpAddr),
    #[error("the range ends before it begins; write {1}-{0}")]
    Backwards(IpAddr, IpAddr),
    #[error("{0} has addresses of {1} in it, which cannot be VIPs; write the parts outside of it")]
    Unreachable(Span, IpNet),
}

/// All usable addresses of a block. Blocks of one or two addresses are used whole (RFC 3021, RFC 6164);
/// others lose IPv4's network and broadcast address, or IPv6's subnet-router anycast address
/// (RFC 4291 §2.6.1).
fn block(text: &str) -> Result<Span, InvalidEntry> {
    let block = text.trim().parse().ok().filter(|block: &IpNet| !in_disguise(block.addr()));
    let block = block.ok_or_else(|| InvalidEntry::NoBlock(text.to_owned()))?;
    if block.addr() != block.network() {
        return Err(InvalidEntry::HostBits(block, block.trunc()));
    }
    let whole = Span { first: number(block.network()), last: number(block.broadcast()) };
    Ok(match (block, block.max_prefix_len() - block.prefix_len()) {
        (_, 0 | 1) => whole,
        (IpNet::V4(_), _) => Span { first: whole.first + 1, last: whole.last - 1 },
        (IpNet::V6(_), _) => Span { first: whole.first + 1, last: whole.last },
    })
}

/// `ADDRESS`, `ADDRESS/32`, `ADDRESS/128` or `ADDRESS-ADDRESS`.
fn stretch(text: &str) -> Result<Span, InvalidEntry> {
    let invalid = || InvalidEntry::NoAddress(text.to_owned());
    let one = |text: &str| {
        let address = text.trim().parse().ok();
        address.filter(|address| !in_disguise(*address)).ok_or_else(invalid)
    };
    if let Some((first, last)) = text.split_once('-') {
        let (first, last) = (one(first)?, one(last)?);
        if Family::of(first) != Family::of(last) {
            return Err(InvalidEntry::Families(first, last));
        }
        return Span::new(first, last).ok_or(InvalidEntry::Backwards(first, last));
    }
    let address = match text.trim().parse::<IpNet>() {
        Ok(net) if net.prefix_len() < net.max_prefix_len() => return Err(InvalidEntry::Block(net)),
        Ok(net) => one(&net.addr().to_string())?,
        Err(_) => one(text)?,
    };
    Span::new(address, address).ok_or_else(invalid)
}

/// An IPv4 address written as IPv6.
fn in_disguise(address: IpAddr) -> bool {
    address.is_ipv6() && address.to_canonical().is_ipv4()
}

/// What no `HostRoute` can be: unspecified, loopback, link-local, multicast, reserved, and on the IPv6
/// side also IPv4 in disguise.
const UNREACHABLE: [&str; 9] = [
    "0.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "224.0.0.0/3",
    "::/128",
    "::1/128",
    "fe80::/10",
    "ff00::/8",
    "::ffff:0:0/96",
];

fn reachable(span: Span) -> Result<Span, InvalidEntry> {
    let nets = UNREACHABLE.iter().filter_map(|text| text.parse::<IpNet>().ok());
    for net in nets.filter(|net| Family::of(net.addr()) == span.family()) {
        let whole = Span { first: number(net.network()), last: number(net.broadcast()) };
        if whole.overlap(span).is_some() {
            return Err(InvalidEntry::Unreachable(span, net));
        }
    }
    Ok(span)
}

//! Stretches of addresses, and the first free one in them.
//!
//! All addresses lie on one line of 128 bits: IPv4 in `::ffff:0:0/96`, where no VIP of IPv6 can be. A /64
//! is one [`Span`], whatever was given out of it.

use crate::model::net::Family;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// Where the address lies on the line.
pub fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

pub fn address(number: u128) -> IpAddr {
    let v6 = std::net::Ipv6Addr::from_bits(number);
    v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4)
}

/// Neighbouring addresses of one family, from `first` to `last`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub first: u128,
    pub last: u128,
}

impl Span {
    /// `None` if `last` is before `first`, or of the other family.
    pub fn new(first: IpAddr, last: IpAddr) -> Option<Self> {
        let span = Self { first: number(first), last: number(last) };
        (Family::of(first) == Family::of(last) && span.first <= span.last).then_some(span)
    }

    pub fn family(self) -> Family {
        Family::of(address(self.first))
    }

    pub fn overlap(self, other: Self) -> Option<Self> {
        let both = Self { first: self.first.max(other.first), last: self.last.min(other.last) };
        (both.first <= both.last).then_some(both)
    }

    pub fn size(self) -> u128 {
        (self.last - self.first).saturating_add(1)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (address(self.first), address(self.last));
        if first == last { write!(f, "{first}") } else { write!(f, "{first}-{last}") }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Any addresses of one family: sorted spans that neither touch nor overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spans(Vec<Span>);

impl Spans {
    pub fn as_slice(&self) -> &[Span] {
        &self.0
    }

    pub fn contains(&self, number: u128) -> bool {
        let at = self.0.partition_point(|span| span.last < number);
        self.0.get(at).is_some_and(|span| span.first <= number)
    }

    /// How many addresses; saturates.
    pub fn size(&self) -> u128 {
        self.0.iter().fold(0, |sum, span| sum.saturating_add(span.size()))
    }

    /// The first address, not before `from`, that lies in no run. `run_end` says where the run around a
    /// number ends. One question for each span that is full, and one more: runs are whole, so the number
    /// behind one is free.
    pub fn first_free(&self, from: u128, mut run_end: impl FnMut(u128) -> Option<u128>) -> Option<u128> {
        let start = self.0.partition_point(|span| span.last < from);
        self.0[start..].iter().find_map(|span| {
            let at = span.first.max(from);
            let free = run_end(at).map_or(Some(at), |end| end.checked_add(1))?;
            (free <= span.last).then_some(free)
        })
    }
}

impl FromIterator<Span> for Spans {
    fn from_iter<I: IntoIterator<Item = Span>>(spans: I) -> Self {
        let mut sorted: Vec<Span> = spans.into_iter().collect();
        sorted.sort_unstable();
        let mut merged: Vec<Span> = Vec::with_capacity(sorted.len());
        for span in sorted {
            match merged.last_mut() {
                Some(last) if span.first <= last.last.saturating_add(1) => {
                    last.last = last.last.max(span.last);
                }
                _ => merged.push(span),
            }
        }
        Self(merged)
    }
}

/// Addresses that cannot be given out, as runs: maximal, so that no two of them touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken(BTreeMap<u128, u128>);

impl Taken {
    /// Whether the number was free before. O(log n).
    pub fn insert(&mut self, number: u128) -> bool {
        if self.run_end(number).is_some() {
            return false;
        }
        let last = number.checked_add(1).and_then(|next| self.0.remove(&next)).unwrap_or(number);
        let before = self.0.range_mut(..number).next_back();
        match before.filter(|(_, end)| end.checked_add(1) == Some(number)) {
            Some((_, end)) => *end = last,
            None => drop(self.0.insert(number, last)),
        }
        true
    }

    /// The last number of the run around `number`, if there is one. O(log n).
    pub fn run_end(&self, number: u128) -> Option<u128> {
        let (_, end) = self.0.range(..=number).next_back()?;
        (*end >= number).then_some(*end)
    }

    /// How many of the addresses in `spans` are taken.
    pub fn count_in(&self, spans: &Spans) -> u128 {
        let run = |(first, last): (&u128, &u128)| Span { first: *first, last: *last };
        spans.as_slice().iter().fold(0, |sum: u128, span| {
            let begun = self.0.range(..span.first).next_back().map(run);
            let inside = self.0.range(span.first..=span.last).map(run);
            let covered = begun.into_iter().chain(inside).filter_map(|run| run.overlap(*span));
            covered.fold(sum, |sum, run| sum.saturating_add(run.size()))
        })
    }
}

impl FromIterator<IpAddr> for Taken {
    fn from_iter<I: IntoIterator<Item = IpAddr>>(addresses: I) -> Self {
        let mut taken = Self::default();
        for address in addresses {
            taken.insert(number(address));
        }
        taken
    }
}

//! Pools that have addresses in common.

use super::settle::Pools;
use super::spans::Span;
use crate::model::name::Name;
use std::collections::BTreeMap;

/// For each pool that overlaps others: which, and the first stretch that they share.
pub type Shared = BTreeMap<Name, BTreeMap<Name, Span>>;

/// One sweep along all spans; only those that still reach on are compared.
pub fn with_others(pools: &Pools) -> Shared {
    let mut spans: Vec<(Span, &Name)> =
        pools.iter().flat_map(|(name, pool)| pool.all().map(move |span| (span, name))).collect();
    spans.sort_unstable();
    let mut shared = Shared::new();
    let mut open: Vec<(Span, &Name)> = Vec::new();
    for (span, name) in spans {
        open.retain(|(earlier, _)| earlier.last >= span.first);
        for (earlier, other) in &open {
            let Some(both) = earlier.overlap(span) else { continue };
            shared.entry(name.clone()).or_default().entry((*other).clone()).or_insert(both);
            shared.entry((*other).clone()).or_default().entry(name.clone()).or_insert(both);
        }
        open.push((span, name));
    }
    shared
}

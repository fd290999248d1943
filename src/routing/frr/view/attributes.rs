//! What a path carries, in FRR's words.

use crate::model::bgp::{Asn, Community, PathAttributes};
use serde::Serialize;

#[derive(Debug, Clone, Default, Serialize)]
pub struct AttributesView {
    pub communities: Option<String>,
    pub large_communities: Option<String>,
    pub local_preference: Option<u32>,
    pub med: Option<u32>,
    pub prepend: Option<String>,
}

/// What the operator's sessions get, whatever is behind them.
pub fn towards_anybody(attributes: &PathAttributes, own: Asn) -> AttributesView {
    AttributesView {
        local_preference: attributes.local_preference,
        prepend: prepending(attributes, own),
        ..common(attributes)
    }
}

/// RFC 4271 §5.1.5: local preference is for iBGP. An own AS number in the path makes an iBGP peer drop it.
pub fn towards(attributes: &PathAttributes, own: Asn, peer: Asn) -> AttributesView {
    match own == peer {
        true => AttributesView { local_preference: attributes.local_preference, ..common(attributes) },
        false => AttributesView { prepend: prepending(attributes, own), ..common(attributes) },
    }
}

fn common(attributes: &PathAttributes) -> AttributesView {
    let words = |wanted: fn(&Community) -> bool| {
        let wanted = attributes.communities.iter().copied().filter(wanted);
        let words: Vec<String> = wanted.map(community).collect();
        (!words.is_empty()).then(|| words.join(" "))
    };
    AttributesView {
        communities: words(|community| matches!(community, Community::Standard(..))),
        large_communities: words(|community| matches!(community, Community::Large(..))),
        med: attributes.med,
        ..AttributesView::default()
    }
}

fn prepending(attributes: &PathAttributes, own: Asn) -> Option<String> {
    (attributes.prepend > 0).then(|| vec![own.to_string(); usize::from(attributes.prepend)].join(" "))
}

/// As FRR prints it: it has names of its own for more values than people use.
fn community(community: Community) -> String {
    match community {
        Community::Standard(0, 0) => "internet".to_owned(),
        Community::Standard(0xffff, 2) => "route-filter-translated-v4".to_owned(),
        Community::Standard(0xffff, 3) => "route-filter-v4".to_owned(),
        Community::Standard(0xffff, 4) => "route-filter-translated-v6".to_owned(),
        Community::Standard(0xffff, 5) => "route-filter-v6".to_owned(),
        Community::Standard(0xffff, 6) => "llgr-stale".to_owned(),
        Community::Standard(0xffff, 7) => "no-llgr".to_owned(),
        Community::Standard(0xffff, 8) => "accept-own-nexthop".to_owned(),
        other => other.to_string(),
    }
}

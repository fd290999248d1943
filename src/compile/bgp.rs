//! `spec.bgpConfig` → what a VIP wishes of a node's speaker, and what its announcement carries.

use super::peer::{Entry, Session};
use super::rejection::Findings;
use super::scene::{ASN_INDEX, Site};
use crate::api::bgp::{BgpConfig, GracefulRestart as WrittenRestart};
use crate::api::condition::Reason;
use crate::model::bgp::{Asn, Community, GracefulRestart, PathAttributes};
use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

/// The block without its peers, as all nodes read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    local_as: LocalAs,
    /// As written; whether it can be had depends on how many nodes are selected.
    pub router_id: Option<Ipv4Addr>,
    graceful_restart: Option<GracefulRestart>,
    attributes: PathAttributes,
    /// The sessions are the operator's (spec §2.4, attach mode).
    attached: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LocalAs {
    Shared(Asn),
    /// A node's AS is this plus its own [`ASN_INDEX`].
    Base(Asn),
}

/// What a VIP asks of a node's speaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BgpWish {
    pub asn: Asn,
    pub router_id: Option<Ipv4Addr>,
    pub graceful_restart: Option<GracefulRestart>,
    /// This node's sessions among those of the VIP; `None`: the operator's, whichever they are.
    pub sessions: Option<BTreeMap<IpAddr, Session>>,
    pub attributes: PathAttributes,
}

pub fn block(written: &BgpConfig, findings: &mut Findings) -> Option<Block> {
    let BgpConfig {
        local_as,
        local_as_base,
        router_id,
        peers,
        communities,
        local_preference,
        med,
        as_path_prepend,
        graceful_restart,
    } = written;
    findings.whole(|findings| {
        let attached = peers.is_empty();
        if attached {
            nothing_of_the_operators(written, findings);
        }
        let local_as = self::local_as(*local_as, *local_as_base, findings);
        let router_id = self::router_id(router_id.as_deref(), "spec.bgpConfig.routerID", findings);
        let graceful_restart = restart(graceful_restart.as_ref(), findings);
        let communities = self::communities(communities, findings);
        let prepend = prepend(*as_path_prepend, findings)?;
        let (local_preference, med) = (*local_preference, *med);
        let attributes = PathAttributes { communities, local_preference, med, prepend };
        Some(Block {
            local_as: local_as?,
            router_id: router_id?,
            graceful_restart: graceful_restart?,
            attributes,
            attached,
        })
    })
}

/// Without an AS number of its own the node cannot speak at all.
pub fn wish<'a>(
    block: &Block,
    entries: impl IntoIterator<Item = &'a Entry>,
    site: &Site,
    findings: &mut Findings,
) -> Option<BgpWish> {
    let Block { local_as, router_id, graceful_restart, attributes, attached } = block;
    let asn = match *local_as {
        LocalAs::Shared(asn) => asn,
        LocalAs::Base(base) => numbered(base, site, findings)?,
    };
    let mut sessions: BTreeMap<IpAddr, Session> = BTreeMap::new();
    for entry in entries {
        let Some(session) = entry.at(site, asn, findings) else { continue };
        match sessions.entry(entry.address()) {
            Slot::Vacant(slot) => drop(slot.insert(session.clone())),
            Slot::Occupied(_) => {
                let message = format!("{} is in the list twice; keep one", entry.address());
                findings.refuse(format!("{}.address", entry.field()), Reason::InvalidValue, message);
            }
        }
    }
    let (router_id, graceful_restart) = (*router_id, *graceful_restart);
    let sessions = (!attached).then_some(sessions);
    let mut wish = BgpWish { asn, router_id, graceful_restart, sessions, attributes: attributes.clone() };
    local_preference_stays_inside(&mut wish, findings);
    Some(wish)
}

/// What belongs to sessions or to the whole speaker cannot be had from somebody else's.
fn nothing_of_the_operators(written: &BgpConfig, findings: &mut Findings) {
    let given = [
        ("routerID", written.router_id.is_some()),
        ("gracefulRestart", written.graceful_restart.as_ref().is_some_and(|restart| restart.enabled)),
    ];
    for (field, _) in given.into_iter().filter(|(_, given)| *given) {
        let message = "without peers the VIP uses the speaker that the operator has set up in the daemon; set it \
                       there and remove it here, or write the peers";
        findings.refuse(format!("spec.bgpConfig.{field}"), Reason::InvalidValue, message);
    }
}

fn local_as(literal: Option<u32>, base: Option<u32>, findings: &mut Findings) -> Option<LocalAs> {
    let asn = |number| Asn::new(number).ok_or("the AS number must be 1 to 4294967295");
    match (literal, base) {
        (Some(number), None) => findings.valid("spec.bgpConfig.localAS", asn(number)).map(LocalAs::Shared),
        (None, Some(base)) => findings.valid("spec.bgpConfig.localASBase", asn(base)).map(LocalAs::Base),
        _ => {
            let message =
                "give exactly one of localAS (all nodes share it) and localASBase (one AS per node)";
            findings.refuse("spec.bgpConfig.localAS", Reason::InvalidValue, message);
            None
        }
    }
}

fn numbered(base: Asn, site: &Site, findings: &mut Findings) -> Option<Asn> {
    let node = site.name;
    let field = "spec.bgpConfig.localASBase";
    let Some(index) = site.asn_index else {
        let message =
            format!("node {node} has no annotation {ASN_INDEX}; give its Node a number of its own there");
        findings.refuse(field, Reason::InvalidValue, message);
        return None;
    };
    if site.index_is_remembered {
        let message = format!(
            "node {node} has lost its annotation {ASN_INDEX}, and goes on with {index}; annotate its Node again"
        );
        findings.refuse(field, Reason::Missing, message);
    }
    let number = index.parse::<u32>().ok().and_then(|index| base.get().checked_add(index)).and_then(Asn::new);
    findings.valid(
        field,
        number.ok_or_else(|| {
            format!(
                "{base} plus {index:?} ({ASN_INDEX} of node {node}) is no AS number; correct the annotation"
            )
        }),
    )
}

pub fn router_id(written: Option<&str>, field: &str, findings: &mut Findings) -> Option<Option<Ipv4Addr>> {
    let Some(text) = written else { return Some(None) };
    let usable = text.parse::<Ipv4Addr>().ok().filter(|id| !id.is_unspecified());
    let message = format!("{text:?} is not a router id; write an IPv4 address, or leave it out");
    findings.valid(field, usable.ok_or(message)).map(Some)
}

fn restart(written: Option<&WrittenRestart>, findings: &mut Findings) -> Option<Option<GracefulRestart>> {
    let Some(WrittenRestart { enabled, restart_time }) = written else { return Some(None) };
    let seconds = u16::try_from(restart_time.get()).ok().filter(|seconds| *seconds <= 4095);
    let message = format!("restartTime is at most 4095s (RFC 4724 §3), not {}s", restart_time.get());
    let restart_seconds =
        findings.valid("spec.bgpConfig.gracefulRestart.restartTime", seconds.ok_or(message))?;
    Some(enabled.then_some(GracefulRestart { restart_seconds }))
}

fn communities(written: &[String], findings: &mut Findings) -> BTreeSet<Community> {
    let mut communities = BTreeSet::new();
    for (index, text) in written.iter().enumerate() {
        communities
            .extend(findings.valid(format!("spec.bgpConfig.communities[{index}]"), Community::parse(text)));
    }
    communities
}

fn prepend(written: Option<u8>, findings: &mut Findings) -> Option<u8> {
    let times = written.unwrap_or(0);
    let message = "asPathPrepend is 0 to 10; longer paths are dropped by many networks";
    findings.valid("spec.bgpConfig.asPathPrepend", if times <= 10 { Ok(times) } else { Err(message) })
}

/// RFC 4271 §5.1.5: LOCAL_PREF is not sent to external peers.
fn local_preference_stays_inside(wish: &mut BgpWish, findings: &mut Findings) {
    let Some(sessions) = &wish.sessions else { return };
    let outside: Vec<String> = sessions
        .iter()
        .filter(|(_, session)| session.peer.asn != wish.asn)
        .map(|(address, _)| address.to_string())
        .collect();
    if wish.attributes.local_preference.is_none() || outside.is_empty() {
        return;
    }
    if outside.len() == sessions.len() {
        wish.attributes.local_preference = None;
    }
    let message = format!(
        "not sent to {}, of another AS (RFC 4271 §5.1.5); use med or asPathPrepend to steer it",
        outside.join(", ")
    );
    findings.note("spec.bgpConfig.localPreference", Reason::LocalPreferenceNotSent, message);
}

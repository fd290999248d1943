//! `spec.ospfConfig` → what a VIP wishes of a node's OSPF speaker, and what its route costs.
//!
//! One speaker runs on a node, as with BGP: VIPs join from the oldest on, and each either agrees with what
//! those before it have settled, or is `Conflicted`. Interfaces and costs are each VIP's own.

use super::rejection::Findings;
use super::secret;
use super::surroundings::Surroundings;
use crate::api::condition::Reason;
use crate::api::ospf::{OspfAuth, OspfConfig};
use crate::api::reference::SecretKeyRef;
use crate::api::secret::InlineSecret;
use crate::model::bfd::BfdProfile;
use crate::model::bgp::Password;
use crate::model::name::Name;
use crate::model::net::InterfaceName;
use crate::model::ospf::{AreaId, AuthKey, Authentication, Cost, Interfaces, Route, Speaker, Timers};
use std::collections::BTreeSet;
use std::fmt::Display;

/// The block as all nodes read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// `router_id` as written; whether it can be had depends on how many nodes are selected.
    pub speaker: Speaker,
    cost: Cost,
    /// The key of a Secret, and where it is remembered.
    pub remembered: Option<(String, Password)>,
}

/// What a VIP asks of a node's speaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OspfWish {
    pub speaker: Speaker,
    cost: Cost,
}

impl Block {
    pub fn wish(&self) -> OspfWish {
        OspfWish { speaker: self.speaker.clone(), cost: self.cost }
    }
}

pub fn block(
    written: &OspfConfig,
    bfd: Option<BfdProfile>,
    surroundings: &Surroundings,
    findings: &mut Findings,
) -> Option<Block> {
    let OspfConfig {
        router_id,
        area_id,
        cost,
        hello_interval,
        dead_interval,
        auth_type,
        auth_key,
        auth_key_secret_ref,
        graceful_restart,
        interfaces,
    } = written;
    findings.whole(|findings| {
        let router_id = super::bgp::router_id(router_id.as_deref(), "spec.ospfConfig.routerID", findings);
        let cost = findings.valid("spec.ospfConfig.cost", Cost::new(*cost));
        let timers = timers(*hello_interval, *dead_interval, findings);
        let interfaces = self::interfaces(interfaces, findings);
        bfd_stays_on_the_segment(bfd, findings);
        let key = key(*auth_type, auth_key.as_ref(), auth_key_secret_ref.as_ref(), surroundings, findings);
        let (text, remembered) = key?;
        let authentication = authentication(*auth_type, text, findings);
        let speaker = Speaker {
            router_id: router_id?,
            area: AreaId::new(area_id.get()),
            timers: timers?,
            authentication: authentication?,
            graceful_restart: *graceful_restart,
            bfd,
            interfaces: interfaces?,
        };
        Some(Block { speaker, cost: cost?, remembered })
    })
}

fn timers(hello_seconds: u16, dead_seconds: u16, findings: &mut Findings) -> Option<Timers> {
    let field = "spec.ospfConfig.deadInterval";
    let usable = hello_seconds > 0 && dead_seconds > hello_seconds;
    let message = format!(
        "deadInterval ({dead_seconds}s) must be larger than helloInterval ({hello_seconds}s), which is at least 1s; \
         four times as large is customary"
    );
    findings.valid(field, usable.then_some(Timers { hello_seconds, dead_seconds }).ok_or(message))
}

fn interfaces(written: &[String], findings: &mut Findings) -> Option<Interfaces> {
    let mut named = BTreeSet::new();
    for (index, text) in written.iter().enumerate() {
        let field = format!("spec.ospfConfig.interfaces[{index}]");
        let name = findings.valid(&field, InterfaceName::parse(text.clone()))?;
        if name.as_str() == "lo" {
            let message = "lo has no neighbours; write the interface towards the routers";
            findings.refuse(field, Reason::InvalidValue, message);
        }
        named.insert(name);
    }
    Some(Interfaces { uplink: written.is_empty(), named })
}

fn bfd_stays_on_the_segment(bfd: Option<BfdProfile>, findings: &mut Findings) {
    if bfd.is_some_and(|bfd| bfd.multihop) {
        let message = "OSPF neighbours are on the segment (RFC 5881); remove multihop";
        findings.refuse("spec.bfd.multihop", Reason::InvalidValue, message);
    }
}

type Key = (String, Option<(String, Password)>);

/// The key's text, empty where there is to be none; `None`: there is to be one, and it cannot be had.
fn key(
    auth: OspfAuth,
    literal: Option<&InlineSecret>,
    reference: Option<&SecretKeyRef>,
    surroundings: &Surroundings,
    findings: &mut Findings,
) -> Option<Key> {
    match (auth, literal, reference) {
        (OspfAuth::None, None, None) => Some((String::new(), None)),
        (OspfAuth::None, ..) => {
            let message = "authType none takes no key; write md5, or remove the key";
            findings.refuse("spec.ospfConfig.authType", Reason::InvalidValue, message);
            None
        }
        (_, Some(literal), None) => Some((literal.expose().to_owned(), None)),
        (_, None, Some(reference)) => {
            let remembered = secret::ospf_key(reference, surroundings, findings)?;
            Some((remembered.1.expose().to_owned(), Some(remembered)))
        }
        _ => {
            let message = "give exactly one of authKey and authKeySecretRef, or authType none";
            findings.refuse("spec.ospfConfig.authKey", Reason::InvalidValue, message);
            None
        }
    }
}

fn authentication(auth: OspfAuth, text: String, findings: &mut Findings) -> Option<Authentication> {
    let field = "spec.ospfConfig.authKey";
    match auth {
        OspfAuth::None => Some(Authentication::None),
        OspfAuth::Simple => findings.valid(field, AuthKey::parse(text)).map(Authentication::Simple),
        OspfAuth::Md5 => findings.valid(field, AuthKey::parse(text)).map(Authentication::Md5),
    }
}

/// What the VIPs of a node have settled.
#[derive(Debug, Default)]
pub struct Assembly {
    settled: Option<(Name, Speaker)>,
}

impl Assembly {
    /// Whether the VIP agrees with what is settled.
    pub fn agrees(&self, wish: &OspfWish, findings: &mut Findings) -> bool {
        let Some((by, settled)) = &self.settled else { return true };
        let agreed = findings.whole(|findings| {
            compare(settled, &wish.speaker, by, findings);
            Some(())
        });
        agreed.is_some()
    }

    /// Takes the VIP in. Where it does not agree, what is settled holds.
    pub fn join(&mut self, vip: &Name, OspfWish { speaker, cost }: OspfWish) -> Route {
        let interfaces = speaker.interfaces.clone();
        let (_, settled) = self.settled.get_or_insert_with(|| (vip.clone(), speaker));
        settled.interfaces.join(&interfaces);
        Route { cost }
    }

    pub fn into_speaker(self) -> Option<Speaker> {
        self.settled.map(|(_, speaker)| speaker)
    }
}

fn compare(settled: &Speaker, wished: &Speaker, by: &Name, findings: &mut Findings) {
    let Speaker { router_id, area, timers, authentication, graceful_restart, bfd, interfaces: _ } = settled;
    let mut conflict = |field: &str, ours: &dyn Display, theirs: &dyn Display| {
        let message = format!(
            "{ours} contradicts {theirs} of the older ProxyVIP {by}, and a node has one OSPF speaker; make them \
             equal"
        );
        findings.refuse(field, Reason::Conflicted, message);
    };
    if *area != wished.area {
        conflict("spec.ospfConfig.areaID", &wished.area, area);
    }
    if timers.hello_seconds != wished.timers.hello_seconds {
        let (ours, theirs) = (wished.timers.hello_seconds, timers.hello_seconds);
        conflict("spec.ospfConfig.helloInterval", &ours, &theirs);
    }
    if timers.dead_seconds != wished.timers.dead_seconds {
        let (ours, theirs) = (wished.timers.dead_seconds, timers.dead_seconds);
        conflict("spec.ospfConfig.deadInterval", &ours, &theirs);
    }
    if *authentication != wished.authentication {
        conflict("spec.ospfConfig.authType", &"this authentication", &"that");
    }
    if *graceful_restart != wished.graceful_restart {
        conflict("spec.ospfConfig.gracefulRestart", &wished.graceful_restart, graceful_restart);
    }
    if *bfd != wished.bfd {
        conflict("spec.bfd", &"this BFD", &"that");
    }
    match (router_id, wished.router_id) {
        (Some(theirs), Some(ours)) if *theirs != ours => conflict("spec.ospfConfig.routerID", &ours, theirs),
        (None, Some(ours)) => {
            let message =
                format!("{ours} is not used: the older ProxyVIP {by} has no routerID; write it there too");
            findings.note("spec.ospfConfig.routerID", Reason::RouterIdPerNode, message);
        }
        _ => {}
    }
}

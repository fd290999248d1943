//! One BGP speaker runs on a node: the VIPs that name the same peer share its session.
//!
//! VIPs join from the oldest on. Each either agrees with what those before it have settled, or is
//! `Conflicted`; so a younger VIP never touches a session that an older one uses (spec §2.4).

use super::bgp::BgpWish;
use super::peer::{Authentication, Session};
use super::rejection::Findings;
use crate::api::condition::Reason;
use crate::model::bgp::{Asn, Audience, BgpRoute, GracefulRestart, Peer, Speaker};
use crate::model::name::Name;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr};

#[derive(Debug, Default)]
pub struct Assembly {
    settled: Option<Settled>,
    sessions: BTreeMap<IpAddr, (Name, Session)>,
}

#[derive(Debug)]
struct Settled {
    by: Name,
    asn: Asn,
    router_id: Option<Ipv4Addr>,
    graceful_restart: Option<GracefulRestart>,
}

impl Assembly {
    /// Whether the VIP agrees with what is settled.
    pub fn agrees(&self, wish: &BgpWish, findings: &mut Findings) -> bool {
        let agreed = findings.whole(|findings| {
            self.compare_speaker(wish, findings);
            self.compare_sessions(wish, findings);
            Some(())
        });
        agreed.is_some()
    }

    /// Takes the VIP in. Where it does not agree, what is settled holds.
    pub fn join(&mut self, vip: &Name, wish: BgpWish) -> BgpRoute {
        let BgpWish { asn, router_id, graceful_restart, sessions, attributes } = wish;
        self.settled.get_or_insert(Settled { by: vip.clone(), asn, router_id, graceful_restart });
        let Some(sessions) = sessions else { return BgpRoute { attributes, audience: Audience::Operators } };
        let mut peers = BTreeSet::new();
        for (address, session) in sessions {
            let (_, session) = self.sessions.entry(address).or_insert_with(|| (vip.clone(), session));
            if session.authentication != Authentication::Missing {
                peers.insert(address);
            }
        }
        BgpRoute { attributes, audience: Audience::Peers(peers) }
    }

    /// The VIP that brought a peer of this address in.
    pub fn vip_with_peer(&self, address: IpAddr) -> Option<&Name> {
        self.sessions.get(&address).map(|(vip, _)| vip)
    }

    pub fn into_speaker(self) -> Option<Speaker> {
        let Settled { by: _, asn, router_id, graceful_restart } = self.settled?;
        let peers =
            self.sessions.into_iter().filter_map(|(address, (_, session))| Some((address, peer(session)?)));
        Some(Speaker { asn, router_id, graceful_restart, peers: peers.collect() })
    }

    fn compare_speaker(&self, wish: &BgpWish, findings: &mut Findings) {
        let Some(Settled { by, asn, router_id, graceful_restart }) = &self.settled else { return };
        if *asn != wish.asn {
            conflict("localAS", wish.asn, asn, by, findings);
        }
        match (router_id, wish.router_id) {
            (Some(theirs), Some(ours)) if *theirs != ours => conflict("routerID", ours, theirs, by, findings),
            (None, Some(ours)) => {
                let message = format!(
                    "{ours} is not used: the older ProxyVIP {by} has no routerID; write it there too"
                );
                findings.note("spec.bgpConfig.routerID", Reason::RouterIdPerNode, message);
            }
            _ => {}
        }
        if *graceful_restart != wish.graceful_restart {
            let words = |restart: Option<GracefulRestart>| {
                restart.map_or("none".to_owned(), |restart| format!("{}s", restart.restart_seconds))
            };
            conflict("gracefulRestart", words(wish.graceful_restart), words(*graceful_restart), by, findings);
        }
    }

    fn compare_sessions(&self, wish: &BgpWish, findings: &mut Findings) {
        for (address, session) in wish.sessions.iter().flatten() {
            let Some((by, settled)) = self.sessions.get(address) else { continue };
            let differing = differences(settled, session);
            if !differing.is_empty() {
                let message = format!(
                    "peer {address} has another {} in the older ProxyVIP {by}, and the session is one; make them equal",
                    differing.join(", ")
                );
                findings.refuse("spec.bgpConfig.peers", Reason::Conflicted, message);
            }
        }
    }
}

fn peer(session: Session) -> Option<Peer> {
    let password = match session.authentication {
        Authentication::Open => None,
        Authentication::Md5(password) => Some(password),
        Authentication::Missing => return None,
    };
    Some(Peer { password, ..session.peer })
}

fn conflict(field: &str, ours: impl Display, theirs: impl Display, by: &Name, findings: &mut Findings) {
    let message = format!(
        "{ours} contradicts {theirs} of the older ProxyVIP {by}, and a node has one speaker; make them equal"
    );
    findings.refuse(format!("spec.bgpConfig.{field}"), Reason::Conflicted, message);
}

/// The settings that differ, by the names that people write.
fn differences(a: &Session, b: &Session) -> Vec<&'static str> {
    let Session { peer, authentication } = a;
    let Peer { address: _, asn, port, password: _, timers, multihop, ttl_security, source, bfd } = peer;
    let compared = [
        ("as", *asn != b.peer.asn),
        ("port", *port != b.peer.port),
        ("password", *authentication != b.authentication),
        ("holdTime or keepaliveTime", *timers != b.peer.timers),
        ("ebgpMultihop", *multihop != b.peer.multihop),
        ("ttlSecurity", *ttl_security != b.peer.ttl_security),
        ("sourceAddress", *source != b.peer.source),
        ("bfd", *bfd != b.peer.bfd),
    ];
    compared.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

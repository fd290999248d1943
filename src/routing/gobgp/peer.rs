//! A peer as gobgpd takes and tells it. Pure.

use super::client::Version;
use super::path::{IPV4, IPV6};
use super::policy::OURS;
use super::proto::{
    AfiSafi, AfiSafiConfig, EbgpMultihop, GracefulRestart, MpGracefulRestart, Peer, PeerConf, Timers,
    TimersConfig, Transport, TtlSecurity, mp_graceful_restart,
};
use crate::model::bgp;
use crate::plan::SpeakerPlan;
use crate::routing::digest::digest;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// gobgpd takes 30 s and 120 s if nobody says anything; less than 5 s it takes for 5 s.
const CONNECT_RETRY_SECONDS: u64 = 5;
const IDLE_HOLD_SECONDS: u64 = 1;

/// For how long a restarted gobgpd waits for what its peers have before it announces: what we announce depends on
/// nothing of theirs.
const DEFERRAL_SECONDS: u32 = 3;

/// How gobgpd is told of a peer. Its description is our mark, and a name for all settings that end the session
/// when they change.
pub fn wanted(peer: &bgp::Peer, speaker: &SpeakerPlan, version: Version) -> Peer {
    let bgp::Peer { address, asn, port, password, timers, multihop, ttl_security, source, bfd: _ } = peer;
    // RFC 5082: who may be at most so many hops away.
    let ttl_min = ttl_security.map(|hops| 256 - u32::from(hops.get()));
    let hops = multihop.filter(|_| *asn != speaker.asn).map_or(0, |hops| hops.get());
    let graceful = speaker.graceful_restart;
    let mut wanted = Peer {
        conf: Some(PeerConf {
            auth_password: password.as_ref().map(|password| password.expose().to_owned()).unwrap_or_default(),
            description: String::new(),
            local_asn: speaker.asn.get(),
            neighbor_address: address.to_string(),
            peer_asn: asn.get(),
            // What gobgpd fills in by itself is written all the same: an update that leaves it out would be another
            // peer to version 3, and end the session.
            r#type: version.number(u32::from(*asn != speaker.asn)),
        }),
        ebgp_multihop: Some(EbgpMultihop { enabled: hops > 0, multihop_ttl: hops.into() }),
        ttl_security: Some(TtlSecurity { enabled: ttl_min.is_some(), ttl_min: ttl_min.unwrap_or(0) }),
        transport: Some(Transport {
            local_address: source.unwrap_or_else(|| unspecified(*address)).to_string(),
            remote_port: port.get().into(),
        }),
        graceful_restart: graceful.map(|restart| GracefulRestart {
            enabled: true,
            restart_time: restart.restart_seconds.into(),
            deferral_time: DEFERRAL_SECONDS,
            // The addresses are served throughout, whatever happened to gobgpd.
            local_restarting: true,
        }),
        afi_safis: [IPV4, IPV6]
            .map(|family| AfiSafi {
                config: Some(AfiSafiConfig { family: Some(family), enabled: true }),
                mp_graceful_restart: Some(MpGracefulRestart {
                    config: Some(mp_graceful_restart::Config { enabled: graceful.is_some() }),
                }),
                state: None,
            })
            .into(),
        timers: None,
        state: None,
    };
    let without_secrets = {
        let mut peer = wanted.clone();
        peer.conf.iter_mut().for_each(|conf| conf.auth_password.clear());
        format!("{OURS}{:016x}", digest(&format!("{peer:?}")))
    };
    wanted.conf.iter_mut().for_each(|conf| conf.description.clone_from(&without_secrets));
    wanted.timers = Some(Timers {
        config: Some(TimersConfig {
            connect_retry: CONNECT_RETRY_SECONDS,
            hold_time: timers.hold_seconds.into(),
            keepalive_interval: timers.keepalive_seconds.into(),
            idle_hold_time_after_reset: IDLE_HOLD_SECONDS,
        }),
        state: None,
    });
    wanted
}

fn unspecified(like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

pub fn is_ours(peer: &Peer) -> bool {
    peer.conf.as_ref().is_some_and(|conf| conf.description.starts_with(OURS))
}

pub fn address(peer: &Peer) -> Option<IpAddr> {
    peer.conf.as_ref()?.neighbor_address.parse().ok()
}

/// What a peer that is there needs to be the wanted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Nothing,
    /// The session goes on.
    Timers,
    /// The session ends, as with every routing daemon.
    Anew,
}

pub fn step(have: &Peer, wanted: &Peer) -> Step {
    let conf = |peer: &Peer| {
        peer.conf.clone().map(|conf| (conf.description, conf.auth_password, conf.peer_asn, conf.local_asn))
    };
    let hops = |peer: &Peer| (peer.ttl_security, peer.ebgp_multihop);
    let times = |peer: &Peer| {
        let config = peer.timers?.config?;
        Some((config.connect_retry, config.hold_time, config.keepalive_interval))
    };
    let graceful = |peer: &Peer| {
        peer.graceful_restart.filter(|restart| restart.enabled).map(|restart| restart.restart_time)
    };
    if conf(have) != conf(wanted) || hops(have) != hops(wanted) || graceful(have) != graceful(wanted) {
        Step::Anew
    } else if times(have) != times(wanted) {
        Step::Timers
    } else {
        Step::Nothing
    }
}

//! `spec.bgpConfig.peers[]` → sessions that nodes shall have.

use super::accepted::password_key;
use super::rejection::Findings;
use super::scene::Site;
use super::secret;
use super::selector::Selector;
use super::surroundings::Surroundings;
use crate::api::bgp::BgpPeer;
use crate::api::condition::Reason;
use crate::api::duration::Seconds;
use crate::model::bfd::BfdProfile;
use crate::model::bgp::{Asn, Password, Peer, Timers};
use std::net::IpAddr;
use std::num::{NonZeroU8, NonZeroU16};

/// A session as a VIP asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Without its password.
    pub peer: Peer,
    pub authentication: Authentication,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authentication {
    Open,
    /// RFC 2385.
    Md5(Password),
    /// The Secret does not give a password: the session must not exist, least of all without one.
    Missing,
}

/// An entry of the list, as all nodes read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub session: Session,
    /// The nodes that shall have it.
    selector: Selector,
    field: String,
    /// Where its password is remembered.
    password_key: Option<String>,
}

impl Entry {
    /// This node's session of the entry, if it shall have one.
    pub fn at(&self, site: &Site, local: Asn, findings: &mut Findings) -> Option<&Session> {
        let Self { session, selector, field, password_key: _ } = self;
        let fits = findings.whole(|findings| {
            internal_peers_are_near(&session.peer, local, field, findings);
            Some(())
        });
        fits.filter(|()| selector.matches(site.labels)).map(|()| session)
    }

    pub fn address(&self) -> IpAddr {
        self.session.peer.address
    }

    pub fn field(&self) -> &str {
        &self.field
    }

    /// The password and the key under which it is remembered.
    pub fn password(&self) -> Option<(&String, &Password)> {
        match (&self.password_key, &self.session.authentication) {
            (Some(key), Authentication::Md5(password)) => Some((key, password)),
            _ => None,
        }
    }
}

/// `None`: the entry is refused.
pub fn entry(
    written: &BgpPeer,
    field: String,
    bfd: Option<BfdProfile>,
    surroundings: &Surroundings,
    findings: &mut Findings,
) -> Option<Entry> {
    let BgpPeer {
        address,
        r#as,
        port,
        password_secret_ref,
        hold_time,
        keepalive_time,
        ebgp_multihop,
        ttl_security,
        source_address,
        node_selector,
    } = written;
    let selector = Selector::parse(node_selector.as_ref(), &format!("{field}.nodeSelector"), findings);
    let peer = findings.whole(|findings| {
        let address = findings.valid(format!("{field}.address"), peer_address(address));
        let zero = "the AS number must be 1 to 4294967295";
        let asn = findings.valid(format!("{field}.as"), Asn::new(*r#as).ok_or(zero));
        let port = NonZeroU16::new(*port).ok_or("the port must be 1 to 65535; BGP's is 179");
        let port = findings.valid(format!("{field}.port"), port);
        let timers = timers(*hold_time, *keepalive_time, &field, findings);
        let source = source(source_address.as_deref(), address, &field, findings);
        let multihop = hops(*ebgp_multihop, &format!("{field}.ebgpMultihop"), findings)?;
        let ttl_security = hops(*ttl_security, &format!("{field}.ttlSecurity"), findings)?;
        one_way_to_count_hops(multihop, ttl_security, &field, findings);
        let (address, asn, port, timers, source) = (address?, asn?, port?, timers?, source?);
        Some(Peer { address, asn, port, password: None, timers, multihop, ttl_security, source, bfd })
    })?;
    let selector = selector?;
    let (authentication, password_key) = match password_secret_ref {
        None => (Authentication::Open, None),
        Some(reference) => (
            secret::password(reference, peer.address, &field, surroundings, findings),
            Some(password_key(peer.address, reference)),
        ),
    };
    Some(Entry { session: Session { peer, authentication }, selector, field, password_key })
}

fn peer_address(text: &str) -> Result<IpAddr, String> {
    let address: IpAddr = text.parse().map_err(|_| {
        format!("{text:?} is not an IP address; write the router's, like 10.0.0.254 or 2001:db8::1")
    })?;
    let usable = match address {
        IpAddr::V4(v4) => !(v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast()),
        IpAddr::V6(v6) if v6.is_unicast_link_local() => {
            return Err(format!(
                "link-local peers like {v6} are not supported yet by this version; write the router's global one"
            ));
        }
        IpAddr::V6(v6) => !(v6.is_unspecified() || v6.is_multicast() || v6.to_ipv4_mapped().is_some()),
    };
    if usable { Ok(address) } else { Err(format!("{address} is no unicast address; write the router's")) }
}

fn timers(
    hold: Option<Seconds>,
    keepalive: Option<Seconds>,
    field: &str,
    findings: &mut Findings,
) -> Option<Timers> {
    let default = Timers::default();
    let hold = hold.map_or(u64::from(default.hold_seconds), Seconds::get);
    let (Ok(hold_seconds), true) = (u16::try_from(hold), hold == 0 || hold >= 3) else {
        let message = format!("holdTime is 0 or 3s to 65535s (RFC 4271 §4.2), not {hold}s");
        findings.refuse(format!("{field}.holdTime"), Reason::InvalidValue, message);
        return None;
    };
    let keepalive = keepalive.map_or(u64::from(hold_seconds / 3), Seconds::get);
    match u16::try_from(keepalive) {
        Ok(keepalive_seconds) if keepalive_seconds <= hold_seconds / 3 && (keepalive > 0 || hold == 0) => {
            Some(Timers { hold_seconds, keepalive_seconds })
        }
        _ => {
            let limit = hold_seconds / 3;
            let message =
                format!("keepaliveTime is at most a third of holdTime: write 1s to {limit}s (RFC 4271 §4.4)");
            findings.refuse(format!("{field}.keepaliveTime"), Reason::InvalidValue, message);
            None
        }
    }
}

fn source(
    written: Option<&str>,
    peer: Option<IpAddr>,
    field: &str,
    findings: &mut Findings,
) -> Option<Option<IpAddr>> {
    let Some(text) = written else { return Some(None) };
    let field = format!("{field}.sourceAddress");
    let message = format!("{text:?} is not an IP address; write one of the node's own, or leave it out");
    let address: IpAddr = findings.valid(&field, text.parse().map_err(|_| message))?;
    if peer.is_some_and(|peer| peer.is_ipv4() != address.is_ipv4()) {
        let message = format!("{address} is not of the peer's family; write an address of the same family");
        findings.refuse(field, Reason::InvalidValue, message);
        return None;
    }
    Some(Some(address))
}

fn hops(written: Option<u8>, field: &str, findings: &mut Findings) -> Option<Option<NonZeroU8>> {
    let Some(hops) = written else { return Some(None) };
    let zero = "the number of hops must be 1 to 254; leave it out for a peer on the segment";
    findings.valid(field, NonZeroU8::new(hops).filter(|hops| hops.get() < 255).ok_or(zero)).map(Some)
}

fn one_way_to_count_hops(
    multihop: Option<NonZeroU8>,
    ttl_security: Option<NonZeroU8>,
    field: &str,
    findings: &mut Findings,
) {
    if multihop.is_some() && ttl_security.is_some() {
        let message =
            "ebgpMultihop and ttlSecurity exclude each other (RFC 5082 expects a TTL of 255); keep one";
        findings.refuse(format!("{field}.ttlSecurity"), Reason::InvalidValue, message);
    }
}

fn internal_peers_are_near(peer: &Peer, local: Asn, field: &str, findings: &mut Findings) {
    if peer.multihop.is_some() && peer.asn == local {
        let message =
            format!("a peer of the own AS {local} may be any number of hops away; remove ebgpMultihop");
        findings.refuse(format!("{field}.ebgpMultihop"), Reason::InvalidValue, message);
    }
}

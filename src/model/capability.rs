//! What each routing daemon carries out of what a VIP may ask, as data (spec §2.4).
//!
//! Every setting of `bgpConfig`, `ospfConfig` and `bfd` is a [`Field`], and every field has its row in
//! [`support`]: carried out, or refused with a reason. `compile` knows which fields a VIP has written, a node's
//! plan withholds a VIP of which its daemon refuses one. `docs/daemons/matrix.md` is this table for people.

use super::observed::DaemonVersion;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The daemons that have a driver, as they name themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Daemon {
    Frr,
    Bird,
    Gobgp,
}

impl Daemon {
    pub const ALL: [Self; 3] = [Self::Frr, Self::Bird, Self::Gobgp];

    /// As in [`DaemonVersion::name`].
    pub fn name(self) -> &'static str {
        match self {
            Self::Frr => "frr",
            Self::Bird => "bird",
            Self::Gobgp => "gobgp",
        }
    }

    fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|daemon| daemon.name() == name)
    }
}

/// Major and minor version; gobgpd tells only which of its APIs it has, which is the major one.
type Release = (u32, Option<u32>);

/// The releases that the project's own tests run against.
const TESTED: [(Daemon, Release); 4] = [
    (Daemon::Frr, (8, Some(4))),
    (Daemon::Bird, (2, Some(0))),
    (Daemon::Gobgp, (3, None)),
    (Daemon::Gobgp, (4, None)),
];

/// [`TESTED`], as people read it: `frr 8.4`.
pub fn tested() -> Vec<String> {
    let name = |(daemon, (major, minor)): &(Daemon, Release)| match minor {
        Some(minor) => format!("{} {major}.{minor}", daemon.name()),
        None => format!("{} {major}", daemon.name()),
    };
    TESTED.iter().map(name).collect()
}

/// Whether the project's own tests have run against this release.
pub fn is_tested(version: &DaemonVersion) -> bool {
    let daemon = Daemon::by_name(&version.name);
    daemon.zip(release(version)).is_some_and(|found| TESTED.contains(&found))
}

/// From `8.4.4`, `10.2-dev`, `2.0.12`, `3`.
fn release(version: &DaemonVersion) -> Option<Release> {
    let mut numbers = version.version.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next().transpose().ok()?))
}

macro_rules! fields {
    ($($(#[$doc:meta])* $field:ident = $path:literal,)+) => {
        /// A setting of a VIP that a routing daemon has to carry out.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub enum Field {
            $($(#[$doc])* $field,)+
        }

        impl Field {
            pub const ALL: &[Self] = &[$(Self::$field,)+];

            /// As people write it: `spec.bgpConfig.peers[].ttlSecurity`.
            pub fn path(self) -> &'static str {
                match self {
                    $(Self::$field => $path,)+
                }
            }
        }
    };
}

fields! {
    Bgp = "spec.mode: BGP",
    /// `localASBase` gives one too.
    LocalAs = "spec.bgpConfig.localAS",
    RouterId = "spec.bgpConfig.routerID",
    /// No peers: the operator's own sessions.
    AttachMode = "spec.bgpConfig.peers: []",
    PeerAs = "spec.bgpConfig.peers[].as",
    PeerPort = "spec.bgpConfig.peers[].port",
    PeerPassword = "spec.bgpConfig.peers[].passwordSecretRef",
    PeerTimers = "spec.bgpConfig.peers[].holdTime",
    PeerMultihop = "spec.bgpConfig.peers[].ebgpMultihop",
    PeerTtlSecurity = "spec.bgpConfig.peers[].ttlSecurity",
    PeerSource = "spec.bgpConfig.peers[].sourceAddress",
    PeerNodeSelector = "spec.bgpConfig.peers[].nodeSelector",
    Communities = "spec.bgpConfig.communities",
    LocalPreference = "spec.bgpConfig.localPreference",
    Med = "spec.bgpConfig.med",
    AsPathPrepend = "spec.bgpConfig.asPathPrepend",
    GracefulRestart = "spec.bgpConfig.gracefulRestart",
    Ospf = "spec.mode: OSPF",
    OspfRouterId = "spec.ospfConfig.routerID",
    OspfArea = "spec.ospfConfig.areaID",
    OspfCost = "spec.ospfConfig.cost",
    OspfTimers = "spec.ospfConfig.helloInterval",
    OspfSimple = "spec.ospfConfig.authType: simple",
    OspfMd5 = "spec.ospfConfig.authType: md5",
    OspfGracefulRestart = "spec.ospfConfig.gracefulRestart",
    OspfInterfaces = "spec.ospfConfig.interfaces",
    Bfd = "spec.bfd",
    BfdEcho = "spec.bfd.echoMode",
    BfdMultihop = "spec.bfd.multihop",
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}

/// What a daemon does with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    CarriedOut,
    /// Why, and what to do instead.
    Refused(&'static str),
}

/// The table.
pub fn support(field: Field, daemon: Daemon) -> Support {
    match field {
        Field::Bgp
        | Field::LocalAs
        | Field::RouterId
        | Field::AttachMode
        | Field::PeerAs
        | Field::PeerPort
        | Field::PeerPassword
        | Field::PeerTimers
        | Field::PeerMultihop
        | Field::PeerTtlSecurity
        | Field::PeerSource
        | Field::PeerNodeSelector
        | Field::Communities
        | Field::LocalPreference
        | Field::Med
        | Field::AsPathPrepend
        | Field::GracefulRestart
        | Field::Bfd
        | Field::BfdEcho
        | Field::BfdMultihop => Support::CarriedOut,
        Field::Ospf
        | Field::OspfRouterId
        | Field::OspfArea
        | Field::OspfCost
        | Field::OspfTimers
        | Field::OspfSimple
        | Field::OspfMd5
        | Field::OspfGracefulRestart
        | Field::OspfInterfaces => match daemon {
            Daemon::Frr | Daemon::Bird => Support::CarriedOut,
            Daemon::Gobgp => {
                Support::Refused("GoBGP speaks BGP alone; run FRR or BIRD on this node, or write mode BGP")
            }
        },
    }
}

/// The first of `fields` that the daemon refuses, and why. A daemon that nobody knows refuses nothing here: its
/// own words count.
pub fn refusal<'a>(
    fields: impl IntoIterator<Item = &'a Field>,
    version: &DaemonVersion,
) -> Option<(Field, &'static str)> {
    let daemon = Daemon::by_name(&version.name)?;
    fields.into_iter().find_map(|field| match support(*field, daemon) {
        Support::CarriedOut => None,
        Support::Refused(why) => Some((*field, why)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(name: &str, version: &str) -> DaemonVersion {
        DaemonVersion { name: name.to_owned(), version: version.to_owned() }
    }

    #[test]
    fn a_release_is_tested_whatever_its_last_number() {
        for (name, release, tested) in [
            ("frr", "8.4.4", true),
            ("frr", "8.4", true),
            ("frr", "8.5.1", false),
            ("frr", "10.2-dev", false),
            ("bird", "2.0.12", true),
            ("bird", "8.4.4", false),
            ("gobgp", "3", true),
            ("gobgp", "5", false),
            ("frr", "8", false),
            ("frr", "unknown", false),
            ("quagga", "8.4", false),
        ] {
            assert_eq!(is_tested(&version(name, release)), tested, "{name} {release}");
        }
    }

    #[test]
    fn gobgp_refuses_ospf_and_says_what_to_do() {
        let gobgp = version("gobgp", "4");
        let (field, why) = refusal(&[Field::Med, Field::OspfCost, Field::Ospf], &gobgp).unwrap();
        assert_eq!(field, Field::OspfCost);
        assert!(why.contains("run FRR or BIRD on this node"));
        assert_eq!(refusal(Field::ALL, &version("frr", "8.4.4")), None);
    }

    /// Refusals are told by path: no two fields may share one.
    #[test]
    fn every_field_has_a_path_of_its_own() {
        let paths: std::collections::BTreeSet<_> = Field::ALL.iter().map(|field| field.path()).collect();
        assert_eq!(paths.len(), Field::ALL.len());
    }
}

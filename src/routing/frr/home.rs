//! Which of FRR's daemons an object of ours lives in.
//!
//! FRR's own loader gives route maps to every daemon; only the one in an object's home counts.

use super::parse::Object;
use crate::model::net::Family;
use crate::model::ospf::Version;

/// A daemon that holds something of ours, in the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Home {
    Bfdd,
    Zebra,
    Ospfd,
    Ospf6d,
    Bgpd,
}

impl Home {
    pub const ALL: [Self; 5] = [Self::Bfdd, Self::Zebra, Self::Ospfd, Self::Ospf6d, Self::Bgpd];

    pub fn of(object: &Object) -> Self {
        match object {
            Object::Profile(_) => Self::Bfdd,
            Object::RouteMap(head) if head.starts_with("route-map NOVAEDGE-NONE ") => Self::Zebra,
            Object::Unheard(_) | Object::Anchor => Self::Zebra,
            Object::Hosts => Self::Ospf6d,
            Object::Ospf(version, _) | Object::Adjacency(version, _) => Self::speaks(*version),
            Object::Prefix(route) => match route.family() {
                Family::Ipv4 => Self::Ospfd,
                Family::Ipv6 => Self::Ospf6d,
            },
            Object::RouteMap(_) | Object::Instance(_) | Object::Neighbor(..) | Object::Network(..) => {
                Self::Bgpd
            }
        }
    }

    pub fn speaks(version: Version) -> Self {
        match version {
            Version::V2 => Self::Ospfd,
            Version::V3 => Self::Ospf6d,
        }
    }

    /// As the process is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bfdd => "bfdd",
            Self::Zebra => "zebra",
            Self::Ospfd => "ospfd",
            Self::Ospf6d => "ospf6d",
            Self::Bgpd => "bgpd",
        }
    }
}

//! The speakers of a node, of either protocol: what a shape asks of one, and what that makes of its VIPs.

use super::bgp::BgpWish;
use super::ospf::{self, OspfWish};
use super::rejection::Findings;
use super::speaker;
use crate::model::bgp::Speaker;
use crate::model::name::Name;
use crate::model::ospf as model;
use crate::model::vip::Reach;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    Bgp(BgpWish),
    Ospf(OspfWish),
}

/// While VIPs join.
#[derive(Debug, Default)]
pub struct Assemblies {
    bgp: speaker::Assembly,
    ospf: ospf::Assembly,
}

/// When all have.
#[derive(Debug, Clone, Default)]
pub struct Speakers {
    pub bgp: Option<Speaker>,
    pub ospf: Option<model::Speaker>,
}

impl Assemblies {
    /// Whether the VIP agrees with what is settled.
    pub fn agrees(&self, wish: &Wish, findings: &mut Findings) -> bool {
        match wish {
            Wish::Bgp(wish) => self.bgp.agrees(wish, findings),
            Wish::Ospf(wish) => self.ospf.agrees(wish, findings),
        }
    }

    /// Takes the VIP in. Where it does not agree, what is settled holds.
    pub fn join(&mut self, vip: &Name, wish: Wish) -> Reach {
        match wish {
            Wish::Bgp(wish) => Reach::Bgp(self.bgp.join(vip, wish)),
            Wish::Ospf(wish) => Reach::Ospf(self.ospf.join(vip, wish)),
        }
    }

    pub fn into_speakers(self) -> Speakers {
        Speakers { bgp: self.bgp.into_speaker(), ospf: self.ospf.into_speaker() }
    }
}

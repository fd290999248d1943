//! The contract of [`novaedge::routing::Daemon`], proved on real daemons: one battery of tests, run over
//! every daemon that we drive.
//!
//! Each test has a world of its own: a ToR (real FRR), a node with the daemon under test, and the driver. The
//! ToR's own words and its kernel's FIB decide; what the driver says about itself is checked against them.
//!
//! | file | what |
//! |---|---|
//! | [`fixture`] | what a daemon must bring to be tested |
//! | [`world`] | ToR, node and driver, as sentences |
//! | [`plans`] | routing plans, as sentences |
//! | [`routes`] | prefixes come, change, go |
//! | [`attributes`] | what the ToR sees beside the prefix |
//! | [`sessions`] | passwords, timers, hops, BFD |
//! | [`ospf`], [`ospf_keys`] | the same over OSPF |
//! | [`operator`] | what is not ours stays as it is |
//! | [`faults`] | restarts, silence, refusals |
//! | [`silence`] | a node that nothing comes from any more |
//! | [`scale`] | a thousand prefixes |
//! | [`floor`], [`floor_bird`], [`floor_gobgp`] | the same by hand, for comparing times |
//! | [`walk`] | plans at random, one after the other |
//! | [`mod@bird`], [`gobgp`] | BIRD's and GoBGP's fixtures |
//! | [`gobgp_alone`] | what is GoBGP's alone |
//! | [`frr`], [`frr_alone`], [`frr_ospf`] | FRR's fixture, and what is FRR's alone |

// What was measured is part of a test's answer.
#![allow(clippy::print_stdout)]

mod attributes;
pub mod bird;
mod faults;
pub mod fixture;
mod floor;
mod floor_bird;
mod floor_gobgp;
pub mod frr;
mod frr_alone;
mod frr_ospf;
pub mod gobgp;
mod gobgp_alone;
mod operator;
mod ospf;
mod ospf_keys;
mod plans;
mod routes;
mod scale;
mod sessions;
mod silence;
mod walk;
mod world;

/// Makes a `#[test]` of every test of the battery for one daemon.
macro_rules! battery {
    ($fixture:ty: $($file:ident { $($test:ident)+ })+) => {
        $($(
            #[test]
            fn $test() {
                crate::battery::$file::$test::<$fixture>();
            }
        )+)+
    };
}
pub(crate) use battery;

//! Every setting of the capability matrix, written in a manifest for a node of each daemon: it shows at the ToR, or
//! the VIP is withheld with words that name it. A field without a [`probes::Probe`] does not build.

mod probes;
mod shown;

use super::estate::{Estate, nodes};
use crate::battery::bird::OfBird;
use crate::battery::fixture::Fixture;
use crate::battery::frr::OfFrr;
use crate::battery::gobgp::OfGobgp;
use novaedge::model::capability::{Daemon, Field, Support, support};
use novaedge_lab::ospf::Ospf;
use novaedge_lab::{Lab, Routing, eventually};
use probes::{Probe, bgp, probe};
use shown::shown;
use std::time::Duration;

const VIP: &str = "10.200.0.40/32";
/// GoBGP connects again after five seconds, and waits for five more where a session was ended.
const SOON: Duration = Duration::from_secs(30);

/// With the reason, and the first field that is refused: OSPF as a whole, where it is refused as a whole.
fn is_withheld(estate: &Estate, field: Field, why: &str) -> Result<(), String> {
    let vip = estate.vip(1, "field")?.to_string();
    let whole = if field.path().starts_with("spec.ospfConfig") { Field::Ospf } else { field };
    let path = [field, whole].iter().any(|one| vip.contains(one.path()));
    let named = vip.contains("DaemonCannot") && path && vip.contains(why);
    if named { Ok(()) } else { Err(vip) }
}

/// GoBGP 4 starts BGP once, and says so; whoever follows the message restarts it.
fn make_way(estate: &Estate, field: Field) {
    if let (Field::RouterId, Routing::Gobgp(gobgp)) = (field, estate.lab.node(1).routing()) {
        gobgp.restart().unwrap();
    }
}

/// What the probes need beside the lab: a label, another address, another port.
fn prepare(estate: &Estate) {
    estate.write("nodes.yaml", &nodes(1).replace("labels:", "labels:\n    rack: a"));
    estate.lab.node(1).netns().ip("addr add 10.0.0.101/24 dev eth0").unwrap();
    let redirect = "table ip lab {
        chain in {
            type nat hook prerouting priority -100
            tcp dport 1179 redirect to :179
        }
    }";
    estate.lab.tor_netns().nft(redirect).unwrap();
}

/// Nothing of ours is left, and the operator comes.
fn operate<F: Fixture>(estate: &Estate) {
    let node = estate.lab.node(1);
    estate.remove("vip.yaml");
    eventually("nothing of ours is left", SOON, || {
        let left = F::our_lines(node);
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .unwrap();
    F::operate(node);
    F::peer_with_the_tor(node);
}

fn every_field<F: Fixture>(name: &str, daemon: Daemon) {
    let estate =
        Estate::with_agents(F::lab(Lab::builder(name).nodes(1).ospf(Ospf::default()).bfd(100, 3)), &[1]);
    prepare(&estate);
    let (mut carried_out, mut refused) = (0, 0);
    // What is the operator's stays, so that comes last.
    let own = Field::ALL.iter().filter(|field| **field != Field::AttachMode);
    for field in own.chain([&Field::AttachMode]).copied() {
        let Probe { tor: (of, lines, undo), manifest, shows } = probe(field);
        if field == Field::AttachMode {
            operate::<F>(&estate);
        }
        estate.lab.tor().configure(of, &lines.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
        estate.write("vip.yaml", &manifest);
        make_way(&estate, field);
        let outcome = match support(field, daemon) {
            Support::CarriedOut => {
                carried_out += 1;
                eventually(&format!("{field} shows at the ToR"), SOON, || shown(&estate, &shows))
            }
            Support::Refused(why) => {
                refused += 1;
                eventually(&format!("{field} is refused"), SOON, || is_withheld(&estate, field, why))
            }
        };
        outcome.unwrap_or_else(|error| {
            panic!("{error:#}\n{}\n{}", estate.status(1).unwrap(), estate.agent(1).log())
        });
        estate.lab.tor().configure(of, &undo.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
        if field == Field::RouterId {
            estate.write("vip.yaml", &bgp("", ""));
            make_way(&estate, field);
        }
    }
    println!("{}: {carried_out} fields shown, {refused} refused", F::NAME);
    assert_eq!(carried_out + refused, Field::ALL.len());
}

#[test]
fn every_field_shows_or_is_refused_with_frr() {
    every_field::<OfFrr>("t-fields-frr", Daemon::Frr);
}

#[test]
fn every_field_shows_or_is_refused_with_bird() {
    every_field::<OfBird>("t-fields-bird", Daemon::Bird);
}

#[test]
fn every_field_shows_or_is_refused_with_gobgp_3() {
    every_field::<OfGobgp<3>>("t-fields-gobgp3", Daemon::Gobgp);
}

#[test]
fn every_field_shows_or_is_refused_with_gobgp_4() {
    every_field::<OfGobgp<4>>("t-fields-gobgp4", Daemon::Gobgp);
}

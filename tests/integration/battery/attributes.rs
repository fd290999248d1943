//! What the ToR sees beside the prefix.

use super::fixture::Fixture;
use super::plans::{Plan, TOR, attributes, peer};
use super::world::World;
use novaedge::model::bgp::PathAttributes;
use serde_json::json;

const VIP4: &str = "10.200.0.20/32";
const VIP6: &str = "2001:db8::50/128";

fn all_of_them() -> PathAttributes {
    let communities = ["64501:100", "64501:200", "no-export", "64501:1:2", "4294967295:0:7"];
    PathAttributes { local_preference: Some(150), med: Some(50), prepend: 2, ..attributes(&communities) }
}

/// RFC 4271 §5.1.5: no local preference to an eBGP peer, whose default of 100 shows (FRR leaves it out).
/// `no-export` speaks to the ToR and must not keep our own speaker from announcing.
pub fn an_external_peer_sees_all_but_local_preference<F: Fixture>() {
    let mut world = World::<F>::new("ebgp");
    world.hold(VIP4);
    world.hold(VIP6);
    let all = all_of_them();
    world.apply(&Plan::to_the_tor().announcing_with(VIP4, all.clone()).announcing_with(VIP6, all));
    for prefix in [VIP4, VIP6] {
        let wanted = [
            ("/aspath/string", json!("64501 64501 64501")),
            ("/metric", json!(50)),
            ("/community/string", json!("64501:100 64501:200 no-export")),
            ("/largeCommunity/string", json!("64501:1:2 4294967295:0:7")),
            ("/locPrf", json!(null)),
        ];
        world.path_has(prefix, &wanted);
    }
}

/// Prepending the AS that both share would make the peer drop the route.
pub fn an_internal_peer_sees_all_but_prepending<F: Fixture>() {
    let mut world = World::<F>::of("ibgp", |lab| lab.as_numbers(64500, 64500));
    world.hold(VIP4);
    world.hold(VIP6);
    let plan = Plan::speaker_of(64500).with_peer(peer(TOR, 64500));
    world.apply(&plan.announcing_with(VIP4, all_of_them()).announcing_with(VIP6, all_of_them()));
    for prefix in [VIP4, VIP6] {
        let wanted = [
            ("/aspath/string", json!("Local")),
            ("/metric", json!(50)),
            ("/community/string", json!("64501:100 64501:200 no-export")),
            ("/locPrf", json!(150)),
        ];
        world.path_has(prefix, &wanted);
    }
}

/// What is right for an external peer is taken back where the same peer turns internal, and comes again.
pub fn a_peer_may_change_sides<F: Fixture>() {
    let mut world = World::<F>::new("sides");
    world.hold(VIP4);
    let towards = |number| {
        let plan = Plan::speaker().with_peer(peer(TOR, number));
        plan.announcing_with(VIP4, all_of_them())
    };
    for number in [64500, 64501, 64500] {
        world.apply(&towards(number));
    }
    world.path_has(VIP4, &[("/aspath/string", json!("64501 64501 64501"))]);
}

/// Whatever the daemon calls them, it reads back what it was given.
pub fn every_community_with_a_name_goes_in<F: Fixture>() {
    let mut world = World::<F>::new("names");
    world.hold(VIP4);
    let low: Vec<String> = (0..=9).map(|low| format!("65535:{low}")).collect();
    let high = ["65535:666", "65535:65281", "65535:65282", "65535:65283", "65535:65284", "65535:65285"];
    let others = ["0:0", "0:1", "65534:0", "0:0:0"];
    let all: Vec<&str> = low.iter().map(String::as_str).chain(high).chain(others).collect();
    for community in &all {
        world.apply(&Plan::to_the_tor().announcing_with(VIP4, attributes(&[community])));
    }
    world.apply(&Plan::to_the_tor().announcing_with(VIP4, attributes(&all)));
}

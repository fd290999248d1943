//! OSPF: who knows the key, and who does not.

use super::fixture::Fixture;
use super::ospf::{VIP4, VIP6, changed, plan, world};
use super::plans::route;
use super::world::{SOON, World};
use novaedge::model::adjacency::NeighborState;
use novaedge::model::ospf::{AuthKey, Authentication, Version};
use novaedge_lab::eventually;
use novaedge_lab::ospf::{Auth, Ospf};
use std::time::{Duration, Instant};

/// A key that differs keeps the neighbour away, the right one lets it come, and a new one is in force at once.
pub fn keys_must_match<F: Fixture>() {
    keys(&mut keyed::<F>("key"), &[VIP4, VIP6]);
}

/// The same in OSPFv2 alone.
pub fn keys_of_version_2_must_match<F: Fixture>() {
    let mut world = keyed::<F>("key2");
    keys(&mut world, &[VIP4]);
    if F::MD5_IN_VERSION_3 {
        return;
    }
    let authentication = Authentication::Md5(AuthKey::parse("s3cret$/x").unwrap());
    let both = changed(plan(&[(VIP4, 10), (VIP6, 10)]), |plan| plan.authentication = authentication);
    let applied = world.try_apply(&both).unwrap();
    assert_eq!(applied.refused.keys().copied().collect::<Vec<_>>(), [route(VIP6)]);
    world.routed(VIP4);
}

fn keyed<F: Fixture>(name: &str) -> World<F> {
    let world = world::<F>(name, Ospf { auth: Auth::Md5("s3cret$/x".into()), ..Ospf::default() });
    world.hold(VIP4);
    world.hold(VIP6);
    world
}

fn keys<F: Fixture>(world: &mut World<F>, vips: &[&str]) {
    let md5 = |text: &str| Authentication::Md5(AuthKey::parse(text).unwrap());
    let routes: Vec<(&str, u16)> = vips.iter().map(|vip| (*vip, 10)).collect();
    let with = |authentication| {
        changed(plan(&routes), |plan| {
            plan.authentication = authentication;
            plan.versions = routes.iter().map(|(vip, _)| Version::of(route(vip).family())).collect();
        })
    };
    world.apply(&with(md5("wrong")));
    nobody_comes(world);
    world.apply(&with(md5("s3cret$/x")));
    vips.iter().for_each(|vip| world.routed(vip));
    world.apply(&with(Authentication::None));
    vips.iter().for_each(|vip| world.unrouted(vip));
}

/// The same with the plain password of OSPFv2.
pub fn simple_passwords_must_match<F: Fixture>() {
    let ospf = Ospf { auth: Auth::Simple("sesame".into()), ..Ospf::default() };
    let mut world = world::<F>("simple", ospf);
    world.hold(VIP4);
    let with = |text: &str| {
        changed(plan(&[(VIP4, 10)]), |plan| {
            plan.versions = [Version::V2].into();
            plan.authentication = Authentication::Simple(AuthKey::parse(text).unwrap());
        })
    };
    world.apply(&with("wrong"));
    nobody_comes(&mut world);
    world.apply(&with("sesame"));
    world.routed(VIP4);
}

/// For longer than a neighbour that can come takes: two of the ToR's hellos.
fn nobody_comes<F: Fixture>(world: &mut World<F>) {
    let since = Instant::now();
    eventually("two hellos of the ToR", SOON, || {
        if since.elapsed() > Duration::from_millis(2500) { Ok(()) } else { Err("not yet") }
    })
    .unwrap();
    let (v2, v3) = world.lab.tor().full().unwrap();
    assert!(v2.is_empty() && v3.is_empty(), "{v2:?} {v3:?}");
    let seen = world.observe();
    assert!(seen.neighbors.values().all(|seen| seen.state < NeighborState::ExStart), "{:?}", seen.neighbors);
}

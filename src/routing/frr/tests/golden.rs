//! What a person reads in `tests/integration/golden/frr/`. With `UPDATE_GOLDEN=1` in the environment the
//! files are written instead; read the difference before it is committed.

use super::plans::{attached, everything, ospf, usual};
use crate::plan::RoutingPlan;
use crate::routing::frr::render::Renderer;
use crate::routing::frr::view::view;
use std::path::Path;

fn compare(name: &str, plan: &RoutingPlan) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/golden/frr").join(name);
    let rendered = Renderer::new().render(&view(plan));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &rendered).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(rendered, golden, "UPDATE_GOLDEN=1 writes {}", path.display());
}

#[test]
fn one_dual_stack_vip_to_one_peer() {
    compare("usual.conf", &usual());
}

#[test]
fn every_setting_over_four_kinds_of_peer() {
    compare("everything.conf", &everything());
}

#[test]
fn prefixes_alone_for_the_operators_sessions() {
    compare("attached.conf", &attached());
}

#[test]
fn without_a_speaker_there_is_nothing() {
    compare("nothing.conf", &RoutingPlan::default());
}

#[test]
fn ospf_of_both_versions() {
    let routes = [("10.200.0.30", 10), ("10.200.0.31", 10), ("10.200.0.32", 7), ("2001:db8::30", 10)];
    compare("ospf.conf", &ospf(&routes));
}

//! What a person reads in `tests/integration/golden/bird/`. With `UPDATE_GOLDEN=1` in the environment the files
//! are written instead; read the difference before it is committed.

use super::plans::{announce, attributes, everything, peer, plan, to};
use crate::plan::RoutingPlan;
use crate::routing::bird::protocols::links;
use crate::routing::bird::render::Renderer;
use crate::routing::bird::view::view;
use std::path::Path;

fn compare(name: &str, plan: &RoutingPlan) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/golden/bird").join(name);
    let rendered = Renderer::new().render(&view(plan, &links(["10.0.0.1/24 (scope site)"]))).text;
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &rendered).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(rendered, golden, "UPDATE_GOLDEN=1 writes {}", path.display());
}

#[test]
fn one_dual_stack_vip_to_one_peer() {
    let mut usual = plan([peer("10.0.0.254", 64500)]);
    for prefix in ["10.200.0.20", "2001:db8::50"] {
        announce(&mut usual, prefix, attributes(&["64501:100"]), to(&["10.0.0.254"]));
    }
    compare("usual.conf", &usual);
}

#[test]
fn every_setting_over_four_kinds_of_peer() {
    compare("everything.conf", &everything());
}

#[test]
fn without_a_speaker_there_is_nothing() {
    compare("nothing.conf", &RoutingPlan::default());
}

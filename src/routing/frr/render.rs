//! The view through the templates of `templates/frr/`, into FRR's own language.

use super::view::View;

const TEMPLATES: [(&str, &str); 10] = [
    ("frr.conf", include_str!("../../../templates/frr/frr.conf.tera")),
    ("bfd", include_str!("../../../templates/frr/bfd.tera")),
    ("classes", include_str!("../../../templates/frr/classes.tera")),
    ("attributes", include_str!("../../../templates/frr/attributes.tera")),
    ("outgoing", include_str!("../../../templates/frr/outgoing.tera")),
    ("router", include_str!("../../../templates/frr/router.tera")),
    ("neighbor", include_str!("../../../templates/frr/neighbor.tera")),
    ("unheard", include_str!("../../../templates/frr/unheard.tera")),
    ("ospf", include_str!("../../../templates/frr/ospf.tera")),
    ("ospf6", include_str!("../../../templates/frr/ospf6.tera")),
];

/// The first line of what we write; a file that begins with it is ours.
pub const HEADER: &str = "! Written by NovaEdge";

/// The compiled templates.
#[derive(Debug)]
pub struct Renderer(tera::Tera);

impl Renderer {
    /// # Panics
    /// Never: the templates are part of the program, and a test renders each of them.
    pub fn new() -> Self {
        let mut tera = tera::Tera::default();
        tera.add_raw_templates(TEMPLATES).expect("the built-in templates parse");
        Self(tera)
    }

    /// The whole of our configuration. Lines that hold only template marks leave nothing behind.
    ///
    /// # Panics
    /// Never: the templates name only fields of [`View`], and a test renders each of them.
    pub fn render(&self, view: &View) -> String {
        let context = tera::Context::from_serialize(view).expect("a view is a map of plain values");
        let text = self.0.render("frr.conf", &context).expect("the built-in templates fit the view");
        text.lines().filter(|line| !line.trim().is_empty()).flat_map(|line| [line, "\n"]).collect()
    }
}
